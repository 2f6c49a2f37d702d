/** `[[proxy]]` as users write it, and what it means. */
import * as v from "valibot";
import { burstOf } from "../admit/sources.ts";
import {
  BALANCES,
  DEFAULTS,
  type DnsConfig,
  HEALTH,
  type HealthConfig,
  NONE_HEALTHY,
  PROXY_VERSIONS,
  type ProxyConfig,
  REFUSALS,
  RETRIES_MAX,
  type TargetConfig,
  UDP,
  WEIGHT_MAX,
} from "./config.ts";
import { faultSchema, toFault } from "./fault-schema.ts";
import { filterSchema, toFilter } from "./filter-schema.ts";
import { inspectSchema, toInspect } from "./inspect-schema.ts";
import { observerSchema, toObserver } from "./observer-schema.ts";
import { routeEntries } from "./route-schema.ts";
import { targetTlsSchema, tlsSchema, toTargetTls, toTls } from "./tls-schema.ts";
import { isTable } from "./toml.ts";
import { COUNT_MAX, formatDuration } from "./units.ts";
import * as t from "./values.ts";

type Proxy = v.InferOutput<ReturnType<typeof proxySchema>>;

/** Input is what TOML holds; output has addresses parsed, milliseconds, bytes and every default. */
export function proxySchema() {
  return withTarget(t.table("One listening address with its rules.", proxyEntries("proxy")));
}

/** The keys of a table for a listening address; `list` is what the file calls such tables. */
export function proxyEntries(list: "proxy" | "mux") {
  const within = (part: string) => `tables written [[${list}.${part}]]`;
  return {
    name: v.optional(t.label(`What logs and metrics call it; ${list}-1, ${list}-2, … by default.`)),
    listen: t.proxyAddress("Where clients connect, or udp:// for datagrams; port 0 takes a free port."),
    target: v.optional(t.targetName("Where weir connects for each client.")),
    targets: v.optional(targetsSchema()),
    balance: v.optional(
      t.choice("Which of several targets gets the next connection.", BALANCES),
      DEFAULTS.proxy.balance,
    ),
    slow_start: v.optional(
      t.durationOrOff("Time in which a target that has come back grows to its whole share."),
      formatDuration(DEFAULTS.proxy.slowStart),
    ),
    none_healthy: v.optional(
      t.choice("What becomes of clients when the health checks have given up every target.", NONE_HEALTHY),
      DEFAULTS.proxy.noneHealthy,
    ),
    health: v.optional(healthSchema()),
    buffer: v.optional(t.bufferSize("Bytes held per direction before weir stops reading."), DEFAULTS.proxy.buffer),
    nodelay: v.optional(t.flag("TCP_NODELAY: small writes leave at once."), DEFAULTS.proxy.noDelay),
    keepalive: v.optional(
      t.durationOrOff('Silence before TCP keepalive probes, or "off".'),
      formatDuration(DEFAULTS.proxy.keepAlive),
    ),
    reuse_port: v.optional(
      t.flag("SO_REUSEPORT: other processes may listen on the same address, such as the next version of weir."),
      DEFAULTS.proxy.reusePort,
    ),
    allow: v.optional(t.cidrs("Who is let in; the narrowest range decides, here or in deny.")),
    deny: v.optional(t.cidrs("Who is shut out.")),
    allow_file: v.optional(t.fileName("A file with more ranges for allow, one in each line.")),
    deny_file: v.optional(t.fileName("A file with more ranges for deny, one in each line.")),
    schedule: v.optional(t.schedule("When clients are let in; always by default."), []),
    max_connections: v.optional(
      t.wholeNumber(
        "Connections at once, 0, the default, for as many as there is room for; others wait in the queue. Of a UDP proxy sessions, 10000 by default, beyond which the idlest ends.",
        COUNT_MAX,
      ),
    ),
    max_connections_per_source: v.optional(
      t.wholeNumber("Connections that one client address may have at once, 0 for any number.", COUNT_MAX),
      DEFAULTS.proxy.perSource.maxConnections,
    ),
    queue: v.optional(queueSchema(), {}),
    rate: v.optional(rateSchema()),
    proxy_protocol: v.optional(proxyProtocolSchema(), {}),
    refuse: v.optional(t.choice("What a client gets that is not let in: RST or FIN.", REFUSALS), DEFAULTS.proxy.refuse),
    retries: v.optional(
      t.wholeNumber("How often targets that cannot be connected are tried again, after pauses.", RETRIES_MAX),
      DEFAULTS.proxy.retries,
    ),
    source: v.optional(t.ipAddress("The local IP address from which targets are connected.")),
    tls: v.optional(tlsSchema()),
    target_tls: v.optional(targetTlsSchema()),
    timeouts: v.optional(timeoutsSchema(), {}),
    observer: v.optional(t.list("Who gets copies.", within("observer"), observerSchema()), []),
    inspect: v.optional(t.list("What is written down.", within("inspect"), inspectSchema()), []),
    filter: v.optional(t.list("What changes bytes, in order.", within("filter"), filterSchema()), []),
    fault: v.optional(t.list("What goes wrong on purpose.", within("fault"), faultSchema()), []),
  };
}

