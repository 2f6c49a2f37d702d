/** The end of listening on the native engine: who has come by then is served. */
import { afterAll, expect } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "../../src/net/address.ts";
import { LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { again, linux, world } from "./world.ts";

/** For each worker more than it accepts per event. */
const CLIENTS = 200;

const directory = mkdtempSync(join(tmpdir(), "weir-drain-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const places: [string, Address][] = [
  ["port", LOOPBACK],
  ["socket file", { kind: "unix", path: join(directory, "s") }],
  ["abstract name", { kind: "unix", path: `@weir-drain-${process.pid}` }],
];

linux.each(places)("who waits at a %s when the listening ends is served to the end", async (name, listen) => {
  const stand = join(directory, `stand at ${name}`);
  process.env["WEIR_TEST_STAND"] = stand;
  await using it = await world(new URL("./standing-worker.ts", import.meta.url), listen);
  const { kit, proxy } = it;
  const connect = async () => new Probe(await kit.connect(proxy.address));
  const clients: Probe[] = [];
  writeFileSync(stand, "");
  const standing = () => readdirSync(directory).filter((file) => file.startsWith(`stand at ${name}.`)).length;
  // Each that is accepted makes its worker look up from the kernel, and stand still.
  while (standing() < it.engine.workers) clients.push(await connect());
  while (clients.length < CLIENTS) clients.push(await connect());
  const drained = proxy.drain();
  rmSync(stand);
  await Promise.all(clients.map(again));
  expect(clients.filter(({ closed }) => closed).length).toBe(0);
  await proxy.stopped;
  expect(await refusal(connect)).toBe(
    listen.kind === "unix" && listen.path.startsWith("/") ? "ENOENT" : "ECONNREFUSED",
  );
  for (const client of clients) client.finish();
  await Promise.all(clients.map((client) => client.untilClose()));
  await drained;
});

async function refusal(connect: () => Promise<Probe>): Promise<string> {
  return await connect().then(
    () => "nothing",
    ({ code }: { code: string }) => code,
  );
}
