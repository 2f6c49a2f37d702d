/** What can be said about a fault in code. */
import type { FaultType } from "./filter/faults/fault.ts";
import type { Direction } from "./filter/step.ts";
import type { ProtocolName } from "./mux/mux-config.ts";
import type { Duration, Size } from "./option-parts.ts";

/** Which messages a fault is for, in each session: those that fit all that is said here. */
export interface MessageSettings {
  /** How messages are cut. Default "mux": as by the mux that the proxy is; where it is none, this has to be said. */
  readonly protocol?: ProtocolName | "mux";
  /** What ends a message of "echo": 1 to 64 characters, each of them one byte. Default: that of the mux, or `"\n"`. */
  readonly delimiter?: string;
  /** Which one of its direction, from 1, in a session; 0, the default, for any. */
  readonly nth?: number | string;
  /** Each so manieth of them; 0, the default, for any. */
  readonly every?: number | string;
  /** What is in it, as text; `contains_hex`: as bytes such as `"0d 0a"`. Default "": anything. */
  readonly contains?: string;
  readonly contains_hex?: string;
  /** So often in a session at most; 0, the default, for any number. */
  readonly times?: number | string;
}

/** What can be said about each type of fault: Toxiproxy's attributes, in its units. */
export interface FaultAttributes {
  latency: { readonly latency: Duration; readonly jitter?: Duration };
  /** KB/s, thousands of bytes in a second, or text such as `"100KB/s"`. */
  bandwidth: { readonly rate: number | string };
  slow_close: { readonly delay: Duration };
  timeout: { readonly timeout: Duration };
  reset_peer: { readonly timeout?: Duration };
  /** `delay`: microseconds, or text such as `"100us"`. */
  slicer: { readonly average_size: Size; readonly size_variation?: Size; readonly delay?: number | string };
  limit_data: { readonly bytes: Size };
  drop_message: MessageSettings;
  duplicate_message: MessageSettings;
  delay_message: MessageSettings & { readonly latency: Duration };
  down: Readonly<Record<never, never>>;
  /** `probability`: from 0 to 1, for each datagram. */
  drop_datagram: { readonly probability: number | string };
  duplicate_datagram: { readonly probability: number | string };
  reorder_datagram: { readonly probability: number | string; readonly latency?: Duration };
  delay_datagram: { readonly latency: Duration; readonly jitter?: Duration };
}

/** Something that goes wrong on purpose, such as `{ type: "latency", latency: 100, jitter: 20 }`. */
export type FaultOptions = {
  [T in FaultType]: {
    readonly type: T;
    /** No two faults of a proxy share one. Default: type and stream, such as "latency_downstream". */
    readonly name?: string;
    /** The bytes that meet it: from the client ("upstream") or from the target ("downstream", the default). */
    readonly stream?: Direction;
    /** The share of connections that have it, 0 to 1. Default 1. */
    readonly toxicity?: number;
    /** What works before it begins, for each connection; the first of the two counts. Default: nothing. */
    readonly after?: { readonly bytes?: Size; readonly time?: Duration };
  } & FaultAttributes[T];
}[FaultType];

/** Of what may be a number: that. */
type Filled<V> = number extends V ? number : Exclude<V, undefined>;

/** A fault that is set, with everything filled in, numbers in Toxiproxy's units. It can be set again as it is. */
export type Fault = {
  [T in FaultType]: {
    readonly type: T;
    readonly name: string;
    readonly stream: Direction;
    readonly toxicity: number;
    readonly after: { readonly bytes: number; readonly time: number };
  } & { readonly [A in keyof FaultAttributes[T]]-?: Filled<FaultAttributes[T][A]> };
}[FaultType];