/** One of the two keys for targets has to be there. */
export function withTarget<const S extends v.GenericSchema>(fields: S) {
  return v.pipe(
    fields,
    v.metadata({ json: { oneOf: [{ required: ["target"] }, { required: ["targets"] }] } }),
    v.rawCheck(({ dataset, addIssue }) => {
      const input: unknown = dataset.value;
      if (!isTable(input)) return;
      const { target, targets } = input;
      const at = (key: string) => [{ type: "object", origin: "value", input, key, value: input[key] }] as const;
      if (target === undefined && targets === undefined) {
        addIssue({ message: 'the key "target" is missing', path: [...at("target")] });
      } else if (target !== undefined && targets !== undefined) {
        addIssue({ message: 'write either "target" or "targets", not both', path: [...at("targets")] });
      }
    }),
  );
}

/** `index`: its place among the proxies of the file. */
export function toProxy(proxy: Proxy, index: number, dns: DnsConfig): ProxyConfig {
  const { queue, rate, proxy_protocol: proxyProtocol } = proxy;
  const udp = proxy.listen.kind === "udp";
  const { hello, connect, idle = udp ? UDP.idle : DEFAULTS.proxy.timeouts.idle, fin, lifetime } = proxy.timeouts;
  return {
    name: proxy.name ?? `proxy-${index + 1}`,
    listen: proxy.listen,
    targets: proxy.target ? [proxy.target] : (proxy.targets ?? []).map(toTarget),
    balance: proxy.balance,
    slowStart: proxy.slow_start,
    noneHealthy: proxy.none_healthy,
    health: proxy.health ? toHealth(proxy.health) : null,
    dns,
    timeouts: { hello, connect, idle, fin, lifetime },
    buffer: proxy.buffer,
    noDelay: proxy.nodelay,
    keepAlive: proxy.keepalive,
    reusePort: proxy.reuse_port,
    allow: proxy.allow ?? [],
    deny: proxy.deny ?? [],
    allowFile: proxy.allow_file ?? null,
    denyFile: proxy.deny_file ?? null,
    schedule: proxy.schedule,
    maxConnections: proxy.max_connections ?? (udp ? UDP : DEFAULTS.proxy).maxConnections,
    queue,
    perSource: {
      maxConnections: proxy.max_connections_per_source,
      perSecond: rate?.connections_per_source.perSecond ?? 0,
      burst: rate?.burst ?? burstOf(rate?.connections_per_source.perSecond ?? 0),
    },
    proxyProtocol: {
      acceptFrom: proxyProtocol.accept_from,
      timeout: proxyProtocol.timeout,
      send: proxyProtocol.send,
    },
    refuse: proxy.refuse,
    retries: proxy.retries,
    mux: null,
    observers: proxy.observer.map(toObserver),
    inspects: proxy.inspect.map(toInspect),
    filters: proxy.filter.map(toFilter),
    faults: proxy.fault.map(toFault),
    seed: DEFAULTS.proxy.seed,
    source: proxy.source ?? null,
    tls: proxy.tls ? toTls(proxy.tls) : null,
    targetTls: proxy.target_tls ? toTargetTls(proxy.target_tls) : null,
  };
}

const STATUS = [100, 599] as const;

