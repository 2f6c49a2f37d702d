/** The examples are what people copy: they must load, and say what the defaults are. */
import { expect, test } from "bun:test";
import type { Host } from "../../src/cli/host.ts";
import { readConfig } from "../../src/cli/read-config.ts";
import { type Config, DEFAULTS, HEALTH, targetsOf } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { fileSchema } from "../../src/config/schema.ts";
import { BRIDGE, type BridgeConfig } from "../../src/datagram/bridge/bridge-config.ts";
import { udpRelayConfig } from "../../src/datagram/relay/relay-config.ts";
import { MUX } from "../../src/mux/mux-config.ts";
import { formatAddress } from "../../src/net/address.ts";
import { formatCidr, parseCidr } from "../../src/net/cidr.ts";
import { formatTarget } from "../../src/net/target-name.ts";
import { INSPECT } from "../../src/observe/inspect/inspect-config.ts";
import { plainObserver } from "../../src/observe/observer-config.ts";
import { LISTEN_TLS, TARGET_TLS } from "../../src/tls/tls-config.ts";

test("weir.toml shows the defaults", async () => {
  const config = await example("weir.toml");
  expect(config.log).toEqual(DEFAULTS.log);
  expect(config.engine).toEqual(DEFAULTS.engine);
  expect(config.shutdown).toEqual(DEFAULTS.shutdown);
  const [least, db, web, front, cache, secure, lab, dns, ...muxes] = config.proxies;
  const shared = ["switch", "terminal", "meter"];
  const others = ["proxy-1", "db", "web", "front", "cache", "secure", "lab", "dns"];
  expect(config.proxies.map(({ name }) => name)).toEqual([...others, ...shared]);
  // What has no defaults to show is shown by example.
  const {
    source: _,
    allow,
    deny,
    allowFile,
    denyFile,
    schedule,
    dns: names,
    perSource,
    proxyProtocol,
    observers,
    inspects,
    filters,
    faults,
    ...rest
  } = DEFAULTS.proxy;
  expect(least).toMatchObject({ ...rest, allow, deny, allowFile, denyFile, schedule, perSource, proxyProtocol });
  expect(db).toMatchObject({ ...rest, proxyProtocol: { ...proxyProtocol, acceptFrom: [parseCidr("10.0.0.7")] } });
  expect(db?.perSource.maxConnections).toBe(perSource.maxConnections);
  expect(web).toMatchObject({ ...rest, health: { ...HEALTH, http: "/healthz", status: [200, 204] } });
  expect(front).toMatchObject(rest);
  const { certificates, clientCa, clientNames, clientFingerprints, alpn, ...plain } = secure?.tls ?? {};
  expect(plain).toEqual({ minVersion: LISTEN_TLS.minVersion, handshakeTimeout: LISTEN_TLS.handshakeTimeout });
  expect([certificates?.length, clientCa, clientNames?.length, alpn?.length]).toEqual([2, "staff-ca.pem", 1, 2]);
  expect(secure?.targetTls?.pins).toEqual([...(clientFingerprints ?? [])]);
  expect(secure?.targetTls?.verify).toBe(TARGET_TLS.verify);
  expect(cache?.health).toEqual({ ...HEALTH, send: "PING\r\n", expect: "+PONG" });
  for (const proxy of config.proxies.filter((each) => each !== lab && each !== dns)) {
    expect(proxy).toMatchObject({ observers, inspects, filters, faults });
  }
  expect(lab?.observers).toEqual([plainObserver({ kind: "tcp", host: "127.0.0.1", port: 6000 })]);
  expect(lab?.inspects).toEqual([{ ...INSPECT, path: "/var/tmp/{proxy}-{session}.txt" }]);
  const types = ["latency", "bandwidth", "slicer", "limit_data", "timeout", "delay_message", "drop_message"] as const;
  expect(lab?.faults.map(({ type }) => type)).toEqual([...types]);
  const { name: __, listen: ___, targets: ____, ...datagrams } = udpRelayConfig("dns", "udp://:53", []);
  expect(dns).toMatchObject({ ...datagrams, dns: {}, faults: [{ type: "drop_datagram" }] });
  const protocols = ["iso8583", "echo", "length"] as const;
  expect(muxes.map(({ mux }) => mux)).toEqual(protocols.map((protocol) => ({ ...MUX, protocol })));
  for (const proxy of config.proxies) expect(proxy.dns).toEqual({ ...names, servers: ["10.0.0.53:53"] });
});

