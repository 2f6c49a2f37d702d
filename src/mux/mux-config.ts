/** What the multiplexer can be told: every default filled in, durations in milliseconds, sizes in bytes. */
import type { Framing } from "./message.ts";

export const PROTOCOL_NAMES = ["echo", "http", "iso8583", "mpu", "modbus", "redis", "length"] as const;
export type ProtocolName = (typeof PROTOCOL_NAMES)[number];

export interface MuxConfig extends Framing {
  readonly protocol: ProtocolName;
  /** Connections to each target, at most. */
  readonly connections: number;
  /** So many of them are opened before anybody needs them, and kept. */
  readonly warm: number;
  /** Requests under way on one connection. */
  readonly inFlight: number;
  /** Requests under way of one client; 0: as many as {@link inFlight}. */
  readonly inFlightPerClient: number;
  /** Requests of one client that wait; beyond them its socket is not read. */
  readonly queuePerClient: number;
  /** Milliseconds from a whole request to its reply, or without a byte of one that has begun; 0: for ever. */
  readonly timeout: number;
  /** Milliseconds from the first byte of a request to its last; 0: for ever. */
  readonly messageTimeout: number;
  /** How often a request that may be repeated goes out again when its connection dies. */
  readonly requestRetries: number;
  /** Milliseconds after which a connection is replaced, give or take a tenth; 0: never. */
  readonly maxAge: number;
  /** Milliseconds without a request after which a connection is closed; 0: never. */
  readonly idle: number;
  /** Connections are closed when the last client leaves. */
  readonly closeWithLast: boolean;
}

export const MUX: Omit<MuxConfig, "protocol"> = {
  maxMessage: 1_048_576,
  delimiter: "\n",
  length: { offset: 0, width: 2, byteOrder: "big", adjust: 0, includes: "rest" },
  match: "order",
  connections: 1,
  warm: 0,
  inFlight: 1,
  inFlightPerClient: 0,
  queuePerClient: 100,
  timeout: 30_000,
  messageTimeout: 30_000,
  requestRetries: 1,
  maxAge: 0,
  idle: 0,
  closeWithLast: false,
};
