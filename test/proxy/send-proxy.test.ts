/** What targets are told about clients, byte for byte, ahead of the client's own bytes; on each engine. */
import { describe, expect, test } from "bun:test";
import type { ProxyOptions } from "../../src/index.ts";
import type { TcpAddress } from "../../src/net/address.ts";
import { type Probe, pattern } from "../contract/probe.ts";
import { begin, bytesOf, LOCAL, PROXY, textOf, v1Ipv4, v2, v2Ipv4 } from "./headers.ts";
import { ENGINES, World } from "./world.ts";

/** ::1, the port of the client and that of the proxy. */
const loopback6 = (...ports: readonly number[]) => {
  const host = [...new Uint8Array(15), 1];
  return v2(PROXY, 0x21, [...host, ...host, ...ports.flatMap((port) => [port >> 8, port & 255])]);
};

const ACCEPT = ["127.0.0.0/8"];

describe.each(ENGINES)("on the %s engine", (engine) => {
  const world = (send: "v1" | "v2", options: ProxyOptions = {}, listen?: string) =>
    World.with(engine, { ...options, proxyProtocol: { send, ...options.proxyProtocol } }, undefined, listen);

  /** What the next target gets until it has `count` bytes, as text of one character for each. */
  async function got(it: World, count: number): Promise<{ text: string; target: Probe }> {
    const target = await it.target();
    target.raw = true;
    target.resume();
    await target.until(() => target.received >= count || target.closed, "the bytes");
    return { text: textOf(target.bytes), target };
  }

  test.each(["v1", "v2"] as const)("%s over IPv4: the ends of the client's connection", async (send) => {
    await using it = await world(send);
    const client = await it.client("127.0.0.9");
    const { host, port } = client.socket.local as TcpAddress;
    expect(host).toBe("127.0.0.9");
    const line = `PROXY TCP4 127.0.0.9 127.0.0.1 ${port} ${it.proxy.port}\r\n`;
    const header = send === "v1" ? line : textOf(v2Ipv4("127.0.0.9", port, "127.0.0.1", it.proxy.port));
    client.writeText("hello");
    const { text, target } = await got(it, header.length + 5);
    expect(text).toBe(`${header}hello`);
    target.write(7);
    await client.until(() => client.received === 7, "the answer");
    client.finish();
    await target.untilEnd();
    expect(textOf(target.bytes)).toBe(`${header}hello`);
    target.finish();
    const moved = { bytesUpstream: 5, bytesDownstream: 7, undeliveredUpstream: 0 };
    expect(await it.record()).toMatchObject({ client: `127.0.0.9:${port}`, reason: "client_closed", ...moved });
    expect(it.proxy.metrics()).toMatchObject({ bytesUpstream: 5, bytesDownstream: 7 });
  });

  test.each(["v1", "v2"] as const)("%s over IPv6", async (send) => {
    await using it = await world(send, {}, "[::1]:0");
    const client = await it.client();
    const { port } = client.socket.local as TcpAddress;
    const line = `PROXY TCP6 ::1 ::1 ${port} ${it.proxy.port}\r\n`;
    const header = send === "v1" ? line : textOf(loopback6(port, it.proxy.port));
    client.writeText("hello");
    expect((await got(it, header.length + 5)).text).toBe(`${header}hello`);
  });

  test("an IPv4 client of a listener for both families is told of as IPv4", async () => {
    await using it = await world("v1", {}, "[::]:0");
    const socket = await it.kit.connect({ kind: "tcp", host: "127.0.0.1", port: it.proxy.port });
    const { port } = socket.local as TcpAddress;
    const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${port} ${it.proxy.port}\r\n`;
    expect((await got(it, line.length)).text).toBe(line);
  });

  test("a client that says nothing is told of all the same, so that the target may speak first", async () => {
    await using it = await world("v1");
    const client = await it.client();
    const { text, target } = await got(it, 1);
    expect(text).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/);
    target.write(10);
    await client.until(() => client.received === 10, "the greeting");
    client.abort();
    expect(await target.untilClose()).toBe("ECONNRESET");
    expect(await it.record()).toMatchObject({ reason: "client_reset", bytesUpstream: 0, bytesDownstream: 10 });
  });

  test("over a unix socket there is nobody to tell of", async () => {
    for (const [send, header] of [
      ["v1", "PROXY UNKNOWN\r\n"],
      ["v2", textOf(v2(PROXY, 0, []))],
    ] as const) {
      await using at = await World.with("portable");
      const listen = `unix:${at.kit.directory()}/weir.sock`;
      // Whoever may come with a header comes over IP: here it is the client's own affair.
      await using it = await world(send, { proxyProtocol: { acceptFrom: ["0.0.0.0/0", "::/0"] } }, listen);
      const client = await it.client();
      begin(client, v1Ipv4("203.0.113.7"));
      const own = textOf(v1Ipv4("203.0.113.7"));
      const { text, target } = await got(it, header.length + own.length);
      expect(text).toBe(header + own);
      client.finish();
      await target.untilEnd();
      target.finish();
      expect(await it.record()).toMatchObject({ reason: "client_closed", bytesUpstream: own.length });
    }
  });

  test("what a header has said is passed on, in either version, and counted in neither", async () => {
    const six = "PROXY TCP6 2001:db8::7 ::1 5000 443\r\n";
    const mapped = "PROXY TCP6 ::ffff:203.0.113.7 ::ffff:198.51.100.1 5000 443\r\n";
    const passed: readonly (readonly ["v1" | "v2", Uint8Array, string])[] = [
      ["v1", v1Ipv4("203.0.113.7"), textOf(v1Ipv4("203.0.113.7"))],
      ["v2", v1Ipv4("203.0.113.7"), textOf(v2Ipv4("203.0.113.7", 5_000, "198.51.100.1", 443))],
      ["v1", v2Ipv4("203.0.113.7", 5_000, "198.51.100.1", 443, [4, 0, 1, 0]), textOf(v1Ipv4("203.0.113.7"))],
      ["v1", bytesOf(six), six],
      ["v1", bytesOf(mapped), textOf(v1Ipv4("203.0.113.7"))],
      ["v1", v2(PROXY, 0x31, [...new Uint8Array(216).fill(0x61)]), "PROXY UNKNOWN\r\n"],
      ["v2", v2(PROXY, 0x31, [...new Uint8Array(216).fill(0x61)]), textOf(v2(PROXY, 0, []))],
    ];
    for (const [send, header, sent] of passed) {
      await using it = await world(send, { proxyProtocol: { acceptFrom: ACCEPT } });
      const client = await it.client();
      begin(client, header);
      client.writeText("hello");
      expect((await got(it, sent.length + 5)).text).toBe(`${sent}hello`);
      client.abort();
      expect(await it.record()).toMatchObject({ reason: "client_reset", bytesUpstream: 5 });
    }
  });

  test("a header that says nothing about the client leaves it to the connection", async () => {
    await using it = await world("v1", { proxyProtocol: { acceptFrom: ACCEPT } });
    for (const header of [bytesOf("PROXY UNKNOWN\r\n"), v2(LOCAL, 0, [])]) {
      const client = await it.client();
      const { port } = client.socket.local as TcpAddress;
      const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${port} ${it.proxy.port}\r\n`;
      begin(client, header);
      expect((await got(it, line.length)).text).toBe(line);
      client.abort();
      await it.record();
    }
  });

  test("early data go behind the header, in bulk, to a target that reads late", async () => {
    await using it = await world("v2", { buffer: 1_024, proxyProtocol: { acceptFrom: ACCEPT } });
    const client = await it.client();
    begin(client, v1Ipv4("203.0.113.7"), 2_000_000);
    const target = await it.target();
    target.raw = true;
    await it.inState("open", 1);
    await it.kit.busy(100);
    client.finish();
    target.resume();
    await target.untilEnd();
    const header = v2Ipv4("203.0.113.7", 5_000, "198.51.100.1", 443);
    expect(target.bytes.subarray(0, header.length)).toEqual(header);
    expect(Buffer.compare(target.bytes.subarray(header.length), pattern(0, 2_000_000))).toBe(0);
    target.finish();
    expect(await it.record()).toMatchObject({ reason: "client_closed", bytesUpstream: 2_000_000 });
  });

  test("where one target cannot be connected, the next hears of the client, and once", async () => {
    await using other = await World.with("portable");
    const targets = [`unix:${other.kit.directory()}/none.sock`, other.proxy.address];
    await using it = await World.with(engine, { proxyProtocol: { send: "v1" }, balance: "first" }, targets);
    const client = await it.client();
    const { port } = client.socket.local as TcpAddress;
    const sent = `PROXY TCP4 127.0.0.1 127.0.0.1 ${port} ${it.proxy.port}\r\nhello`;
    client.writeText("hello");
    const { text, target } = await got(other, sent.length);
    expect(text).toBe(sent);
    client.finish();
    await target.untilEnd();
    expect(target.received).toBe(sent.length);
    target.finish();
    expect(await it.record()).toMatchObject({ retries: 1, bytesUpstream: 5 });
  });
});
