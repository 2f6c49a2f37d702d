/** A process that runs out of descriptors keeps its connections, neither spins nor exits, and recovers. */
import { expect, test } from "bun:test";
import { cpus } from "node:os";
import { runtime } from "#runtime";
import { deferred, Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import type { RuntimeName } from "../contract/runtimes.ts";
import { Weir } from "./weir.ts";

/** Open files that weir gets; it keeps 64 of them back and needs two per connection. */
const LIMIT = 256;
const ROOM = (LIMIT - 64) / 2;
const MORE = 20;

async function world(name: RuntimeName, engine: string) {
  const kit = new Kit(runtime);
  const echo = await Weir.start(["echo"]);
  const target = `127.0.0.1:${await echo.port()}`;
  const prefix = ["prlimit", `--nofile=${LIMIT}:${LIMIT}`];
  const weir = await Weir.start(["tcp", "127.0.0.1:0", target, "--metrics", "off", "--engine", engine], name, prefix);
  const address = { kind: "tcp", host: "127.0.0.1", port: await weir.port() } as const;
  return {
    kit,
    weir,
    /** A client that has sent ten bytes; they come back once it is served. */
    async client(): Promise<Probe> {
      const client = new Probe(await kit.connect(address));
      client.write(10);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await kit.clean();
      await weir[Symbol.asyncDispose]();
      await echo[Symbol.asyncDispose]();
    },
  };
}

const served = (client: Probe) => client.until(() => client.received === 10, "echo");

async function leave(client: Probe): Promise<void> {
  client.finish();
  expect(await client.untilClose()).toBeUndefined();
}

const WAITING = [
  ["bun", "portable"],
  ["bun", "native"],
  ["deno", "native"],
] as const;

test.each(WAITING)(
  "under %s, %s, clients beyond the descriptors wait and are served when others leave",
  async (name, engine) => {
    await using it = await world(name, engine);
    const clients: Probe[] = [];
    for (let n = 0; n < ROOM + MORE; n++) clients.push(await it.client());
    let count = 0;
    const room = deferred<void>();
    const all = clients.map(async (client) => {
      await served(client);
      if (++count === ROOM) room.resolve();
    });
    await room.promise;
    expect(await it.weir.stderr.next()).toBe(
      `weir: accepting stops: ${ROOM} connections use all descriptors (ulimit -n ${LIMIT}); clients wait`,
    );
    await it.kit.busy(100);
    // Each thread may have taken one while another took the last.
    expect(count).toBeLessThanOrEqual(engine === "native" ? ROOM + cpus().length : ROOM);
    const waiting = clients.filter((client) => client.received === 0);
    expect(waiting.some((client) => client.closed)).toBe(false);
    for (const client of clients) if (!waiting.includes(client)) await leave(client);
    await Promise.all(all);
  },
);

test.each(["deno", "node"] as const)(
  "under %s, which cannot stop accepting, they are reset, and others are served later",
  async (name) => {
    await using it = await world(name, "portable");
    const first: Probe[] = [];
    for (let n = 0; n < ROOM; n++) first.push(await it.client());
    for (const client of first) await served(client);
    for (let n = 0; n < MORE; n++) {
      const client = await it.client().catch((error) => error);
      expect(client instanceof Probe ? await client.untilClose() : client.code).toBe("ECONNRESET");
    }
    for (const client of first) await leave(client);
    for (let n = 0; n < MORE; n++) {
      const client = await it.client();
      await served(client);
      await leave(client);
    }
  },
);
