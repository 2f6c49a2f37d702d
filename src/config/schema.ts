/**
 * weir's own configuration file, as users write it: one schema for what is valid, what it means and, through
 * its descriptions, what can be said about it.
 */
import * as v from "valibot";
import { parseAddress } from "../net/address.ts";
import { type Config, DEFAULT_ADMIN, DEFAULTS, ENGINES, LEVELS, logConfig } from "./config.ts";
import { muxSchema, toMux } from "./mux-schema.ts";
import type { Path } from "./problem.ts";
import { proxySchema, toProxy } from "./proxy-schema.ts";
import { type Format, keysOf, read } from "./read.ts";
import { isTable, type Table } from "./toml.ts";
import { bridgeSchema, placeOfRoute, toBridge } from "./udp-schema.ts";
import { COUNT_MAX, formatDuration } from "./units.ts";
import * as t from "./values.ts";

/** The file. Input is what TOML holds; output has addresses parsed, milliseconds, bytes and every default. */
export const fileSchema = t.table("The configuration of weir.", {
  admin: v.optional(
    t.table("Where weir shows what it does.", {
      listen: v.optional(t.listenAddressOrOff(`Address of metrics and API, or "off"; ${DEFAULT_ADMIN} by default.`)),
      token_env: v.optional(t.label("The environment variable with the token that changes over the API need.")),
    }),
    {},
  ),
  log: v.optional(
    t.table("What weir prints.", {
      level: v.optional(
        t.choice("How much: debug shows each connection, trace each read.", LEVELS),
        DEFAULTS.log.level,
      ),
      format: v.optional(t.choice("For people or for programs.", ["text", "json"]), DEFAULTS.log.format),
      summary_interval: v.optional(
        t.durationOrOff('Time between summary lines, or "off".'),
        formatDuration(DEFAULTS.log.summaryInterval),
      ),
      connections: v.optional(
        t.flag("A line when a connection opens and one when it closes; levels debug and trace always have them."),
      ),
      access: v.optional(t.flag("One record of each connection that has ended; true by default if format is json.")),
    }),
    {},
  ),
  engine: v.optional(
    t.table("What relays the bytes.", {
      mode: v.optional(
        t.choice("native: threads over libc, Linux alone; portable: the runtime's own sockets.", ENGINES),
        DEFAULTS.engine.mode,
      ),
      workers: v.optional(t.workers("Threads of the native engine; auto: one for each core."), "auto"),
    }),
    {},
  ),
  shutdown: v.optional(
    t.table("How weir stops.", {
      grace: v.optional(
        t.duration("How long connections may take to finish before they are cut."),
        formatDuration(DEFAULTS.shutdown.grace),
      ),
    }),
    {},
  ),
  dns: v.optional(
    t.table("How names behind dns:// and dns+srv:// targets are resolved.", {
      servers: v.optional(t.endpoints("DNS servers; those of the machine by default."), []),
      interval: v.optional(t.period("Time between two questions."), formatDuration(DEFAULTS.proxy.dns.interval)),
      timeout: v.optional(t.period("Time for an answer."), formatDuration(DEFAULTS.proxy.dns.timeout)),
    }),
    {},
  ),
  toxiproxy: v.optional(
    t.table("Toxiproxy's API, which makes proxies and faults at run time.", {
      listen: t.listenAddress("Where it is served, usually 127.0.0.1:8474."),
    }),
  ),
  seed: v.optional(t.wholeNumber("Where all chance comes from; another one at each start without it.", COUNT_MAX)),
  proxy: v.optional(t.list("The proxies.", "tables written [[proxy]]", proxySchema()), []),
  mux: v.optional(t.list("Proxies that share connections.", "tables written [[mux]]", muxSchema()), []),
  udp: v.optional(t.list("Bridges of datagrams.", "tables written [[udp]]", bridgeSchema()), []),
});

/** weir's own format. */
export const weirFormat: Format = {
  name: "weir",
  schema: fileSchema,
  keys: keysOf(fileSchema),
  read(file) {
    const result = read(fileSchema, file);
    return result.ok ? { ok: true, value: toConfig(result.value) } : result;
  },
  place: (path, file) => placeOfRoute(toTarget(path, file), file),
};

type File = v.InferOutput<typeof fileSchema>;

function toConfig({ admin, log, engine, shutdown, dns, toxiproxy, seed, proxy, mux, udp }: File): Config {
  const listen = admin.listen === undefined ? parseAddress(DEFAULT_ADMIN, "listen") : admin.listen;
  return {
    admin: { listen, explicit: admin.listen !== undefined, tokenEnv: admin.token_env ?? null },
    log: logConfig({ ...log, summaryInterval: log.summary_interval }),
    engine,
    shutdown: { grace: shutdown.grace },
    toxiproxy: toxiproxy?.listen ?? null,
    seed: seed ?? null,
    proxies: [
      ...proxy.map((each, index) => toProxy(each, index, dns)),
      ...mux.map((each, index) => toMux(each, index, dns)),
    ],
    bridges: udp.map(toBridge),
  };
}

/** `target` is short for `targets` with one element; problems stand at whichever the file has. */
function toTarget(path: Path, file: Table): Path {
  const [list, index, field] = path;
  if ((list !== "proxy" && list !== "mux") || typeof index !== "number" || field !== "targets") return path;
  const all = file[list];
  const proxy: unknown = Array.isArray(all) ? all[index] : undefined;
  return isTable(proxy) && "target" in proxy ? [list, index, "target"] : path;
}
