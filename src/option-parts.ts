/** The options of a proxy that have a shape of their own: observers, inspection, filters and faults. */
import type * as v from "valibot";
import { faultProblem } from "./config/check-faults.ts";
import type { ProxyConfig } from "./config/config.ts";
import { parseFault } from "./config/fault-options.ts";
import { faultSchema, repeatedFaults, toFault } from "./config/fault-schema.ts";
import { filterSchema, toFilter } from "./config/filter-schema.ts";
import { inspectSchema, toInspect } from "./config/inspect-schema.ts";
import { parseObserver } from "./config/observer-options.ts";
import { observerSchema, toObserver } from "./config/observer-schema.ts";
import { formatPath, type Path } from "./config/problem.ts";
import { read } from "./config/read.ts";
import { wrong } from "./config/values.ts";
import type { Fault, FaultOptions } from "./fault-settings.ts";
import type { FaultConfig } from "./filter/faults/fault.ts";
import type { FilterConfig } from "./filter/filter.ts";
import type { ScriptFilter } from "./filter/script.ts";
import type { Direction } from "./filter/step.ts";
import { UsageError } from "./net/errors.ts";
import { STDOUT } from "./observe/inspect/file-name.ts";
import type { InspectConfig } from "./observe/inspect/inspect-config.ts";
import type { ObserverConfig } from "./observe/observer-config.ts";

/** Milliseconds, or text such as `"1.5s"`. */
export type Duration = number | string;
/** Bytes, or text such as `"64KiB"`. */
export type Size = number | string;

/** Somebody who gets a copy of what the sessions send and receive. */
export interface ObserverOptions {
  /** `"127.0.0.1:6000"`, `"unix:/run/copy.sock"`, `"udp://127.0.0.1:6000"` or `"file:/tmp/copy-{session}"`. */
  readonly address: string;
  /** What clients send ("upstream", the default), what they receive ("downstream"), or both. */
  readonly copies?: ObserverConfig["copies"];
  /** What may wait for it in each session, 1 KiB to 1 GiB. Default 1 MiB. */
  readonly buffer?: Size;
  /** Skip reads ("drop", the default), cut the observer off ("disconnect"), or hold the session back ("block"). */
  readonly whenFull?: ObserverConfig["whenFull"];
  /** The bytes alone ("raw", the default), or each read behind a line of JSON that says whose it is ("framed"). */
  readonly format?: ObserverConfig["format"];
}

/** How what clients send and get is written down. */
export interface InspectOptions {
  /** A file; `{proxy}`, `{session}`, `{client}` and `{time}` in it stand for what they say. */
  readonly path: string;
  /** A dump for people ("hex", the default), JSON lines, or packets for Wireshark. */
  readonly format?: InspectConfig["format"];
  /** After so much of a session no more of it is recorded. Default 0: all is. */
  readonly maxBytes?: Size;
  /** After so much a new file begins, 4 KiB or more, 0 for never. Default 100 MiB. */
  readonly maxSize?: Size;
  /** How many older files are kept, 0 to 1,000. Default 9. */
  readonly keep?: number;
  /** Whose bytes are recorded. Default "both". */
  readonly direction?: InspectConfig["direction"];
}

/** What a filter looks for: one of the three. */
interface Find {
  readonly find?: string;
  /** Bytes such as `"0d 0a"`. */
  readonly find_hex?: string;
  /** A regular expression, held against each line; the keys below are for it alone. */
  readonly find_regex?: string;
  readonly flags?: string;
  /** What ends a line. Default `"\n"`. */
  readonly delimiter?: string;
  /** Where a line ends at the latest. Default 64 KiB. */
  readonly window?: Size;
  /** Silence after which the beginning of a line is taken for all of it. Default 1 s, for "reject" never (0). */
  readonly wait?: Duration;
}

/** A filter as `[[proxy.filter]]` in a file has it, with the same keys. */
export type FilterSettings = { readonly direction?: Direction | "both" } & (
  | ({ readonly type: "replace"; readonly with?: string; readonly with_hex?: string } & Find)
  | ({ readonly type: "drop" } & Find)
  | ({ readonly type: "reject"; readonly how?: "reset" | "close" } & Find)
  | { readonly type: "limit"; readonly rate: string; readonly burst?: Size }
  | { readonly type: "script"; readonly path: string; readonly options?: Readonly<Record<string, unknown>> }
);

/** @throws {UsageError} `EOBSERVER`, `EADDRESS`, `ESIZE` for text, else `EOPTION`. */
export function readObservers(observers: readonly (string | ObserverOptions)[]): ObserverConfig[] {
  return listed("observers", observers).map((observer, index) => {
    if (typeof observer === "string") return parseObserver(observer);
    return toObserver(checked(["observers", index], observerSchema(), observer));
  });
}

