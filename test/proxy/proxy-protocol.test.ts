/** Connections that begin with a PROXY header: who is behind them, and what becomes of their bytes; on each engine. */
import { describe, expect, test } from "bun:test";
import { runtime } from "#runtime";
import type { ProxyOptions } from "../../src/index.ts";
import { formatAddress } from "../../src/net/address.ts";
import type { StreamSocket } from "../../src/net/runtime.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { begin, bytesOf, LOCAL, v1Ipv4, v2, v2Ipv4 } from "./headers.ts";
import { ENGINES, World } from "./world.ts";

const IPV6 = [0x20, 0x01, 0x0d, 0xb8, ...new Uint8Array(11), 7, ...new Uint8Array(15), 1, 0x13, 0x88, 0x01, 0xbb];
const TLVS = [4, 0, 2, 9, 9, 0xea, 0, 1, 7];

const PROXIED: readonly (readonly [name: string, header: Uint8Array, client: string])[] = [
  ["version 1, IPv4", v1Ipv4("203.0.113.7"), "203.0.113.7:5000"],
  ["version 1, IPv6", bytesOf("PROXY TCP6 2001:DB8::7 ::1 5000 443\r\n"), "[2001:db8::7]:5000"],
  ["version 2, IPv4", v2Ipv4("203.0.113.7", 65_535, "198.51.100.1", 443), "203.0.113.7:65535"],
  ["version 2, IPv6", v2(0x21, 0x21, IPV6), "[2001:db8::7]:5000"],
  ["version 2 with TLVs", v2Ipv4("203.0.113.7", 1, "198.51.100.1", 443, TLVS), "203.0.113.7:1"],
];

const ITS_OWN: readonly (readonly [name: string, header: Uint8Array, client?: string])[] = [
  ["UNKNOWN", bytesOf("PROXY UNKNOWN\r\n")],
  ["UNKNOWN, whatever follows", bytesOf("PROXY UNKNOWN 203.0.113.7 198.51.100.1 5000 443\r\n")],
  ["LOCAL", v2(LOCAL, 0x11, [203, 0, 113, 7, 198, 51, 100, 1, 0x13, 0x88, 0x01, 0xbb])],
  ["an unspecified family", v2(0x21, 0x00, [])],
];

