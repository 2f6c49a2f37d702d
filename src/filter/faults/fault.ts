/**
 * Faults: what can go wrong on the way, made to happen, for test suites that want to know what their program makes of it.
 * Types and attributes are those of Toxiproxy; `down`, and those that are about whole messages, are not.
 */
import type { MuxConfig } from "../../mux/mux-config.ts";
import type { Direction, Step, StepContext } from "../step.ts";
import { After, type Onset } from "./after.ts";
import { BANDWIDTH } from "./bandwidth.ts";
import { DELAY_DATAGRAM } from "./delay-datagram.ts";
import { DELAY_MESSAGE } from "./delay-message.ts";
import { DOWN } from "./down.ts";
import { DROP_DATAGRAM } from "./drop-datagram.ts";
import { DROP_MESSAGE } from "./drop-message.ts";
import { DUPLICATE_DATAGRAM } from "./duplicate-datagram.ts";
import { DUPLICATE_MESSAGE } from "./duplicate-message.ts";
import type { AttributeValues, DatagramFaultKind, FaultContext, FaultKind } from "./kind.ts";
import { LATENCY } from "./latency.ts";
import { LIMIT_DATA } from "./limit-data.ts";
import { REORDER_DATAGRAM } from "./reorder-datagram.ts";
import { RESET_PEER } from "./reset-peer.ts";
import { SLICER } from "./slicer.ts";
import { SLOW_CLOSE } from "./slow-close.ts";
import { TIMEOUT } from "./timeout.ts";

const OF_STREAMS = {
  latency: LATENCY,
  bandwidth: BANDWIDTH,
  slow_close: SLOW_CLOSE,
  timeout: TIMEOUT,
  reset_peer: RESET_PEER,
  slicer: SLICER,
  limit_data: LIMIT_DATA,
  drop_message: DROP_MESSAGE,
  duplicate_message: DUPLICATE_MESSAGE,
  delay_message: DELAY_MESSAGE,
} as const satisfies Readonly<Record<string, FaultKind>>;

/** Those of streams. */
export const STREAM_FAULTS = { ...OF_STREAMS, down: DOWN } as const;

/** Those of datagrams; `down` is for both. */
export const DATAGRAM_FAULTS = {
  drop_datagram: DROP_DATAGRAM,
  duplicate_datagram: DUPLICATE_DATAGRAM,
  reorder_datagram: REORDER_DATAGRAM,
  delay_datagram: DELAY_DATAGRAM,
} as const satisfies Readonly<Record<string, DatagramFaultKind>>;

/** All there are, by type: files, flags, the API and help are made from it. */
export const FAULTS = { ...OF_STREAMS, ...DATAGRAM_FAULTS, down: DOWN } as const;

export type FaultType = keyof typeof FAULTS;

export const STREAM_TYPES = Object.keys(STREAM_FAULTS) as readonly FaultType[];

export const FAULT_TYPES = Object.keys(FAULTS) as readonly FaultType[];

/** Plain: it can be cloned and sent to other threads. */
export interface FaultConfig {
  /** No two faults of a proxy share one. */
  readonly name: string;
  readonly type: FaultType;
  readonly stream: Direction;
  /** The share of connections that have the fault, 0 to 1. */
  readonly toxicity: number;
  /** What goes well first; nothing if both are 0. */
  readonly after: Onset;
  /** All that its type has, in Toxiproxy's units. */
  readonly attributes: AttributeValues;
}

/** What a fault is called unless it has got a name. */
export function defaultName(type: FaultType, stream: Direction): string {
  return `${type}_${stream}`;
}

export function isStreamFault(type: FaultType): type is keyof typeof STREAM_FAULTS {
  return type in STREAM_FAULTS;
}

export function isDatagramFault(type: FaultType): type is keyof typeof DATAGRAM_FAULTS {
  return type in DATAGRAM_FAULTS;
}

/** Whether a connection gets the fault: to be asked once for each. `random`: as in {@link StepContext}. */
export function hits({ toxicity }: FaultConfig, random: () => number): boolean {
  return random() < toxicity;
}

/**
 * The step that is the fault, to be put into the path of its direction. Its time begins now. What it does to the session
 * it does later, never before this returns, for the reason `fault` and with its name in front of the rule. `mux`: how
 * clients share connections, where they do.
 */
export function createFault(
  { name, type, after, attributes }: FaultConfig,
  context: StepContext,
  mux: MuxConfig | null = null,
): Step {
  if (!isStreamFault(type)) throw new TypeError(`${type} is no fault of streams`);
  const kind: FaultKind = STREAM_FAULTS[type];
  const named: FaultContext = {
    ...context,
    mux,
    cut: (reason, rule) => context.cut(reason, `${name}: ${rule}`),
    close: (reason, rule) => context.close(reason, `${name}: ${rule}`),
  };
  const create = () => kind.create(attributes, named);
  return after.bytes > 0 || after.time > 0 ? new After(after, context.runtime, create) : create();
}