/** @throws {UsageError} `EOPTION` */
export function readInspects(inspects: readonly InspectOptions[]): InspectConfig[] {
  return listed("inspect", inspects).map((inspect, index) => {
    const config = toInspect(checked(["inspect", index], inspectSchema(), inspect));
    if (config.path !== STDOUT) return config;
    throw unusable(
      ["inspect", index, "path"],
      `it is ${inspect.path ? `"${STDOUT}"` : "missing"}; write that of a file`,
    );
  });
}

/** Functions go by what stands for their path: see {@link scriptsOf}. @throws {UsageError} `EOPTION` */
export function readFilters(filters: readonly (ScriptFilter | FilterSettings)[]): FilterConfig[] {
  return listed("filters", filters).map((filter, index) => {
    if (typeof filter === "function") {
      return { type: "script", direction: "both", path: pathOf(index), options: {} };
    }
    const { wait } = { wait: undefined, ...filter };
    const written = typeof wait === "number" ? { ...filter, wait: `${wait}ms` } : filter;
    return toFilter(checked(["filters", index], filterSchema(), written));
  });
}

/** The filters that are functions, by what stands for their path in the configuration. */
export function scriptsOf(filters: readonly (ScriptFilter | FilterSettings)[]): ReadonlyMap<string, ScriptFilter> {
  return new Map(filters.flatMap((filter, index) => (typeof filter === "function" ? [[pathOf(index), filter]] : [])));
}

/** What faults have to know of their proxy. */
type Place = Pick<ProxyConfig, "mux" | "listen">;

/** @throws {UsageError} `EFAULT` for text, else `EOPTION`, also for two of the same name. */
export function readFaults(faults: readonly (string | FaultOptions)[], place: Place): FaultConfig[] {
  const read = listed("faults", faults).map((fault, index) => readFault(["faults", index], fault, place));
  for (const { path, message } of repeatedFaults(read)) throw unusable(["faults", ...path.slice(1)], message);
  return read;
}

/** `at`: what the option is called. @throws {UsageError} `EFAULT` for text, else `EOPTION`. */
export function readFault(at: Path, fault: string | FaultOptions, place: Place): FaultConfig {
  const config = typeof fault === "string" ? parseFault(fault) : toFault(checked(at, faultSchema(), fault));
  const problem = faultProblem(config, place);
  if (!problem) return config;
  if (typeof fault === "string") throw new UsageError("EFAULT", `Cannot use fault "${fault}": ${problem.message}`);
  throw unusable([...at, problem.key], problem.message);
}

export function viewOfFault({ attributes, ...rest }: FaultConfig): Fault {
  return { ...rest, ...attributes } as Fault;
}

function pathOf(index: number): string {
  return `filter ${index + 1}`;
}

function listed<T>(name: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value;
  throw unusable([name], wrong("an array")({ input: value }));
}

/**
 * What `value` becomes: schemas are those of files, where some keys are written in another way.
 *
 * @throws {UsageError} `EOPTION`
 * @internal for the library's own files: its types name a package that users need not have
 */
export function checked<const S extends v.GenericSchema>(at: Path, schema: S, value: object): v.InferOutput<S> {
  const result = read(schema, inFile(value));
  if (result.ok) return result.value;
  const [problem] = result.problems;
  throw unusable([...at, ...(problem?.path ?? []).map(keyInCode)], inCode(problem?.message ?? ""));
}

function unusable(at: Path, why: string): UsageError {
  return new UsageError("EOPTION", `Cannot use the option ${formatPath(at)}: ${why}`);
}

/** Keys of files, and what they are called in code; one that holds another comes before it. */
const KEYS: Readonly<Record<string, string>> = {
  when_full: "whenFull",
  max_bytes: "maxBytes",
  max_size: "maxSize",
  max_message: "maxMessage",
  max_in_flight_per_client: "maxInFlightPerClient",
  in_flight: "inFlight",
  queue_per_client: "queuePerClient",
  message_timeout: "messageTimeout",
  request_retries: "requestRetries",
  max_age: "maxAge",
  close_with_last_client: "closeWithLastClient",
  byte_order: "byteOrder",
  proxy_protocol: "proxyProtocol",
  accept_from: "acceptFrom",
  target_tls: "targetTls",
  min_version: "minVersion",
  client_ca: "clientCa",
  client_names: "clientNames",
  client_fingerprints: "clientFingerprints",
  handshake_timeout: "handshakeTimeout",
  server_name: "serverName",
};

function toFile(key: string): string {
  return Object.keys(KEYS).find((each) => KEYS[each] === key) ?? key;
}

export function keyInCode(part: string | number): string | number {
  return KEYS[part] ?? part;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** With the keys that files have; what is in it stays as it is. */
export function inFile(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [toFile(key), each]));
}

/** A message about a file as one about code. */
export function inCode(message: string): string {
  const words = message
    .replace(/^expected a table\b/, "expected an object")
    .replace(/\bfound a table$/, "found an object");
  return Object.entries(KEYS).reduce((text, [key, name]) => text.replaceAll(key, name), words);
}
