/**
 * weir's own configuration file, as users write it: one schema for what is valid, what it means and, through
 * its descriptions, what can be said about it.
 */
import * as v from "valibot";
import { parseAddress } from "../net/address.ts";
import {
  type Config,
  DEFAULT_ADMIN,
  DEFAULTS,
  ENGINES,
  LEVELS,
  logConfig,
  type ProxyConfig,
  REFUSALS,
  RETRIES_MAX,
} from "./config.ts";
import type { Path } from "./problem.ts";
import { type Format, keysOf, read } from "./read.ts";
import { isTable, type Table } from "./toml.ts";
import { formatDuration } from "./units.ts";
import * as t from "./values.ts";

/** The file. Input is what TOML holds; output has addresses parsed, milliseconds, bytes and every default. */
export const fileSchema = t.table(
  "The configuration of weir.",
  {
    admin: v.optional(
      t.table(
        "Where weir shows what it does.",
        {
          listen: v.optional(
            t.listenAddressOrOff(`Address of metrics and API, or "off"; ${DEFAULT_ADMIN} by default.`),
          ),
        },
        ["token_env"],
      ),
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
    proxy: v.optional(t.list("The proxies.", "tables written [[proxy]]", proxySchema()), []),
  },
  ["mux", "udp"],
);

/** weir's own format. */
export const weirFormat: Format = {
  name: "weir",
  keys: [...keysOf(fileSchema).known, ...keysOf(fileSchema).later],
  read(file) {
    const result = read(fileSchema, file);
    return result.ok ? { ok: true, value: toConfig(result.value) } : result;
  },
  place: toTargets,
};

type File = v.InferOutput<typeof fileSchema>;
type Proxy = File["proxy"][number];

function proxySchema() {
  const fields = t.table(
    "One listening address with its rules.",
    {
      name: v.optional(t.label("What logs and metrics call it; proxy-1, proxy-2, … by default.")),
      listen: t.listenAddress("Where clients connect; port 0 takes a free port."),
      target: v.optional(t.targetAddress("Where weir connects for each client.")),
      targets: v.optional(targetsSchema()),
      buffer: v.optional(t.bufferSize("Bytes held per direction before weir stops reading."), DEFAULTS.proxy.buffer),
      nodelay: v.optional(t.flag("TCP_NODELAY: small writes leave at once."), DEFAULTS.proxy.noDelay),
      keepalive: v.optional(
        t.durationOrOff('Silence before TCP keepalive probes, or "off".'),
        formatDuration(DEFAULTS.proxy.keepAlive),
      ),
      allow: v.optional(t.cidrs("Who is let in; the narrowest range decides, here or in deny.")),
      deny: v.optional(t.cidrs("Who is shut out.")),
      refuse: v.optional(
        t.choice("What a client gets that is not let in: RST or FIN.", REFUSALS),
        DEFAULTS.proxy.refuse,
      ),
      retries: v.optional(
        t.wholeNumber("How often a target that cannot be connected is tried again.", RETRIES_MAX),
        DEFAULTS.proxy.retries,
      ),
      source: v.optional(t.ipAddress("The local IP address from which targets are connected.")),
      timeouts: v.optional(timeoutsSchema(), {}),
    },
    [
      "balance",
      "max_connections",
      "queue",
      "schedule",
      "rate",
      "proxy_protocol",
      "health",
      "observer",
      "filter",
      "fault",
    ],
  );
  return v.pipe(
    fields,
    v.forward(
      v.partialCheck(
        [["target"], ["targets"]],
        ({ target, targets }) => target !== undefined || targets !== undefined,
        'the key "target" is missing',
      ),
      ["target"],
    ),
    v.forward(
      v.partialCheck(
        [["target"], ["targets"]],
        ({ target, targets }) => target === undefined || targets === undefined,
        'write either "target" or "targets", not both',
      ),
      ["targets"],
    ),
  );
}

function targetsSchema() {
  const written = t.targetAddress("An address alone.");
  const detailed = t.table("An address with more to say.", { address: t.targetAddress("Where weir connects.") }, [
    "weight",
  ]);
  const target = v.union([written, detailed], t.wrong('an address such as "10.0.0.1:8080" or { address = "…" }'));
  return v.pipe(
    t.list("Where weir connects for each client.", "an array of addresses", target),
    // Not minLength and maxLength, which say nothing as long as an element is wrong.
    v.rawCheck(({ dataset, addIssue }) => {
      const count = Array.isArray(dataset.value) ? dataset.value.length : 1;
      if (count === 0) addIssue({ message: "there is no target; write one address" });
      if (count > 1) {
        addIssue({ message: "several targets are not supported yet; keep one, or write a [[proxy]] for each" });
      }
    }),
  );
}

function timeoutsSchema() {
  const { connect, idle, fin, lifetime } = DEFAULTS.proxy.timeouts;
  return t.table('After which times weir gives up; 0s or "off" never does.', {
    connect: v.optional(t.durationOrOff("To reach the target."), formatDuration(connect)),
    idle: v.optional(t.durationOrOff("Without a byte either way."), formatDuration(idle)),
    fin: v.optional(t.durationOrOff("Without a byte the other way, after one side has finished."), formatDuration(fin)),
    lifetime: v.optional(t.durationOrOff("From accept to the end."), formatDuration(lifetime)),
  });
}

function toConfig({ admin, log, engine, shutdown, proxy }: File): Config {
  const listen = admin.listen === undefined ? parseAddress(DEFAULT_ADMIN, "listen") : admin.listen;
  return {
    admin: { listen, explicit: admin.listen !== undefined },
    log: logConfig({ ...log, summaryInterval: log.summary_interval }),
    engine,
    shutdown: { grace: shutdown.grace },
    proxies: proxy.map(toProxy),
  };
}

function toProxy(proxy: Proxy, index: number): ProxyConfig {
  const targets = proxy.targets?.map((target) => ("address" in target ? target.address : target)) ?? [];
  return {
    name: proxy.name ?? `proxy-${index + 1}`,
    listen: proxy.listen,
    targets: proxy.target ? [proxy.target] : targets,
    timeouts: proxy.timeouts,
    buffer: proxy.buffer,
    noDelay: proxy.nodelay,
    keepAlive: proxy.keepalive,
    allow: proxy.allow ?? [],
    deny: proxy.deny ?? [],
    refuse: proxy.refuse,
    retries: proxy.retries,
    source: proxy.source ?? null,
  };
}

/** `target` is short for `targets` with one element; problems stand at whichever the file has. */
function toTargets(path: Path, file: Table): Path {
  const [list, index, field] = path;
  if (list !== "proxy" || typeof index !== "number" || field !== "target" || !Array.isArray(file.proxy)) return path;
  const proxy: unknown = file.proxy[index];
  return isTable(proxy) && "targets" in proxy ? ["proxy", index, "targets", 0] : path;
}
