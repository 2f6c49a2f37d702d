/** Targets behind names of DNS, while what DNS says changes: over real sockets, on each engine. */
import { describe, expect, test } from "bun:test";
import { openThreads } from "#native";
import { runtime } from "#runtime";
import { startEngine } from "../../src/engine/engine.ts";
import { formatAddress, parseAddress } from "../../src/net/address.ts";
import { toProxyConfig } from "../../src/options.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import { DnsServer, type Failure, type Zone } from "../contract/dns-server.ts";
import { Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { Watch } from "../contract/watch.ts";
import { Hosts } from "./hosts.ts";
import { ENGINES } from "./world.ts";

/** What DNS says, to be changed by the test. */
type Records = { -readonly [Name in keyof Zone]: Zone[Name] };

/** Everything that DNS and the proxy have told, and waiting for more of it. */
class Story extends Watch {
  asked = 0;
  readonly names: string[] = [];
  readonly failed: ConnectionRecord[] = [];

  /** Something has happened. */
  next(happened: () => void = () => {}): void {
    happened();
    this.wake();
  }
}

async function world(engine: "portable" | "native", records: (port: number) => Records, timeout = 20_000) {
  const kit = new Kit(runtime);
  const hosts = await Hosts.open(kit);
  const zone = records(hosts.port);
  const server = await DnsServer.start(runtime, zone);
  kit.later(() => server.close());
  const name = zone["_db._tcp.test"] ? "dns+srv://_db._tcp.test" : `dns://db.test:${hosts.port}`;
  const config = (text = name) => {
    const dns = { servers: [server.address], interval: 20, timeout };
    return toProxyConfig("127.0.0.1:0", text, { dns });
  };
  const chosen = await startEngine(runtime, openThreads, { mode: engine, workers: 1 });
  const story = new Story();
  server.onQuestion = () => story.next(() => story.asked++);
  const proxy = await chosen.engine.open(config(), {
    failed: (record) => story.next(() => story.failed.push(record)),
    targets: {
      name: (text, error) => story.next(() => story.names.push(`${text} ${error?.code ?? "is back"}`)),
      found: () => story.next(),
    },
  });
  const connect = async (): Promise<Probe> => {
    const client = new Probe(await kit.connect(parseAddress(formatAddress(proxy.address), "target")));
    client.raw = true;
    return client;
  };
  return {
    kit,
    hosts,
    zone,
    name,
    config,
    proxy,
    story,
    connect,
    /** The host behind the next connection, or the code of the error that it meets. */
    async ask(): Promise<string> {
      const client = await connect().catch(({ code }: { code: string }) => code);
      if (typeof client === "string") return client;
      await client.until(() => client.received > 0 || client.closed, "a host");
      const answer = client.closed ? String(client.error?.code) : new TextDecoder().decode(client.bytes);
      client.abort();
      return answer;
    },
    get targets(): string[] {
      return proxy.targets.map(({ address }) => address).sort();
    },
    /** Resolves when there are exactly these targets, for the threads as well. */
    async settled(targets: readonly string[]): Promise<void> {
      await story.until(() => this.targets.join() === [...targets].sort().join(), "the targets");
      // Threads are told in order: who answers this has heard of the targets.
      await proxy.connections(0);
    },
    /** Resolves when DNS has been asked so often that what it says now was heard: of A and AAAA, twice if it fails. */
    async asked(): Promise<void> {
      const goal = story.asked + 9;
      await story.until(() => story.asked >= goal, "questions");
    },
    async [Symbol.asyncDispose]() {
      proxy.cut();
      await proxy.drain();
      await chosen.engine.close();
      await kit.clean();
    },
  };
}

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("all addresses of a name are targets, of both families", async () => {
    await using it = await world(engine, () => ({ "db.test": { A: ["127.0.0.2", "127.0.0.3"], AAAA: ["::1"] } }));
    await it.settled(it.hosts.on("127.0.0.2", "127.0.0.3", "::1"));
    const seen = new Set<string>();
    for (let n = 0; n < 3; n++) seen.add(await it.ask());
    expect([...seen].sort()).toEqual(["127.0.0.2", "127.0.0.3", "::1"]);
  });

  test("they come and go with what DNS says, and live connections stay", async () => {
    await using it = await world(engine, () => ({ "db.test": { A: ["127.0.0.2"] } }));
    await it.settled(it.hosts.on("127.0.0.2"));
    const live = await it.connect();
    await live.until(() => live.received > 0, "its host");
    it.zone["db.test"] = { A: ["127.0.0.3", "127.0.0.2"] };
    await it.settled(it.hosts.on("127.0.0.2", "127.0.0.3"));
    expect([await it.ask(), await it.ask()].sort()).toEqual(["127.0.0.2", "127.0.0.3"]);
    it.zone["db.test"] = { A: ["127.0.0.4"] };
    await it.settled(it.hosts.on("127.0.0.4"));
    for (let n = 0; n < 3; n++) expect(await it.ask()).toBe("127.0.0.4");
    const target = it.hosts.arrived.get("127.0.0.2")?.[0] ?? expect.unreachable();
    live.writeText("still there?");
    await target.until(() => target.received === 12, "a question");
    target.writeText("yes");
    await live.until(() => live.received === "127.0.0.2yes".length, "the answer");
    it.zone["db.test"] = { A: ["127.0.0.2"] };
    await it.settled(it.hosts.on("127.0.0.2"));
    expect(it.proxy.targets).toMatchObject([{ active: 1 }]);
    expect(await it.ask()).toBe("127.0.0.2");
    expect(live.closed).toBe(false);
  });

  test.each<[Failure, string]>([
    ["SERVFAIL", "EAI_AGAIN"],
    ["silence", "EAI_AGAIN"],
    ["NXDOMAIN", "ENOTFOUND"],
  ])("the last good answer holds through %s", async (failure, code) => {
    const timeout = failure === "silence" ? 1_000 : undefined;
    await using it = await world(engine, () => ({ "db.test": { A: ["127.0.0.2"] } }), timeout);
    await it.settled(it.hosts.on("127.0.0.2"));
    const before = it.story.names.length;
    it.zone["db.test"] = { A: failure, AAAA: failure };
    await it.story.until(() => it.story.names.length > before, "the failure");
    await it.asked();
    expect(it.targets).toEqual(it.hosts.on("127.0.0.2"));
    for (let n = 0; n < 3; n++) expect(await it.ask()).toBe("127.0.0.2");
    it.zone["db.test"] = { A: ["127.0.0.3"] };
    await it.settled(it.hosts.on("127.0.0.3"));
    expect(await it.ask()).toBe("127.0.0.3");
    expect(it.story.names.slice(before)).toEqual([`${it.name} ${code}`, `${it.name} is back`]);
  });

  test("with a name that nobody knows clients are refused, until somebody does", async () => {
    await using it = await world(engine, () => ({}));
    expect(it.story.names).toEqual([`${it.name} ENOTFOUND`]);
    expect(await it.ask()).toBe("ECONNRESET");
    await it.story.until(() => it.story.failed.length > 0, "its record");
    expect(it.story.failed[0]).toMatchObject({ reason: "no_target", target: null });
    it.zone["db.test"] = { A: ["127.0.0.2"] };
    await it.settled(it.hosts.on("127.0.0.2"));
    expect(await it.ask()).toBe("127.0.0.2");
  });

  test("services bring ports, weights and priorities", async () => {
    await using it = await world(engine, (port) => ({
      "_db._tcp.test": {
        SRV: [
          { host: "backup.test", port, priority: 20, weight: 50 },
          { host: "one.test", port, priority: 10, weight: 2 },
          { host: "two.test", port, priority: 10, weight: 0 },
        ],
      },
      "one.test": { A: ["127.0.0.2"] },
      "two.test": { A: ["127.0.0.3"] },
      "backup.test": { A: ["127.0.0.4"] },
    }));
    const { hosts, zone } = it;
    await it.settled(hosts.on("127.0.0.2", "127.0.0.3", "127.0.0.4"));
    const views = it.proxy.targets.map(({ address, weight, backup }) => [address, weight, backup].join());
    const [one, two, three] = hosts.on("127.0.0.2", "127.0.0.3", "127.0.0.4");
    expect(views).toEqual([`${one},2,false`, `${two},1,false`, `${three},50,true`]);
    const counts: Record<string, number> = {};
    for (let n = 0; n < 9; n++) {
      const host = await it.ask();
      counts[host] = (counts[host] ?? 0) + 1;
    }
    expect(counts).toEqual({ "127.0.0.2": 6, "127.0.0.3": 3 });
    await hosts.stop("127.0.0.2");
    for (let n = 0; n < 4; n++) expect(await it.ask()).toBe("127.0.0.3");
    await hosts.stop("127.0.0.3");
    for (let n = 0; n < 4; n++) expect(await it.ask()).toBe("127.0.0.4");
    // The backup becomes the only one, on another port: there nobody listens.
    zone["_db._tcp.test"] = { SRV: [{ host: "backup.test", port: 1, priority: 20, weight: 1 }] };
    await it.settled(["127.0.0.4:1"]);
    expect(it.proxy.targets).toMatchObject([{ backup: false, weight: 1 }]);
    expect(await it.ask()).toBe("ECONNRESET");
  });

  test("a service on a host that cannot be resolved does not hold back the others", async () => {
    const at = (host: string, port: number) => ({ host, port, priority: 1, weight: 1 });
    await using it = await world(engine, (port) => ({
      "_db._tcp.test": { SRV: [at("one.test", port), at("none.test", port)] },
      "one.test": { A: ["127.0.0.2"] },
    }));
    const { hosts, zone } = it;
    await it.settled(hosts.on("127.0.0.2"));
    expect(it.story.names).toEqual([`${it.name} ENOTFOUND`]);
    // One that was known keeps the addresses that it had.
    zone["one.test"] = { A: "SERVFAIL", AAAA: "SERVFAIL" };
    zone["none.test"] = { A: ["127.0.0.3"] };
    await it.settled(hosts.on("127.0.0.2", "127.0.0.3"));
    await it.asked();
    expect([await it.ask(), await it.ask()].sort()).toEqual(["127.0.0.2", "127.0.0.3"]);
    zone["_db._tcp.test"] = { SRV: [at("none.test", hosts.port)] };
    await it.settled(hosts.on("127.0.0.3"));
    expect(it.story.names.at(-1)).toBe(`${it.name} is back`);
  });

  test("another configuration with the same names keeps what DNS has said, even while DNS is down", async () => {
    await using it = await world(engine, () => ({ "db.test": { A: ["127.0.0.2"] } }));
    await it.settled(it.hosts.on("127.0.0.2"));
    it.zone["db.test"] = { A: "SERVFAIL", AAAA: "SERVFAIL" };
    await it.story.until(() => it.story.names.at(-1) === `${it.name} EAI_AGAIN`, "the failure");
    for (const name of [it.name, `${it.name},max_connections=5`]) {
      it.proxy.configure(it.config(name));
      expect(it.targets).toEqual(it.hosts.on("127.0.0.2"));
      await it.asked();
      expect(it.targets).toEqual(it.hosts.on("127.0.0.2"));
      expect(await it.ask()).toBe("127.0.0.2");
    }
    it.zone["db.test"] = { A: ["127.0.0.2", "127.0.0.3"] };
    await it.settled(it.hosts.on("127.0.0.2", "127.0.0.3"));
    expect(it.proxy.targets.map(({ maxConnections }) => maxConnections)).toEqual([5, 5]);
  });
});
