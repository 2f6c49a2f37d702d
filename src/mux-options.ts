/** How clients share connections, as an option of a proxy. */
import { checkMux } from "./config/check-mux.ts";
import { checkUdpProxy } from "./config/check-udp-proxy.ts";
import type { ProxyConfig } from "./config/config.ts";
import { sharingSchema, toSharing } from "./config/mux-schema.ts";
import { formatPath } from "./config/problem.ts";
import type { LengthField } from "./mux/message.ts";
import type { MuxConfig, ProtocolName } from "./mux/mux-config.ts";
import { UsageError } from "./net/errors.ts";
import { checked, type Duration, inCode, inFile, keyInCode, type Size } from "./option-parts.ts";

/**
 * Clients are cut into requests, which go to the target over few connections that all of them share.
 *
 * ```ts
 * await Proxy.bind(":502", "10.0.0.7:502", { mux: { protocol: "modbus", connections: 2, inFlight: 16, timeout: "5s" } });
 * ```
 */
export interface MuxOptions {
  /** How messages are cut, and matched with their replies: `weir mux list` tells of each. Default "echo". */
  readonly protocol?: ProtocolName;
  /** What ends a message of "echo": 1 to 64 characters, each of them one byte. Default `"\n"`. */
  readonly delimiter?: string;
  /**
   * Where a message of "length" says how long it is: a number of `width` bytes (1, 2, 3, 4 or 8) behind `offset` others
   * (0 to 65,535), to which `adjust` (-1,000,000 to 1,000,000) is added, and which counts all of the message or the rest
   * of it. Default: `{ offset: 0, width: 2, byteOrder: "big", adjust: 0, includes: "rest" }`.
   */
  readonly length?: Partial<LengthField>;
  /** How replies of "iso8583" find who asked: by their "order", the default, or by "stan" (fields 11 and 41). */
  readonly match?: MuxConfig["match"];
  /** Bytes of a message, 64 to 256 MiB. Default 1 MiB. */
  readonly maxMessage?: Size;
  /** Connections to each target, 1 to 10,000. Default 1. */
  readonly connections?: number;
  /** So many of them are opened beforehand, and kept: 0, the default, to `connections`. */
  readonly warm?: number;
  /** Requests under way on one connection, 1 to 10,000. Default 1. */
  readonly inFlight?: number;
  /** Requests of one client under way, up to `inFlight`; 0, the default, for as many as that. */
  readonly maxInFlightPerClient?: number;
  /** Requests of one client that wait, 1 to 10,000; beyond them its socket is not read. Default 100. */
  readonly queuePerClient?: number;
  /** For a reply, and without a byte of one that has begun; 0: for ever. Default 30 s. */
  readonly timeout?: Duration;
  /** From the first byte of a request to its last; 0: for ever. Default 30 s. */
  readonly messageTimeout?: Duration;
  /** How often a request that may be repeated is sent again when its connection has died, 0 to 10. Default 1. */
  readonly requestRetries?: number;
  /** Age at which a connection is replaced; 0, the default: never. */
  readonly maxAge?: Duration;
  /** Time without a request after which a connection is closed; 0, the default: never. */
  readonly idle?: Duration;
  /** Connections are closed when the last client leaves. Default false. */
  readonly closeWithLastClient?: boolean;
}

const DURATIONS = ["timeout", "messageTimeout", "maxAge", "idle"] as const;

/** @throws {UsageError} `EOPTION`, naming the option and what is wrong with it. */
export function readMux(options: MuxOptions): MuxConfig {
  return toSharing(checked(["mux"], sharingSchema(), typeof options === "object" ? written(options) : options));
}

/** As files have it. */
function written(options: MuxOptions): object {
  const durations = DURATIONS.flatMap((name) => {
    const value = options[name];
    return typeof value === "number" ? [[name, `${value}ms`] as const] : [];
  });
  const length = options.length === undefined ? {} : { length: inFile(options.length) };
  return { ...options, ...Object.fromEntries(durations), ...length };
}

/**
 * What cannot be where clients share connections or send datagrams, and options of other protocols.
 *
 * @throws {UsageError} `EOPTION`
 */
export function refuseContradictions(config: ProxyConfig): ProxyConfig {
  const [problem] = [...checkMux(config), ...checkUdpProxy(config)];
  if (!problem) return config;
  const [first = ""] = problem.path;
  const shared = config.mux !== null && config.listen.kind !== "udp";
  const own = shared && first !== "proxy_protocol" && first !== "targets" ? ["mux"] : [];
  const path = formatPath([...own, ...problem.path.map(keyInCode)]);
  throw new UsageError("EOPTION", `Cannot use the option ${path}: ${inCode(problem.message)}`);
}
