/** Streams in bulk ask to be woken more rarely: what comes behind the bulk must not wait for more. */
import { expect } from "bun:test";
import type { Probe } from "../contract/probe.ts";
import { again, linux, world } from "./world.ts";

const MB = 1_048_576;

async function echoed(client: Probe, bytes: number): Promise<void> {
  client.write(bytes);
  await client.until(() => client.closed || client.received === client.sent, "echo");
  expect(client.received).toBe(client.sent);
}

linux("bulk of any length comes whole, and small messages behind it at once", async () => {
  await using it = await world();
  const client = await it.client();
  for (const bytes of [3 * MB, 16 * MB + 1, 40 * MB - 1, 33 * MB + 77_777, 5 * MB]) {
    await echoed(client, bytes);
    for (let message = 0; message < 20; message++) await again(client);
  }
});

linux("several streams in bulk, each with pauses, come whole", async () => {
  await using it = await world();
  const clients = await Promise.all(Array.from({ length: 6 }, () => it.client()));
  await Promise.all(
    clients.map(async (client, index) => {
      for (let round = 1; round <= 4; round++) await echoed(client, round * 3_333_333 + index);
    }),
  );
});
