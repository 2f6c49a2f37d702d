/** What makes no sense over UDP is refused by name. */
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { toProxyConfig } from "../../src/options.ts";

const UDP = '[[proxy]]\nlisten = "udp://127.0.0.1:53"\ntarget = "10.0.0.1:53"\n';

function problem(toml: string): string {
  try {
    loadConfig(toml, "weir.toml");
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing is wrong with it");
}

test("a UDP proxy has defaults of its own", () => {
  const [proxy] = loadConfig(UDP, "weir.toml").proxies;
  expect(proxy).toMatchObject({
    listen: { kind: "udp", host: "127.0.0.1", port: 53 },
    targets: [{ address: { kind: "tcp", host: "10.0.0.1", port: 53 } }],
    maxConnections: 10_000,
    timeouts: { idle: 60_000 },
  });
  const [other] = loadConfig(`${UDP}max_connections = 0\ntimeouts.idle = "5s"`, "weir.toml").proxies;
  expect(other).toMatchObject({ maxConnections: 0, timeouts: { idle: 5_000 } });
});

test("targets may be written udp:// as well", () => {
  const toml =
    '[[proxy]]\nlisten = "udp://:53"\ntargets = ["udp://10.0.0.1:53", { address = "udp://a:1", weight = 2 }]';
  const [proxy] = loadConfig(toml, "weir.toml").proxies;
  expect(proxy?.targets.map(({ address, weight }) => [address, weight])).toEqual([
    [{ kind: "tcp", host: "10.0.0.1", port: 53 }, 1],
    [{ kind: "tcp", host: "a", port: 1 }, 2],
  ]);
});

test("TCP and UDP may listen on the same port", () => {
  const both = `${UDP}[[proxy]]\nlisten = "127.0.0.1:53"\ntarget = "10.0.0.1:53"\n`;
  expect(loadConfig(both, "weir.toml").proxies).toHaveLength(2);
  expect(problem(UDP + UDP)).toContain("udp://127.0.0.1:53 is taken");
});

describe("is refused:", () => {
  const LEAVE = "leave it out";
  test.each([
    ["buffer", 'buffer = "1MiB"', LEAVE],
    ["nodelay", "nodelay = false", LEAVE],
    ["keepalive", 'keepalive = "60s"', LEAVE],
    ["reuse_port", "reuse_port = true", LEAVE],
    ["refuse", 'refuse = "close"', LEAVE],
    ["retries", "retries = 3", LEAVE],
    ["timeouts.fin", 'timeouts.fin = "1s"', LEAVE],
    ["timeouts.hello", 'timeouts.hello = "1s"', LEAVE],
    ["queue.size", "queue.size = 3", LEAVE],
    ["queue.timeout", 'queue.timeout = "3s"', LEAVE],
    ["accept_from", 'proxy_protocol.accept_from = ["10.0.0.0/8"]', LEAVE],
    ["send", 'proxy_protocol.send = "v1"', 'write "v2"'],
    ["observer", '[[proxy.observer]]\naddress = "127.0.0.1:1"', LEAVE],
    ["inspect", '[[proxy.inspect]]\nformat = "hex"', LEAVE],
    ["filter", '[[proxy.filter]]\ntype = "drop"\nfind = "x"', LEAVE],
    ["idle", 'timeouts.idle = "off"\nmax_connections = 0', "set one of the two"],
    ["type", '[[proxy.fault]]\ntype = "latency"\nlatency = "1ms"', "use drop_datagram"],
  ])("%s", (key, line, remedy) => {
    const text = problem(UDP + line);
    expect(text).toContain("weir.toml:");
    expect(text).toContain(key);
    expect(text).toContain(remedy);
  });

  test("a unix target", () => {
    expect(problem(UDP.replace("10.0.0.1:53", "unix:/run/x.sock"))).toContain("takes no UDP datagrams");
  });

  test("targets for TLS clients, and over TLS", () => {
    const toml = '[[proxy]]\nlisten = "udp://:53"\ntargets = [{ address = "10.0.0.1:53", sni = ["a.example"] }]';
    expect(problem(toml)).toContain("sni is what TLS clients say");
    expect(problem(UDP.replace("10.0.0.1:53", "tls://10.0.0.1:53"))).toContain('write "10.0.0.1:53"');
  });

  test("a name to listen on", () => {
    expect(problem(UDP.replace("127.0.0.1", "localhost"))).toContain('"localhost" is a name');
  });

  test("a target that leads back", () => {
    expect(problem(UDP.replace("10.0.0.1", "127.0.0.1"))).toContain("leads back to the proxy itself");
  });

  test("shared connections", () => {
    expect(problem('[[mux]]\nlisten = "udp://:53"\ntarget = "10.0.0.1:53"')).toContain("listen on tcp");
  });

  test("datagrams through a proxy for connections", () => {
    const tcp = '[[proxy]]\nlisten = 8080\ntarget = "udp://10.0.0.1:53"';
    expect(problem(tcp)).toContain('write listen = "udp://127.0.0.1:8080"');
    const fault = '[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:53"\n[[proxy.fault]]\ntype = "drop_datagram"\n';
    expect(problem(`${fault}probability = 0.1`)).toContain("this proxy relays connections");
  });
});

test("the library says the same", () => {
  const config = (options: object) => toProxyConfig("udp://127.0.0.1:53", "udp://10.0.0.1:53", options);
  expect(config({})).toMatchObject({ maxConnections: 10_000, timeouts: { idle: 60_000 } });
  expect(() => config({ mux: {} })).toThrow("datagrams have none of");
  expect(() => config({ faults: ["latency:latency=1ms"] })).toThrow("this proxy relays datagrams");
  expect(() => config({ proxyProtocol: { send: "v1" } })).toThrow("no words for UDP");
  expect(() => toProxyConfig("udp://127.0.0.1:53", "127.0.0.1:53", {})).toThrow("feed itself");
  expect(() => toProxyConfig("127.0.0.1:54", "udp://127.0.0.1:53", {})).toThrow("takes datagrams");
});
