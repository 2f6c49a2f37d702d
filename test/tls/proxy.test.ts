/** Proxies that end TLS, begin it, or both: through the library, with clients of weir's own and with openssl and curl. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import type { Proxy, ProxyOptions, TargetTlsOptions } from "../../src/index.ts";
import { parseAddress } from "../../src/net/address.ts";
import type { ClientTls } from "../../src/net/tls.ts";
import { LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { haveTool } from "../e2e/tools.ts";
import { run } from "../e2e/weir.ts";
import { haveOpenssl, type Issued, issue, textOf } from "./certificates.ts";
import { addressOf, World } from "./world.ts";

const HAVE_CURL = haveTool("curl");

describe.skipIf(!haveOpenssl())("a proxy over TLS", () => {
  let folder = "";
  const made: Record<string, Issued> = {};

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "weir-tls-"));
    const ca = issue(folder, "ca");
    made["ca"] = ca;
    made["a"] = issue(folder, "a", { issuer: ca, alternative: "DNS:a.test,DNS:localhost,IP:127.0.0.1" });
    made["b"] = issue(folder, "b", { issuer: ca, alternative: "DNS:b.test" });
    made["alice"] = issue(folder, "alice", { issuer: ca, alternative: "DNS:alice.staff.test" });
    made["old"] = issue(folder, "old", { issuer: ca, alternative: "IP:127.0.0.1", days: -1 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string) => (made[name] as Issued).certificate;
  const pair = (name: string) => made[name] as Issued;
  const trusting = (): ClientTls => ({ verify: true, ca: textOf(file("ca")), alpn: [] });

  /** Ends TLS and begins it anew. */
  async function between(world: World, options: ProxyOptions = {}) {
    const target = await world.targetAddress(pair("a"));
    const proxy = await world.bind("tls://127.0.0.1:0", target, {
      tls: { certificates: [pair("a"), pair("b")] },
      targetTls: { ca: file("ca") },
      ...options,
    });
    const client = await world.client(proxy, { ...trusting(), serverName: "a.test" });
    return { proxy, client, target: await world.target() };
  }

  test("relays between two connections over TLS, and either side may finish first", async () => {
    await using world = new World();
    const { client, target, proxy } = await between(world);
    expect(proxy.address).toMatch(/^tls:\/\/127\.0\.0\.1:\d+$/);
    expect(proxy.engine).toBe("portable");
    await client.send(1_000_000);
    client.finish();
    await target.untilEnd();
    await target.send(3_000_000);
    target.finish();
    await client.untilEnd();
    expect([target.received, client.received]).toEqual([1_000_000, 3_000_000]);
    const record = await world.record();
    expect(record).toMatchObject({ reason: "client_closed", bytesUpstream: 1_000_000, bytesDownstream: 3_000_000 });
    expect(record).toMatchObject({ undeliveredUpstream: 0, undeliveredDownstream: 0 });
    expect(record.tls).toMatchObject({ version: "TLSv1.3", serverName: "a.test", alpn: null, clientName: null });
    expect(record.target).toMatch(/^tls:\/\//);
  });

  test("passes a reset on, each way", async () => {
    await using world = new World();
    const one = await between(world);
    one.client.abort();
    expect(await one.target.untilClose()).toBe("ECONNRESET");
    expect((await world.record()).reason).toBe("client_reset");
    const other = await between(world);
    other.target.abort();
    expect(await other.client.untilClose()).toBe("ECONNRESET");
    expect((await world.record()).reason).toBe("target_reset");
  });

  test("holds a fast sender back, and loses nothing of a hundred megabytes each way", async () => {
    await using world = new World();
    const { client, target } = await between(world);
    const total = 100_000_000;
    target.pause();
    const sending = client.send(total);
    await world.kit.busy(200);
    expect(client.sent).toBeLessThan(total);
    target.resume();
    await Promise.all([sending, target.send(total)]);
    client.finish();
    target.finish();
    await Promise.all([client.untilEnd(), target.untilEnd()]);
    expect([target.received, client.received]).toEqual([total, total]);
  });

  test("observers and filters see what is within TLS", async () => {
    await using world = new World();
    const copies: Probe[] = [];
    const observer = await world.kit.listen(LOOPBACK, (socket) => {
      const probe = new Probe(socket);
      probe.raw = true;
      copies.push(probe);
    });
    const { client, target } = await between(world, {
      observers: [{ address: addressOf(observer) }],
      filters: [{ type: "replace", direction: "upstream", find: "secret", with: "public" }],
    });
    target.raw = true;
    client.writeText("a secret\n");
    client.finish();
    await target.untilEnd();
    expect(new TextDecoder().decode(target.bytes)).toBe("a public\n");
    target.finish();
    await world.record();
    const [copy] = copies;
    await copy?.untilEnd();
    expect(new TextDecoder().decode(copy?.bytes)).toBe("a secret\n");
  });

  test("a PROXY header goes to the target within TLS", async () => {
    await using world = new World();
    const { client, target } = await between(world, { proxyProtocol: { send: "v1" } });
    target.raw = true;
    client.writeText("hello");
    client.finish();
    await target.untilEnd();
    expect(new TextDecoder().decode(target.bytes)).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nhello$/);
  });

  test("a fault comes between two sides over TLS", async () => {
    await using world = new World();
    const { client, target } = await between(world, { faults: ["limit_data:bytes=1000,stream=upstream"] });
    await client.send(5_000);
    await target.untilEnd();
    expect(target.received).toBe(1_000);
  });

  test("clients share connections to a target over TLS", async () => {
    await using world = new World();
    const proxy = await world.bind("127.0.0.1:0", await world.targetAddress(pair("a")), {
      mux: { protocol: "echo" },
      targetTls: { ca: file("ca") },
    });
    const clients = [await world.client(proxy), await world.client(proxy)];
    for (const client of clients) {
      client.raw = true;
      client.writeText("ping\n");
    }
    const target = await world.target();
    target.raw = true;
    for (let answered = 0; answered < clients.length; ) {
      await target.until(() => new TextDecoder().decode(target.bytes).split("\n").length - 1 > answered, "a request");
      answered++;
      target.writeText("pong\n");
    }
    for (const client of clients) await client.until(() => client.bytes.length === 5, "a reply");
  });

  describe("says by name why a target is refused", () => {
    const cases: readonly [what: string, certificate: string, options: TargetTlsOptions, error: string][] = [
      ["one of an unknown CA", "a", {}, "UNABLE_TO_"],
      ["one that has expired", "old", { ca: "ca" }, "CERT_HAS_EXPIRED"],
      ["one for another name", "a", { ca: "ca", serverName: "c.test" }, "ERR_TLS_CERT_ALTNAME_INVALID"],
      ["one that is not pinned", "a", { ca: "ca", pin: "00".repeat(32) }, "ETLSPIN"],
      [
        "one that is not pinned, although all others will do",
        "a",
        { verify: "insecure", pin: "00".repeat(32) },
        "ETLSPIN",
      ],
    ];
    test.each(cases)("%s", async (_, certificate, { ca, ...options }, error) => {
      await using world = new World();
      const targetTls = { ...options, ...(ca ? { ca: file(ca) } : {}) };
      const proxy = await world.bind("127.0.0.1:0", await world.targetAddress(pair(certificate)), { targetTls });
      const client = await world.client(proxy);
      expect(await client.untilClose()).toBe("ECONNRESET");
      const record = await world.record();
      expect(record.reason).toBe("tls_verify_failed");
      expect(record.error).toStartWith(error);
    });

    test("one that speaks no TLS", async () => {
      await using world = new World();
      const plain = await world.kit.listen(LOOPBACK, (socket) => {
        socket.write(new TextEncoder().encode("220 hello\r\n"));
        world.kit.later(() => socket.abort());
      });
      const proxy = await world.bind("127.0.0.1:0", `tls://${addressOf(plain)}`, {});
      expect(await (await world.client(proxy)).untilClose()).toBe("ECONNRESET");
      expect(await world.record()).toMatchObject({ reason: "connect_tls_failed", error: "ETLSHANDSHAKE" });
    });
  });

  test("takes any target if it is told so, and a pinned one by its key alone", async () => {
    await using world = new World();
    const pin = runtime.tls?.inspect(textOf(file("old")))?.publicKey ?? "";
    for (const targetTls of [{ verify: "insecure" }, { verify: "insecure", pin }] as const) {
      const proxy = await world.bind("127.0.0.1:0", await world.targetAddress(pair("old")), { targetTls });
      const client = await world.client(proxy);
      const target = await world.target();
      await client.send(1_000);
      await target.until(() => target.received === 1_000, "bytes");
    }
  });

  test("goes on to the next target when one is not what it should be", async () => {
    await using world = new World();
    const targets = [await world.targetAddress(pair("old")), await world.targetAddress(pair("a"))];
    const options = { targetTls: { ca: file("ca") }, balance: "first" } as const;
    const proxy = await world.bind("127.0.0.1:0", targets, options);
    const client = await world.client(proxy);
    const target = await world.target();
    client.finish();
    await target.untilEnd();
    target.finish();
    expect(await world.record()).toMatchObject({ reason: "client_closed", retries: 1, target: targets[1] });
  });

  test("checks the health of targets over TLS", async () => {
    await using world = new World();
    const targets = [await world.targetAddress(pair("old")), await world.targetAddress(pair("a"))];
    const options = { targetTls: { ca: file("ca") }, health: { interval: 50, fall: 1 } } as const;
    const proxy = await world.bind("127.0.0.1:0", targets, options);
    const states = () => proxy.targets.map(({ healthy }) => healthy);
    while (states()[0]) await world.kit.busy(5);
    expect(states()).toEqual([false, true]);
  });

  test("shows a target its certificate, and says so of clients", async () => {
    await using world = new World();
    const plain = await world.targetAddress();
    const guarded = await world.bind("tls://127.0.0.1:0", plain, {
      tls: { certificates: [pair("a")], clientCa: file("ca"), clientNames: ["*.staff.test"] },
    });
    const targetTls = { ca: file("ca"), ...pair("alice") };
    const front = await world.bind("127.0.0.1:0", guarded.address, { targetTls });
    const client = await world.client(front);
    const target = await world.target();
    client.finish();
    await target.untilEnd();
    target.finish();
    const records = [await world.record(), await world.record()];
    expect(records.map(({ reason }) => reason)).toEqual(["client_closed", "client_closed"]);
    expect(records.map(({ tls }) => tls?.clientName ?? null).sort()).toEqual(["alice.staff.test", null].sort());
  });

  describe("clients", () => {
    const sClient = (proxy: Proxy, ...args: string[]) => {
      return run(["openssl", "s_client", "-connect", `127.0.0.1:${proxy.port}`, "-CAfile", file("ca"), ...args]);
    };

    test("without a certificate, or with a wrong one, are told of and counted", async () => {
      await using world = new World();
      const proxy = await world.bind("tls://127.0.0.1:0", await world.targetAddress(), {
        tls: { certificates: [pair("a")], clientCa: file("ca"), clientNames: ["*.staff.test"] },
      });
      await sClient(proxy);
      expect(await world.record()).toMatchObject({
        reason: "tls_client_refused",
        error: "ETLSCLIENT",
        rule: "the client shows no certificate",
        target: null,
      });
      await sClient(proxy, "-cert", file("b"), "-key", pair("b").key);
      const record = await world.record();
      expect(record.rule).toContain("its name is not one of client_names: b.test");
      expect(proxy.metrics()).toMatchObject({ connectionsTotal: 2, connectionsActive: 0 });
    });

    test("with an old version of TLS are refused, and told of", async () => {
      await using world = new World();
      const tls = { certificates: [pair("a")] };
      const proxy = await world.bind("tls://127.0.0.1:0", await world.targetAddress(), { tls });
      const { out, err } = await sClient(proxy, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0");
      expect(out + err).toContain("alert protocol version");
      const record = await world.record();
      expect(record).toMatchObject({ reason: "tls_handshake_failed" });
      expect(record.rule).toContain("too old");
      const strict = await world.bind("tls://127.0.0.1:0", await world.targetAddress(), {
        tls: { ...tls, minVersion: "1.3" },
      });
      await sClient(strict, "-tls1_2");
      expect((await world.record()).reason).toBe("tls_handshake_failed");
    });

    test("that speak plain HTTP, or nothing, are told of", async () => {
      await using world = new World();
      const proxy = await world.bind("tls://127.0.0.1:0", await world.targetAddress(), {
        tls: { certificates: [pair("a")], handshakeTimeout: 200 },
      });
      const plain = parseAddress(`127.0.0.1:${proxy.port}`, "target");
      const http = new Probe(await world.kit.connect(plain));
      http.raw = true;
      http.writeText("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect((await world.record()).rule).toContain("the client speaks plain HTTP to a port for TLS");
      await http.until(() => http.ended || http.closed, "its end");
      const silent = new Probe(await world.kit.connect(plain));
      silent.raw = true;
      expect(await world.record()).toMatchObject({ reason: "tls_handshake_timeout", error: "ETLSTIMEOUT" });
      await silent.until(() => silent.ended || silent.closed, "its end");
    });

    test.skipIf(!HAVE_CURL)("such as curl get the certificate that they ask for", async () => {
      await using world = new World();
      const web = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello from behind") });
      const proxy = await world.bind("tls://127.0.0.1:0", `127.0.0.1:${web.port}`, {
        tls: { certificates: [pair("a"), pair("b")], alpn: ["http/1.1"] },
      });
      const curl = (host: string) => {
        const at = ["--resolve", `${host}:${proxy.port}:127.0.0.1`, `https://${host}:${proxy.port}/`];
        return run(["curl", "-sS", "--http1.1", "--cacert", file("ca"), ...at]);
      };
      for (const host of ["a.test", "b.test"]) {
        expect((await curl(host)).out).toBe("hello from behind");
        expect((await world.record()).tls).toMatchObject({ serverName: host, alpn: "http/1.1" });
      }
      expect((await curl("c.test")).err).toContain("SSL");
      await web.stop(true);
    });
  });
});