test("weir.toml shows every kind of address of a bridge, and its defaults", async () => {
  const { bridges } = await example("weir.toml");
  expect(bridges).toHaveLength(1);
  const [{ name, from, to, ...rest }] = bridges as [BridgeConfig];
  expect(name).toBe("ais");
  const kinds = ["udp", "udp", "udp", "udp", "stream", "listen", "file"] as const;
  expect(from.map(({ kind }) => kind)).toEqual([...kinds]);
  expect(to.map(({ kind }) => kind)).toEqual(["udp", "udp", "listen", "file"]);
  expect(rest).toEqual({ ...BRIDGE, cut: "lines", sourceTls: { ...BRIDGE.sourceTls, ca: "internal-ca.pem" } });
});

test("weir.toml shows every way to write a target", async () => {
  const [, , web] = (await example("weir.toml")).proxies;
  const targets = web?.targets.map(({ address, ...options }) => [formatTarget(address), options]);
  const plain = { weight: 1, backup: false, maxConnections: 0 };
  expect(targets).toEqual([
    ["10.0.0.2:80", plain],
    ["10.0.0.3:80", { ...plain, weight: 2 }],
    ["10.0.0.4:80", { ...plain, maxConnections: 100 }],
    ["10.0.0.5:80", { ...plain, backup: true }],
    ["dns://web.internal:80", plain],
    ["dns+srv://_http._tcp.web.internal", plain],
  ]);
});

test("weir.toml shows for whom a target can be", async () => {
  const [, , , front] = (await example("weir.toml")).proxies;
  const whom = front?.targets.map(({ sni, alpn }) => ({ sni, alpn }));
  expect(whom).toEqual([
    { sni: ["example.com", "*.example.com"], alpn: undefined },
    { sni: undefined, alpn: ["h2"] },
    { sni: undefined, alpn: undefined },
  ]);
});

test("weir.toml mentions every key there is", async () => {
  const text = await Bun.file(path("weir.toml")).text();
  const keys = keysIn(fileSchema);
  expect(keys.length).toBeGreaterThan(60);
  for (const key of keys) expect(text).toMatch(new RegExp(`(^|[[{., ])${key}( =|\\.|\\])`, "m"));
});

test("the files that weir.toml names lie beside it", async () => {
  const host = { readFile: (name: string) => Bun.file(name).text() } as Host;
  const { proxies } = await readConfig(host, path("weir.toml"));
  expect(proxies[1]?.allow.map(formatCidr)).toEqual([
    ...["10.0.0.0/8", "::1", "192.168.1.0/24", "fd00::/8", "203.0.113.7"],
  ]);
  expect(proxies[1]?.deny.map(formatCidr)).toEqual(["10.0.13.0/24", "198.51.100.0/24", "2001:db8::/32"]);
});

test("proxy.toml is read as basic-tcp-proxy reads it", async () => {
  const { admin, proxies } = await example("proxy.toml");
  expect(admin.listen && formatAddress(admin.listen)).toBe("127.0.0.1:9090");
  expect(proxies.map(route)).toEqual(["127.0.0.1:8080 -> example.com:80"]);
});

test("tcp-clone.toml is read as tcp-clone reads it", async () => {
  const { proxies } = await example("tcp-clone.toml");
  expect(proxies.map(route)).toEqual(["0.0.0.0:5200 -> 127.0.0.1:5201", "0.0.0.0:8080 -> example.com:80"]);
});

/** The kinds of schema that files are made of. */
interface Schema {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly wrapped?: Schema;
  readonly item?: Schema;
  readonly options?: readonly (Schema | string)[];
}

/** The keys of a table and of all tables in it. */
function keysIn({ entries = {}, wrapped, item, options = [] }: Schema): string[] {
  const inner = [wrapped, item, ...options].filter((each) => typeof each === "object");
  return [...Object.entries(entries).flatMap(([key, value]) => [key, ...keysIn(value)]), ...inner.flatMap(keysIn)];
}

function path(name: string): string {
  return `${import.meta.dir}/../../examples/${name}`;
}

async function example(name: string): Promise<Config> {
  return loadConfig(await Bun.file(path(name)).text(), name);
}

function route({ listen, targets }: Config["proxies"][number]): string {
  return `${formatAddress(listen)} -> ${targetsOf({ targets })}`;
}
