/** Targets that are chosen by what TLS clients say first: who gets whom, and no byte lost or changed; on each engine. */
import { describe, expect, test } from "bun:test";
import type { ProxyOptions } from "../../src/index.ts";
import { extension, helloFor, hostNames, message, records } from "../tls/hellos.ts";
import { bytesOf, v1Ipv4 } from "./headers.ts";
import { Routed } from "./routed.ts";
import { ENGINES, World } from "./world.ts";

const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const ALERT = (code: number) => Uint8Array.of(21, 3, 3, 0, 2, 2, code);
const A = helloFor("a.example");

describe.each(ENGINES)("on the %s engine", (engine) => {
  const routed = (options: readonly string[], more: ProxyOptions = {}) => Routed.with(engine, options, more);

  test("each name and each protocol has its target, which gets the bytes as they were", async () => {
    await using it = await routed(["sni=a.example", "sni=*.example", "alpn=h2", ""]);
    await it.meets(0, A);
    await it.meets(1, helloFor("b.example", "h2"));
    await it.meets(1, helloFor("x.y.example"));
    await it.meets(2, helloFor("a.test", "h2", "http/1.1"));
    await it.meets(3, helloFor("a.test", "http/1.1"));
    await it.meets(3, helloFor(undefined));
    await it.meets(3, bytesOf("SSH-2.0-me\r\n"));
    await it.meets(3, bytesOf("G"));
    await it.meets(0, join(A, new Uint8Array(300_000).fill(1)));
    expect(it.strays).toBe(0);
  });

  test("the record and the list have the name, and null where there is none", async () => {
    await using it = await routed(["sni=a.example", ""]);
    const client = await it.client(helloFor("A.Example."));
    const target = await it.target(0);
    await it.world.inState("open", 1);
    expect(await it.world.proxy.connections()).toMatchObject([{ serverName: "a.example", state: "open" }]);
    client.abort();
    await target.untilClose();
    expect(await it.world.record()).toMatchObject({ serverName: "a.example", reason: "client_reset" });
    (await it.client(bytesOf("plain"))).finish();
    (await it.target(1)).finish();
    expect(await it.world.record()).toMatchObject({ serverName: null });
  });

  test("a hello may be cut anywhere, over segments and records, and no target is connected before it is whole", async () => {
    await using it = await routed(["sni=a.example", "sni=b.example"]);
    const hello = message({ extensions: [extension(21, Array(60).fill(0)), hostNames("b.example")] });
    for (const bytes of [records(hello), records(hello, 7)]) {
      for (const cut of [1, 2, 4, 5, 6, 9, 50, bytes.length - 1]) {
        const client = await it.client(bytes.subarray(0, cut));
        await it.world.inState("waiting", 1);
        await it.world.kit.busy(5);
        expect(await it.world.proxy.connections()).toMatchObject([{ state: "waiting", target: null }]);
        client.socket.write(bytes.subarray(cut));
        const target = await it.target(1);
        await target.until(() => target.received === bytes.length, "the hello");
        expect(target.bytes).toEqual(bytes);
        client.abort();
        expect(await it.world.record()).toMatchObject({ reason: "client_reset", bytesUpstream: bytes.length });
      }
    }
    const bytes = records(hello, 1);
    const client = await it.client(...Array.from(bytes, (byte) => Uint8Array.of(byte)));
    const target = await it.target(1);
    await target.until(() => target.received === bytes.length, "the hello");
    expect(target.bytes).toEqual(bytes);
    client.abort();
    expect(it.strays).toBe(0);
  });

  test("a PROXY header first, then the hello: in one segment, and byte by byte", async () => {
    const proxyProtocol = { acceptFrom: ["127.0.0.0/8"], timeout: 0 };
    await using it = await routed(["sni=a.example", ""], { proxyProtocol });
    const header = v1Ipv4("203.0.113.7");
    const tail = new Uint8Array(5_000).fill(9);
    const all = join(header, A, tail);
    const ways = [[all], [header, join(A, tail)], [join(header, A.subarray(0, 20)), join(A.subarray(20), tail)]];
    for (const parts of [...ways, Array.from(all, (byte) => Uint8Array.of(byte))]) {
      const client = await it.client();
      for (const part of parts) {
        client.socket.write(part);
        if (parts.length < 5) await it.world.kit.busy(5);
      }
      const target = await it.target(0);
      await target.until(() => target.received === A.length + tail.length, "all of it");
      expect(target.bytes).toEqual(join(A, tail));
      await it.world.inState("open", 1);
      expect(await it.world.proxy.connections()).toMatchObject([
        { client: "203.0.113.7:5000", serverName: "a.example" },
      ]);
      client.finish();
      await target.untilEnd();
      target.finish();
      const moved = { bytesUpstream: A.length + tail.length, undeliveredUpstream: 0 };
      expect(await it.world.record()).toMatchObject({ client: "203.0.113.7:5000", ...moved });
    }
  });

  test.each<[string, Uint8Array, string, number]>([
    ["an unknown name", helloFor("c.example"), "no target is for its server name", 112],
    ["no name", helloFor(undefined), "no target is for clients without a server name", 109],
    ["an IP address", helloFor("127.0.0.1"), "no target is for clients without a server name", 109],
    ["other protocols", helloFor("a.example", "h3"), "no target is for its protocols (ALPN)", 120],
  ])("%s: refused with an alert, counted, and the record says why", async (_, bytes, rule, code) => {
    await using it = await routed(["sni=a.example,alpn=h2", "sni=b.example"]);
    const client = await it.client(bytes);
    await client.untilEnd();
    expect(client.bytes).toEqual(ALERT(code));
    client.finish();
    expect(await client.untilClose()).toBeUndefined();
    const lost = { bytesUpstream: bytes.length, undeliveredUpstream: bytes.length, bytesDownstream: 0 };
    expect(await it.world.record()).toMatchObject({ reason: "no_route", rule, target: null, error: null, ...lost });
    expect(it.strays).toBe(0);
  });

  test("a client that takes the alert and stays is let go", async () => {
    await using it = await routed(["sni=b.example"]);
    const client = await it.client(A);
    await client.untilEnd();
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await it.world.record()).toMatchObject({ reason: "no_route", serverName: "a.example" });
  });

  test.each<[string, Uint8Array, string, string]>([
    ["HTTP", bytesOf("GET / HTTP/1.1\r\n\r\n"), "no_tls", "no TLS: HTTP"],
    ["an SSLv2 hello", bytesOf("\x80\x2e\x01\x00\x02\x00\x15"), "no_tls", "no TLS: an SSLv2 hello"],
    ["something else", bytesOf("EHLO me\r\n"), "no_tls", "no TLS: something else"],
    ["another message", records(message({}, 2)), "bad_hello", "ClientHello: a message of type 2, and no ClientHello"],
    [
      "no end",
      records([1, 0, 250, 0, ...Array(64_000).fill(0)], 1),
      "bad_hello",
      "ClientHello: no end within 65536 bytes",
    ],
  ])("%s where all targets are for TLS clients: refused by name", async (_, bytes, reason, rule) => {
    await using it = await routed(["sni=a.example", "alpn=h2"]);
    const client = await it.client(bytes);
    expect(await client.untilClose()).toBe("ECONNRESET");
    const record = await it.world.record();
    expect(record).toMatchObject({ reason, rule, target: null, serverName: null });
    expect(record.undeliveredUpstream).toBe(record.bytesUpstream);
    expect(it.strays).toBe(0);
  });

  test("broken TLS is refused even where plain clients are welcome", async () => {
    await using it = await routed(["sni=a.example", ""]);
    const client = await it.client(records([1, 0, 0, 0]));
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await it.world.record()).toMatchObject({ reason: "bad_hello", rule: "ClientHello: it is empty" });
  });

  test.each([0, 1, 5, 60])("a hello of which %p bytes come in time is none", async (count) => {
    await using it = await routed(["sni=a.example", ""], { timeouts: { hello: 20 } });
    const client = await it.client(A.subarray(0, count));
    expect(await client.untilClose()).toBe("ECONNRESET");
    const lost = { bytesUpstream: count, undeliveredUpstream: count };
    expect(await it.world.record()).toMatchObject({ reason: "bad_hello", rule: "ClientHello: none in time", ...lost });
  });

  test.each([0, 1, 5, 60])("a FIN after %p bytes of a hello: there will be none", async (count) => {
    await using it = await routed(["sni=a.example"]);
    const client = await it.client(A.subarray(0, count));
    client.finish();
    expect(await client.untilClose()).toBe("ECONNRESET");
    const rule = "ClientHello: the client finished before it was complete";
    expect(await it.world.record()).toMatchObject({ reason: "bad_hello", rule, undeliveredUpstream: count });
  });

  test.each([0, 1, 5, 60])("a reset after %p bytes of a hello: the client is gone", async (count) => {
    await using it = await routed(["sni=a.example"]);
    const client = await it.client(A.subarray(0, count));
    await it.world.inState("waiting", 1);
    client.abort();
    expect(await it.world.record()).toMatchObject({ reason: "client_gone", error: "ECONNRESET", target: null });
  });

  test("a FIN right behind the hello is passed on", async () => {
    await using it = await routed(["sni=a.example"]);
    const client = await it.client(A);
    client.finish();
    const target = await it.target(0);
    await target.untilEnd();
    expect(target.bytes).toEqual(A);
    target.finish();
    expect(await client.untilClose()).toBeUndefined();
    expect(await it.world.record()).toMatchObject({ reason: "client_closed", undeliveredUpstream: 0 });
  });

  test("who is waited for is cut by the end of its lifetime, by hand, and by the end of the proxy", async () => {
    await using brief = await routed(["sni=a.example"], { timeouts: { lifetime: 20 } });
    expect(await (await brief.client(A.subarray(0, 9))).untilClose()).toBe("ECONNRESET");
    expect(await brief.world.record()).toMatchObject({ reason: "lifetime", bytesUpstream: 9, undeliveredUpstream: 9 });
    await using it = await routed(["sni=a.example"]);
    await it.client(A.subarray(0, 9));
    await it.world.inState("waiting", 1);
    const [connection] = await it.world.proxy.connections();
    expect(await it.world.proxy.closeConnection(connection?.id ?? 0)).toBe(true);
    expect(await it.world.record()).toMatchObject({ reason: "closed_by_admin" });
    await it.client();
    await it.world.inState("waiting", 1);
    await it.world.proxy.shutdown();
    expect(await it.world.record()).toMatchObject({ reason: "shutdown" });
  });

  test("clients that are shut out are not asked, and those that are asked count for their source", async () => {
    await using shut = await routed(["sni=a.example"], { deny: ["127.0.0.0/8"] });
    expect(await shut.world.refusal()).toBe("ECONNRESET");
    expect(await shut.world.record()).toMatchObject({ reason: "denied", serverName: null });
    await using few = await routed(["sni=a.example"], { maxConnectionsPerSource: 1 });
    await few.client(A.subarray(0, 3));
    await few.world.inState("waiting", 1);
    expect(await few.world.refusal()).toBe("ECONNRESET");
    expect(await few.world.record()).toMatchObject({ reason: "denied", rule: "max_connections_per_source 1" });
  });

  test("a target that is down is followed by another for the same name, never by one for others", async () => {
    await using it = await routed(["sni=a.example", "sni=b.example", "sni=b.example", ""], { balance: "first" });
    const [, , , rest] = it.addresses;
    await it.meets(1, helloFor("b.example"));
    const down = await World.with(engine, {}, ["127.0.0.1:1,sni=a.example", `${rest},sni=b.example`]);
    const client = await down.client();
    client.raw = true;
    client.socket.write(A);
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await down.record()).toMatchObject({ reason: "connect_refused", serverName: "a.example", retries: 0 });
    await down[Symbol.asyncDispose]();
    await using both = await World.with(engine, { balance: "first" }, [
      "127.0.0.1:1,sni=b.example",
      `${rest},sni=*.example`,
      `${it.addresses[2]},sni=b.example`,
    ]);
    const second = await both.client();
    second.raw = true;
    second.socket.write(helloFor("b.example"));
    await it.target(2);
    await both.inState("open", 1);
    expect(await both.proxy.connections()).toMatchObject([{ target: it.addresses[2] ?? "", retries: 1 }]);
  });

  test.each([1, 2])("a site that is full keeps nobody from another one; workers: %p", async (workers) => {
    await using it = await routed(["sni=a.example,max_connections=1", "sni=b.example"], { workers });
    const first = await it.client(A);
    const target = await it.target(0);
    const waiting = await Promise.all(Array.from({ length: 8 }, () => it.client(A)));
    await it.world.inState("waiting", 8);
    for (let n = 0; n < 8; n++) await it.meets(1, helloFor("b.example"));
    first.abort();
    await target.untilClose();
    // The place goes to one after the other, in whatever thread they wait.
    for (const client of waiting) client.finish();
    for (const _ of waiting) (await it.target(0)).finish();
    await Promise.all(waiting.map((client) => client.untilClose()));
    expect(it.strays).toBe(0);
  });

  test("those who wait for room have said their names before, and get their own targets", async () => {
    await using it = await routed(["sni=a.example", "sni=b.example"], { maxConnections: 1 });
    const first = await it.client(A);
    await it.target(0);
    const second = await it.client(helloFor("b.example"));
    await it.world.inState("waiting", 1);
    first.abort();
    const target = await it.target(1);
    expect((await it.world.record()).serverName).toBe("a.example");
    second.abort();
    await target.untilClose();
  });
});