describe.each(ENGINES)("on the %s engine", (engine) => {
  const world = (options: ProxyOptions = {}, target?: string[]) => {
    const proxyProtocol = { acceptFrom: ["127.0.0.0/8"], timeout: 0, ...options.proxyProtocol };
    return World.with(engine, { ...options, proxyProtocol }, target);
  };

  test.each(PROXIED)("%s: the record and the list have the address that it carries", async (_, header, name) => {
    await using it = await world();
    const client = await it.client();
    begin(client, header, 100);
    const target = await it.target();
    target.resume();
    await target.until(() => target.received === 100, "the bytes behind the header");
    target.write(50);
    await client.until(() => client.received === 50, "the answer");
    expect(await it.proxy.connections()).toMatchObject([{ client: name, state: "open", bytesUpstream: 100 }]);
    client.finish();
    await target.untilEnd();
    target.finish();
    const ended = { client: name, reason: "client_closed", rule: null, error: null };
    const moved = { bytesUpstream: 100, bytesDownstream: 50, undeliveredUpstream: 0, undeliveredDownstream: 0 };
    expect(await it.record()).toMatchObject({ ...ended, ...moved });
    expect(it.proxy.metrics()).toMatchObject({ connectionsActive: 0, bytesUpstream: 100, bytesDownstream: 50 });
  });

  test.each(ITS_OWN)("%s: the connection speaks for itself", async (_, header) => {
    await using it = await world();
    const client = await it.client("127.0.0.9");
    const name = formatAddress(client.socket.local);
    begin(client, header, 10);
    const target = await it.target();
    target.resume();
    await target.until(() => target.received === 10, "the bytes behind the header");
    expect(await it.proxy.connections()).toMatchObject([{ client: name }]);
    client.abort();
    expect(await it.record()).toMatchObject({ client: name, reason: "client_reset", bytesUpstream: 10 });
  });

  test.each([...PROXIED, ...ITS_OWN])("%s may be cut anywhere", async (_, header) => {
    await using it = await world();
    for (let cut = 1; cut < header.length; cut++) {
      const client = await it.client();
      begin(client, header.subarray(0, cut));
      // Time for the first part to be read alone, without which this would be the case below.
      await it.inState("waiting", 1);
      await it.kit.busy(2);
      begin(client, header.subarray(cut), 10);
      const target = await it.target();
      target.resume();
      await target.until(() => target.received === 10, "the bytes behind the header");
      client.abort();
      expect(await it.record()).toMatchObject({ reason: "client_reset", bytesUpstream: 10 });
    }
    const client = await it.client();
    for (const byte of header) begin(client, Uint8Array.of(byte));
    for (let n = 0; n < 300; n++) client.write(1);
    const target = await it.target();
    target.resume();
    await target.until(() => target.received === 300, "the bytes behind the header");
  });

  test("a header with nothing behind it is enough: the target may speak first", async () => {
    await using it = await world();
    const client = await it.client();
    begin(client, v1Ipv4("203.0.113.7"));
    const target = await it.target();
    target.resume();
    target.write(20);
    await client.until(() => client.received === 20, "a greeting");
    client.write(30);
    await target.until(() => target.received === 30, "the answer");
  });

  test.each<[string, Uint8Array, string]>([
    ["no header", bytesOf("GET / HTTP/1.1\r\n\r\n"), "no PROXY header"],
    ["another version", v2(0x31, 0x11, []), "version 3 in a binary header; only 2 is known"],
    ["a word that is no address", bytesOf("PROXY TCP4 me you 1 2\r\n"), '"me" is not an IPv4 address'],
    ["no end", bytesOf("PROXY TCP4 ".padEnd(200, "1")), "no CRLF within 107 bytes"],
    ["too few bytes", v2(0x21, 0x11, [1, 2, 3]), "3 bytes are too few for two IPv4 addresses"],
    ["too many bytes", v2(0x21, 0x11, Array(5_000).fill(0)), "a header of 5016 bytes; 4112 are allowed"],
    ["a broken checksum", v2Ipv4("1.2.3.4", 5, "6.7.8.9", 10, [3, 0, 4, 1, 2, 3, 4]), "the checksum is wrong"],
  ])("%s: closed, and the record says why", async (_, bytes, why) => {
    await using it = await world();
    const client = await it.client();
    const name = formatAddress(client.socket.local);
    begin(client, bytes, 1_000);
    expect(await client.untilClose()).toBe("ECONNRESET");
    const told = { client: name, target: null, reason: "bad_header", rule: `PROXY header: ${why}`, error: null };
    expect(await it.record()).toMatchObject({ ...told, bytesUpstream: 0, connectTime: null });
    expect(it.proxy.metrics()).toMatchObject({ connectionsActive: 0, connectionsTotal: 1, bytesUpstream: 0 });
  });

  test("where refused clients get a FIN, one with a bad header does", async () => {
    await using it = await world({ refuse: "close" });
    const client = await it.client();
    begin(client, bytesOf("EHLO\r\n"), 100_000);
    await client.untilEnd();
    client.finish();
    expect(await client.untilClose()).toBeUndefined();
    expect(await it.record()).toMatchObject({ reason: "bad_header", rule: "PROXY header: no PROXY header" });
    const silent = await it.client();
    silent.finish();
    expect(await silent.untilClose()).toBeUndefined();
    expect(await it.record()).toMatchObject({ reason: "bad_header" });
  });

  test.each([0, 1, 20])("a header of which %p bytes come in time is none", async (bytes) => {
    await using it = await world({ proxyProtocol: { timeout: 20 } });
    const late = await it.refusal((client) => begin(client, v1Ipv4("203.0.113.7").subarray(0, bytes)));
    expect(late).toBe("ECONNRESET");
    expect(await it.record()).toMatchObject({ reason: "bad_header", rule: "PROXY header: none in time" });
  });

  test.each([0, 1, 20])("a FIN after %p bytes of a header: there will be none", async (bytes) => {
    await using it = await world();
    const client = await it.client();
    begin(client, v1Ipv4("203.0.113.7").subarray(0, bytes));
    client.finish();
    expect(await client.untilClose()).toBe("ECONNRESET");
    const rule = "PROXY header: the client finished before it was complete";
    expect(await it.record()).toMatchObject({ reason: "bad_header", rule, target: null });
  });

  test.each([0, 1, 20])("a reset after %p bytes of a header: the client is gone", async (bytes) => {
    await using it = await world();
    const client = await it.client();
    const name = formatAddress(client.socket.local);
    begin(client, v1Ipv4("203.0.113.7").subarray(0, bytes));
    await it.inState("waiting", 1);
    client.abort();
    const told = { client: name, target: null, reason: "client_gone", rule: null, error: "ECONNRESET" };
    expect(await it.record()).toMatchObject({ ...told, bytesUpstream: 0 });
    expect(await it.proxy.connections()).toEqual([]);
  });

  test("one who is waited for is cut by the end of its lifetime, by hand, and by the end of the proxy", async () => {
    await using brief = await world({ timeouts: { lifetime: 20 } });
    expect(await brief.refusal()).toBe("ECONNRESET");
    expect(await brief.record()).toMatchObject({ reason: "lifetime", target: null });
    await using it = await world();
    await it.client();
    await it.inState("waiting", 1);
    const [connection] = await it.proxy.connections();
    expect(await it.proxy.closeConnection(connection?.id ?? 0)).toBe(true);
    expect(await it.record()).toMatchObject({ reason: "closed_by_admin" });
    await it.client();
    await it.inState("waiting", 1);
    await it.proxy.shutdown();
    expect(await it.record()).toMatchObject({ reason: "shutdown" });
  });

  test("from a source that is not listed the bytes are relayed as they are", async () => {
    await using it = await world({ proxyProtocol: { acceptFrom: ["127.0.0.9", "::/0"] } });
    for (const header of [v1Ipv4("203.0.113.7"), v2Ipv4("203.0.113.7", 1, "198.51.100.1", 2), bytesOf("PROX")]) {
      const client = await it.client();
      const name = formatAddress(client.socket.local);
      begin(client, header);
      client.finish();
      const target = await it.target();
      target.raw = true;
      target.resume();
      await target.untilEnd();
      expect(target.bytes).toEqual(header);
      target.finish();
      expect(await it.record()).toMatchObject({ client: name, bytesUpstream: header.length });
    }
    const listed = await it.client("127.0.0.9");
    begin(listed, v1Ipv4("203.0.113.7"));
    listed.finish();
    (await it.target()).finish();
    expect(await it.record()).toMatchObject({ client: "203.0.113.7:5000", bytesUpstream: 0 });
  });

  test("ranges are about the address that is carried", async () => {
    await using it = await world({ deny: ["203.0.113.0/24", "127.0.0.0/8", "2001:db8::/32"] });
    for (const [_, header, name] of PROXIED) {
      expect(await it.refusal((client) => begin(client, header, 10))).toBe("ECONNRESET");
      const rule = name.startsWith("[") ? "deny 2001:db8::/32" : "deny 203.0.113.0/24";
      const early = { bytesUpstream: 10, undeliveredUpstream: 10 };
      expect(await it.record()).toMatchObject({ client: name, reason: "denied", rule, ...early });
    }
    expect(await it.refusal((client) => begin(client, v2(LOCAL, 0, [])))).toBe("ECONNRESET");
    expect(await it.record()).toMatchObject({ reason: "denied", rule: "deny 127.0.0.0/8" });
    const client = await it.client();
    begin(client, v1Ipv4("192.0.2.1"), 5);
    const target = await it.target();
    target.resume();
    await target.until(() => target.received === 5, "the bytes");
  });

  test.each([1, 2])("limits of one source are those of the address that is carried; workers: %p", async (workers) => {
    const enter = async (it: World, source: string, peer: string) => {
      const client = await it.client(peer);
      begin(client, v1Ipv4(source));
      await it.target();
      return client;
    };
    const refused = async (it: World, rule: RegExp) => {
      expect(await it.refusal((client) => begin(client, v1Ipv4("203.0.113.7")))).toBe("ECONNRESET");
      const { client, rule: told } = await it.record();
      expect(client).toBe("203.0.113.7:5000");
      expect(told).toMatch(rule);
    };
    await using few = await world({ workers, maxConnectionsPerSource: 2 });
    const first = await enter(few, "203.0.113.7", "127.0.0.2");
    await enter(few, "203.0.113.7", "127.0.0.3");
    await refused(few, /^max_connections_per_source 2$/);
    for (const last of [1, 2, 3, 4]) await enter(few, `192.0.2.${last}`, "127.0.0.2");
    first.abort();
    await few.record();
    await enter(few, "203.0.113.7", "127.0.0.4");
    await using slow = await world({ workers, rate: { connectionsPerSource: "1/h", burst: 2 } });
    for (const peer of ["127.0.0.2", "127.0.0.3"]) await enter(slow, "203.0.113.7", peer);
    await refused(slow, /^rate\.connections_per_source /);
    for (const last of [1, 2, 3, 4]) await enter(slow, `192.0.2.${last}`, "127.0.0.2");
  });

  test("under source_hash a client finds the same target again, whoever speaks for it", async () => {
    const kit = new Kit(runtime);
    const accept = (socket: StreamSocket) => {
      const target = new Probe(socket);
      void target.untilEnd().then(() => target.finish());
    };
    const listening = await Promise.all([1, 2, 3, 4, 5].map(() => kit.listen(LOOPBACK, accept)));
    const targets = listening.map(({ address }) => formatAddress(address));
    await using it = await world({ balance: "source_hash" }, targets);
    const seen = new Set<string | null>();
    for (let last = 1; last <= 20; last++) {
      const found: (string | null)[] = [];
      for (const peer of ["127.0.0.2", "127.0.0.3"]) {
        const client = await it.client(peer);
        begin(client, v1Ipv4(`203.0.113.${last}`, 5_000 + found.length));
        client.finish();
        found.push((await it.record()).target);
      }
      expect(found[0]).toBe(found[1] ?? "");
      seen.add(found[0] ?? null);
    }
    expect(seen.size).toBeGreaterThan(2);
    await kit.clean();
  });
});
