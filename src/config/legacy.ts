/**
 * The files of two programs that weir replaces, tcp-clone and basic-tcp-proxy, read as they are.
 */
import * as v from "valibot";
import { type Address, parseAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";
import { type ObserverConfig, plainObserver } from "../observe/observer-config.ts";
import { type Config, DEFAULT_ADMIN, DEFAULTS, plainTarget } from "./config.ts";
import type { Path } from "./problem.ts";
import { type Format, keysOf, read } from "./read.ts";
import { isTable, type Table } from "./toml.ts";
import { MAX_DURATION } from "./units.ts";
import * as t from "./values.ts";
import * as w from "./written.ts";

const cloneSchema = t.table("The configuration of tcp-clone.", {
  tcp_clone: t.list(
    "The connections to relay.",
    "tables written [[tcp_clone]]",
    t.table("One listening address.", {
      server: t.table("This side.", { listen_addr: t.listenAddress("Where clients connect.") }),
      target: t.table("The other side.", { addr: t.targetAddress("Where weir connects for each client.") }),
      observer: observers("observer", "Get what the client sends."),
      client_tx_observer: observers("client_tx_observer", "Get what the client sends."),
      client_rx_observer: observers("client_rx_observer", "Get what the client receives."),
    }),
  ),
});

/** tcp-clone's file: any number of `[[tcp_clone]]`. */
export const tcpCloneFormat: Format = {
  name: "tcp-clone",
  schema: cloneSchema,
  keys: keysOf(cloneSchema),
  read(file) {
    const result = read(cloneSchema, file);
    return result.ok ? { ok: true, value: fromClones(result.value) } : result;
  },
  place([table, index = 0, field, nth], file) {
    if (table !== "proxy") return [];
    const own = ["tcp_clone", index];
    if (field === "listen") return [...own, "server", "listen_addr"];
    if (field === "targets") return [...own, "target", "addr"];
    return field === "observer" ? [...own, ...placeOfObserver(file, Number(index), Number(nth))] : own;
  },
};

/** What basic-tcp-proxy took for an address that its file does not give. */
const ANY_PORT = "127.0.0.1:0";

const flatSchema = t.table("The configuration of basic-tcp-proxy.", {
  listen_addr: v.optional(t.listenAddress("Where clients connect."), ANY_PORT),
  target_addr: v.optional(
    t.text("Where weir connects for each client.", 'an address such as "10.0.0.1:8080"', flatTarget, w.ADDRESS_TEXT),
    ANY_PORT,
  ),
  metrics_addr: v.optional(t.listenAddress("Where metrics are served.")),
  grace_period_secs: v.optional(seconds("How long connections may take to finish."), 60),
  metrics_log_interval_secs: v.optional(seconds("Time between summary lines; 0 for none."), 10),
  channel_buffer_size: v.optional(t.wholeNumber("No longer needed.", Number.MAX_SAFE_INTEGER), 1000),
});

/** basic-tcp-proxy's file, `proxy.toml`: one proxy, no tables. */
export const basicTcpProxyFormat: Format = {
  name: "basic-tcp-proxy",
  schema: flatSchema,
  keys: keysOf(flatSchema),
  read(file) {
    const result = read(flatSchema, file);
    return result.ok ? { ok: true, value: fromFlat(result.value) } : result;
  },
  place([table, , field]) {
    if (table === "admin") return ["metrics_addr"];
    return field === "listen" ? ["listen_addr"] : field === "targets" ? ["target_addr"] : [];
  },
};

/** In the order in which {@link fromClones} has them. */
const OBSERVERS = ["observer", "client_tx_observer", "client_rx_observer"] as const;

/** Where the file has the nth of all observers of a proxy. */
function placeOfObserver({ tcp_clone: clones }: Table, index: number, nth: number): Path {
  const clone: unknown = Array.isArray(clones) ? clones[index] : undefined;
  let before = nth;
  for (const key of OBSERVERS) {
    const list = isTable(clone) ? clone[key] : undefined;
    const count = Array.isArray(list) ? list.length : 0;
    if (before < count) return [key, before, "addr"];
    before -= count;
  }
  return [];
}

function observers(key: string, about: string) {
  const observer = t.table("A receiver of copies.", { addr: t.targetAddress("Where the copies go.") });
  return v.optional(t.list(about, `tables written [[tcp_clone.${key}]]`, observer), []);
}

function seconds(about: string) {
  const whole = t.wholeNumber(about, Math.floor(MAX_DURATION / 1000));
  return v.pipe(
    whole,
    v.transform((value) => value * 1000),
  );
}

function flatTarget(text: string): Address {
  if (text.endsWith(":0")) throw new UsageError("EADDRESS", "target_addr must be set: nothing can listen on port 0");
  return parseAddress(text, "target");
}

function fromClones({ tcp_clone }: v.InferOutput<typeof cloneSchema>): Config {
  const proxies = tcp_clone.map(({ server, target, ...observers }, index) => {
    const copies = (copies: ObserverConfig["copies"], list: readonly { readonly addr: Address }[]) =>
      list.map(({ addr }) => ({ ...plainObserver(addr), copies }));
    return {
      ...DEFAULTS.proxy,
      name: `proxy-${index + 1}`,
      listen: server.listen_addr,
      targets: [plainTarget(target.addr)],
      observers: [
        ...copies("upstream", [...observers.observer, ...observers.client_tx_observer]),
        ...copies("downstream", observers.client_rx_observer),
      ],
    };
  });
  const admin = { listen: parseAddress(DEFAULT_ADMIN, "listen"), explicit: false, tokenEnv: null };
  const { log, engine, shutdown } = DEFAULTS;
  return { admin, log, engine, shutdown, toxiproxy: null, seed: null, bridges: [], proxies };
}

function fromFlat(file: v.InferOutput<typeof flatSchema>): Config {
  const { listen_addr: listen, target_addr: target, metrics_addr: metrics } = file;
  return {
    admin: { listen: metrics ?? parseAddress(ANY_PORT, "listen"), explicit: metrics !== undefined, tokenEnv: null },
    log: { ...DEFAULTS.log, summaryInterval: file.metrics_log_interval_secs },
    engine: DEFAULTS.engine,
    shutdown: { grace: file.grace_period_secs },
    toxiproxy: null,
    seed: null,
    bridges: [],
    proxies: [{ ...DEFAULTS.proxy, name: "proxy-1", listen, targets: [plainTarget(target)] }],
  };
}
