/** What a load is: who sends what to whom, how often, and for how long. */

import { parseCount, parseSize } from "../config/units.ts";
import type { TcpAddress, UdpAddress, UnixAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";

/** Plain data: it goes to threads as it is. */
export interface Scenario {
  /** As reports show it. */
  readonly name: string;
  readonly target: TcpAddress | UnixAddress | UdpAddress;
  /** Clients at once, 1 or more; each has at most one request under way. */
  readonly connections: number;
  /** Milliseconds that are measured. */
  readonly duration: number;
  /** Milliseconds of the same load before that, which no figure shows. */
  readonly warmup: number;
  /** Milliseconds in which the clients begin one after the other, evenly, before the warm-up; 0: all at once. */
  readonly ramp: number;
  /** Bytes of a request and of its reply, 1 or more. */
  readonly messageSize: number;
  /**
   * Requests a second of all clients together. They are due at fixed times, whatever becomes of those before, and
   * latencies count from then (an open loop). Null: each client asks again as soon as it has its reply (a closed one).
   */
  readonly rate: number | null;
  /** A connection for each request: its latency begins with connecting. */
  readonly reconnect: boolean;
  /** Whether every byte that comes back is compared with what was sent. */
  readonly verify: boolean;
  /** Milliseconds until a request without its whole reply, or an attempt to connect, has failed. */
  readonly timeout: number;
}

/** Those that somebody has given. */
export type Settings = { readonly [Key in keyof Omit<Scenario, "name">]?: Scenario[Key] | undefined };

/** What holds where nobody says anything. */
const SCENARIO: Omit<Scenario, "name" | "target"> = {
  connections: 10,
  duration: 10_000,
  warmup: 1_000,
  ramp: 0,
  messageSize: 1_024,
  rate: null,
  reconnect: false,
  verify: true,
  timeout: 10_000,
};

/** A datagram carries no more over IPv4 (RFC 768, RFC 791). */
const DATAGRAM_MAX = 65_507;
/** Bytes of a message, so that those of all clients fit into memory. */
const MESSAGE_MAX = 64 * 1_024 * 1_024;
export const CONNECTIONS_MAX = 1_000_000;

const S = 1_000;
const KIB = 1_024;

/** The scenarios by which the relay that weir replaces was measured. */
export const MATRIX: readonly Pick<Scenario, "name" | "connections" | "messageSize" | "duration">[] = [
  { name: "baseline", connections: 10, messageSize: KIB, duration: 5 * S },
  { name: "small", connections: 10, messageSize: 64, duration: 5 * S },
  { name: "large", connections: 10, messageSize: 8 * KIB, duration: 5 * S },
  { name: "medium", connections: 50, messageSize: KIB, duration: 5 * S },
  { name: "heavy", connections: 100, messageSize: KIB, duration: 5 * S },
  { name: "stress", connections: 500, messageSize: KIB, duration: 5 * S },
  { name: "big", connections: 10, messageSize: 64 * KIB, duration: 5 * S },
];

/**
 * One that is whole; of two settings the later one holds.
 *
 * @throws {UsageError} `EUSAGE` if there is no target, or the settings contradict each other.
 */
export function scenarioOf(name: string, ...settings: readonly Settings[]): Scenario {
  const given = settings.flatMap((each) => Object.entries(each).filter(([, value]) => value !== undefined));
  const scenario: Omit<Scenario, "target"> & Settings = { ...SCENARIO, name, ...Object.fromEntries(given) };
  const { target, messageSize } = scenario;
  const fail = (why: string): never => {
    throw new UsageError("EUSAGE", `scenario "${name}": ${why}`);
  };
  if (!target) return fail('there is no target; write where to ask, such as 127.0.0.1:8080, or "target" in the file');
  if (target.kind === "udp" && messageSize > DATAGRAM_MAX) {
    fail(`a message of ${messageSize} bytes is too big for a datagram; ${DATAGRAM_MAX} are the most`);
  }
  return { ...scenario, target };
}

/**
 * Reads the size of a message.
 *
 * @returns bytes, 1 to {@link MESSAGE_MAX}
 * @throws {UsageError} `ESIZE`, `ECOUNT`
 */
export function messageSize(text: string): number {
  return parseCount(String(parseSize(text)), 1, MESSAGE_MAX);
}