function targetsSchema() {
  const written = t.targetName("An address alone.");
  const detailed = t.table("An address with more to say.", {
    address: t.targetName("Where weir connects."),
    weight: v.optional(t.wholeNumber("Its share of new connections against that of the others.", WEIGHT_MAX), 1),
    backup: v.optional(t.flag("Used only when no other target is well."), false),
    max_connections: v.optional(t.wholeNumber("Connections at once, 0 for any number.", COUNT_MAX), 0),
    ...routeEntries(),
  });
  const target = v.union([written, detailed], t.wrong('an address such as "10.0.0.1:8080" or { address = "…" }'));
  return v.pipe(
    t.list("Where weir connects for each client.", "an array of addresses", target),
    // Not minLength, which says nothing as long as an element is wrong.
    v.rawCheck(({ dataset, addIssue }) => {
      const count = Array.isArray(dataset.value) ? dataset.value.length : 1;
      if (count === 0) addIssue({ message: "there is no target; write one address at least" });
    }),
    v.metadata({ json: { minItems: 1 } }),
  );
}

function toTarget(target: NonNullable<Proxy["targets"]>[number]): TargetConfig {
  if ("maxConnections" in target) return target;
  const { address, weight, backup, max_connections: maxConnections, sni, alpn } = target;
  return { ...address, weight, backup, maxConnections, ...(sni && { sni }), ...(alpn && { alpn }) };
}

function healthSchema() {
  return t.table("Checks that find out which targets are well.", {
    interval: v.optional(
      t.period("Time between two checks of a target, give or take a tenth."),
      formatDuration(HEALTH.interval),
    ),
    timeout: v.optional(t.period("Time for a whole check."), formatDuration(HEALTH.timeout)),
    rise: v.optional(t.wholeNumber("Good checks in a row after which a target is well again.", 1_000, 1), HEALTH.rise),
    fall: v.optional(t.wholeNumber("Failed checks in a row after which it no longer is.", 1_000, 1), HEALTH.fall),
    send: v.optional(t.words("What to send.")),
    expect: v.optional(t.words("What the answer has to hold.")),
    http: v.optional(t.httpPath("The path of an HTTP request to send.")),
    status: v.optional(
      t.list(
        "Status codes of a good answer; 200 to 399 by default.",
        "an array of numbers",
        t.wholeNumber("A status code.", STATUS[1], STATUS[0]),
      ),
      [],
    ),
  });
}

function toHealth({ send, expect, http, ...rest }: NonNullable<Proxy["health"]>): HealthConfig {
  return { ...rest, send: send ?? null, expect: expect ?? null, http: http ?? null };
}

function queueSchema() {
  const { size, timeout } = DEFAULTS.proxy.queue;
  return t.table("Where connections wait for which there is no room.", {
    size: v.optional(t.wholeNumber("Connections; 0 refuses at once.", COUNT_MAX), size),
    timeout: v.optional(t.durationOrOff("Time after which one is refused."), formatDuration(timeout)),
  });
}

function rateSchema() {
  return t.table("How fast connections may come.", {
    connections_per_source: t.rate('From one client address, such as "20/s".'),
    burst: v.optional(t.wholeNumber("How many may come at once; as many as in a second by default.", COUNT_MAX, 1)),
  });
}

function proxyProtocolSchema() {
  const { timeout, send } = DEFAULTS.proxy.proxyProtocol;
  return t.table("PROXY headers, which tell targets who the client is.", {
    accept_from: v.optional(t.cidrs("Whoever comes from here has to begin with a header, v1 or v2."), []),
    timeout: v.optional(t.durationOrOff("Time in which the header has to come."), formatDuration(timeout)),
    send: v.optional(t.choice("What targets are sent.", PROXY_VERSIONS), send),
  });
}

function timeoutsSchema() {
  const { hello, connect, idle, fin, lifetime } = DEFAULTS.proxy.timeouts;
  return t.table('After which times weir gives up; 0s or "off" never does.', {
    hello: v.optional(
      t.durationOrOff("For the ClientHello, where targets are chosen by sni or alpn."),
      formatDuration(hello),
    ),
    connect: v.optional(t.durationOrOff("To reach the target."), formatDuration(connect)),
    idle: v.optional(
      t.durationOrOff(`Without a byte either way; ${formatDuration(idle)}, of UDP ${formatDuration(UDP.idle)}.`),
    ),
    fin: v.optional(t.durationOrOff("Without a byte the other way, after one side has finished."), formatDuration(fin)),
    lifetime: v.optional(t.durationOrOff("From accept to the end."), formatDuration(lifetime)),
  });
}
