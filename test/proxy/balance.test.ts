/** Several targets: who is chosen, who is left alone, and who comes next; over real sockets, on each engine. */
import { describe, expect, test } from "bun:test";
import { runtime } from "#runtime";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import { type ConnectionRecord, Proxy, type ProxyOptions } from "../../src/index.ts";
import { parseAddress } from "../../src/net/address.ts";
import type { Listener } from "../../src/net/runtime.ts";
import { deferred, Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { ENGINES } from "./world.ts";

/** A target that says its number to whoever connects, and can be stopped and started again. */
class Numbered {
  readonly address: string;
  readonly #kit: Kit;
  readonly #number: number;
  #listener: Listener | undefined;

  constructor(kit: Kit, number: number) {
    this.#kit = kit;
    this.#number = number;
    // A path: a port that is free for a while may be somebody else's by then.
    this.address = `unix:${kit.directory()}/target-${number}.sock`;
  }

  async start(): Promise<this> {
    this.#listener = await this.#kit.listen(parseAddress(this.address, "listen"), (socket) => {
      const probe = new Probe(socket);
      probe.raw = true;
      probe.writeText(String(this.#number));
    });
    return this;
  }

  async stop(): Promise<void> {
    await this.#listener?.close();
  }
}

async function world(engine: "portable" | "native", count: number, options: ProxyOptions, suffixes: string[] = []) {
  const kit = new Kit(runtime);
  const targets = await Promise.all(Array.from({ length: count }, (_, n) => new Numbered(kit, n).start()));
  const texts = targets.map(({ address }, n) => `${address}${suffixes[n] ?? ""}`);
  const proxy = await Proxy.bind("127.0.0.1:0", texts, { engine, ...options });
  const records: ConnectionRecord[] = [];
  const told = new Set<() => void>();
  for (const event of ["closed", "failed"] as const) {
    proxy.on(event, (record) => {
      records.push(record);
      for (const wake of told) wake();
    });
  }
  let asked = 0;
  const connect = async (from?: string) => {
    const client = new Probe(await kit.connect(parseAddress(proxy.address, "target"), { source: from }));
    client.raw = true;
    return client;
  };
  return {
    proxy,
    targets,
    connect,
    /** The last record, once there are so many. */
    async recordNo(count: number): Promise<ConnectionRecord | undefined> {
      while (records.length < count) {
        const more = deferred<void>();
        told.add(more.resolve);
        await more.promise;
        told.delete(more.resolve);
      }
      return records[count - 1];
    },
    get asked(): number {
      return asked;
    },
    /** The number of the target behind the next connection, which is left open or not; or the error. */
    async ask(keep = false, from?: string): Promise<string> {
      asked++;
      const client = await connect(from).catch(({ code }: { code: string }) => code);
      // Refused before this end knew that it was connected.
      if (typeof client === "string") return client;
      await client.until(() => client.received > 0 || client.closed, "a number");
      const answer = client.closed ? String(client.error?.code) : new TextDecoder().decode(client.bytes);
      if (!keep) client.abort();
      return answer;
    },
    async [Symbol.asyncDispose]() {
      await proxy.shutdown();
      await kit.clean();
    },
  };
}

/** Calls until what comes is wanted: what the control plane says takes effect a moment later. */
async function eventually(wanted: string, call: () => Promise<string>): Promise<void> {
  for (let got = ""; got !== wanted; ) got = await call();
}

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("connections go round, by weight", async () => {
    await using it = await world(engine, 3, {}, ["", ",weight=2", ",weight=0"]);
    const counts: Record<string, number> = { 0: 0, 1: 0, 2: 0 };
    for (let n = 0; n < 12; n++) {
      const number = await it.ask();
      counts[number] = (counts[number] ?? 0) + 1;
    }
    expect(Object.values(counts)).toEqual([4, 8, 0]);
  });

  test("the less busy target is next", async () => {
    await using it = await world(engine, 2, { balance: "least_connections" });
    const counts: Record<string, number> = { 0: 0, 1: 0 };
    for (let n = 0; n < 8; n++) {
      const number = await it.ask(true);
      counts[number] = (counts[number] ?? 0) + 1;
    }
    expect(Object.values(counts)).toEqual([4, 4]);
    expect(it.proxy.targets.map(({ active }) => active)).toEqual([4, 4]);
  });

  test("a client finds the same target again", async () => {
    await using it = await world(engine, 5, { balance: "source_hash" });
    const seen = new Set<string>();
    for (let host = 1; host <= 20; host++) {
      const number = await it.ask(false, `127.0.0.${host}`);
      expect(await it.ask(false, `127.0.0.${host}`)).toBe(number);
      seen.add(number);
    }
    expect(seen.size).toBeGreaterThan(2);
  });

  test("a target that cannot be connected is passed over, and a backup stands in for all", async () => {
    await using it = await world(engine, 3, {}, ["", "", ",backup"]);
    await it.targets[0]?.stop();
    for (let n = 0; n < 8; n++) expect(await it.ask()).toBe("1");
    await it.targets[1]?.stop();
    for (let n = 0; n < 8; n++) expect(await it.ask()).toBe("2");
    await it.targets[2]?.stop();
    expect(await it.ask()).toBe("ECONNRESET");
    const last = await it.recordNo(it.asked);
    expect(last).toMatchObject({ reason: "connect_refused" });
    // All have failed of late, and still each of them was tried.
    expect(last?.retries).toBe(2);
  });

  test("those that fail are left alone, and tried again when there is nobody else", async () => {
    await using it = await world(engine, 2, {});
    await it.targets[0]?.stop();
    for (let n = 0; n < 8; n++) expect(await it.ask()).toBe("1");
    expect((await it.recordNo(8))?.retries).toBe(0);
    await it.targets[1]?.stop();
    expect(await it.ask()).toBe("ECONNRESET");
    await it.targets[0]?.start();
    expect(await it.ask()).toBe("0");
  });

  test("a drained target gets nobody new and keeps whom it has", async () => {
    await using it = await world(engine, 2, {});
    const [one, two] = [await it.connect(), await it.connect()];
    for (const client of [one, two]) await client.until(() => client.received > 0, "a number");
    const first = it.targets[0]?.address ?? "";
    it.proxy.setTarget(first, { state: "drain" });
    for (let n = 0; n < 6; n++) expect(await it.ask()).toBe("1");
    expect([one.closed, two.closed]).toEqual([false, false]);
    expect(it.proxy.targets.map(({ state }) => state)).toEqual(["drain", "ready"]);
    it.proxy.setTarget(first, { state: "ready", weight: 1_000 });
    expect(await it.ask()).toBe("0");
    expect(() => it.proxy.setTarget("10.0.0.1:1", {})).toThrow("There is no target 10.0.0.1:1");
  });

  test("with every target disabled a client is refused, and told why in the record", async () => {
    await using it = await world(engine, 1, {});
    it.proxy.setTarget(it.targets[0]?.address ?? "", { state: "disabled" });
    await eventually("ECONNRESET", () => it.ask());
    expect(await it.recordNo(it.asked)).toMatchObject({ reason: "no_target", target: null });
  });

  test("health checks take a target out and put it back", async () => {
    const health = { interval: 10, timeout: 2_000, rise: 2, fall: 2, expect: "0" };
    await using it = await world(engine, 2, { health });
    // The second one says "1": its very first check says so.
    const settled = () => it.proxy.targets.map(({ healthy }) => healthy).join();
    while (settled() !== "true,false") await it.ask();
    expect(it.proxy.targets[1]?.check).toBe('no "0" within 2000 ms');
    for (let n = 0; n < 6; n++) expect(await it.ask()).toBe("0");
    await it.targets[0]?.stop();
    while (settled() !== "false,false") await it.ask();
    await eventually("ECONNRESET", () => it.ask());
    expect(await it.recordNo(it.asked)).toMatchObject({ reason: "no_target" });
    await it.targets[0]?.start();
    while (settled() !== "true,false") await it.ask();
    expect(await it.ask()).toBe("0");
  }, 20_000);

  test("one connection can be closed by its id", async () => {
    await using it = await world(engine, 1, {});
    const client = await it.connect();
    await client.until(() => client.received > 0, "a number");
    const [connection] = await it.proxy.connections();
    const ended = deferred<ConnectionRecord>();
    it.proxy.on("closed", (record) => ended.resolve(record));
    expect(await it.proxy.closeConnection(connection?.id ?? -1)).toBe(true);
    expect(await it.proxy.closeConnection(987_654)).toBe(false);
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await ended.promise).toMatchObject({ reason: "closed_by_admin" });
  });
});

test("targets are written as on the command line, and a wrong one is told", async () => {
  expect(Proxy.bind("127.0.0.1:0", [])).rejects.toThrow("There is no target");
  expect(Proxy.bind("127.0.0.1:0", ["127.0.0.1:1,wieght=2"])).rejects.toThrow('did you mean "weight"?');
});
