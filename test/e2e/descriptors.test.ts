/** A process that runs out of descriptors keeps its connections, makes new clients wait, and recovers. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { Weir } from "./weir.ts";

/** Open files that weir gets; it keeps 64 of them back and needs two per connection. */
const LIMIT = 128;
const ROOM = (LIMIT - 64) / 2;

test("clients beyond the descriptors wait and are served when others leave", async () => {
  const kit = new Kit(runtime);
  await using echo = await Weir.start(["echo"]);
  const target = `127.0.0.1:${await echo.port()}`;
  const prefix = ["prlimit", `--nofile=${LIMIT}:${LIMIT}`];
  await using weir = await Weir.start(["tcp", "127.0.0.1:0", target, "--metrics", "off"], "bun", prefix);
  const address = { kind: "tcp", host: "127.0.0.1", port: await weir.port() } as const;
  const clients: Probe[] = [];
  for (let n = 0; n < ROOM + 20; n++) clients.push(new Probe(await kit.connect(address)));
  for (const client of clients) client.write(10);
  const first = clients.slice(0, ROOM);
  const waiting = clients.slice(ROOM);
  for (const client of first) await client.until(() => client.received === 10, "echo");
  expect(await weir.stderr.next()).toBe(
    `weir: accepting stops: ${ROOM} connections use all descriptors (ulimit -n ${LIMIT}); clients wait`,
  );
  expect(waiting.every((client) => client.received === 0 && !client.closed)).toBe(true);
  for (const client of first) {
    client.finish();
    expect(await client.untilClose()).toBeUndefined();
  }
  for (const client of waiting) await client.until(() => client.received === 10, "echo");
  await kit.clean();
});
