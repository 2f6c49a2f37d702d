/** A running bridge as its users see it, wherever it runs: here, or in a thread. */

import type { BridgeConfig } from "./bridge-config.ts";
import type { BridgeEvent } from "./bridge-events.ts";
import { END_CELL, EndCounters } from "./end-counters.ts";

export interface BridgeControl {
  readonly config: BridgeConfig;
  /** Each end at this moment, sources first. */
  readonly ends: readonly EndView[];
  /** Resolves when all sources have ended, as files do, and what they sent is gone. */
  readonly finished: Promise<void>;
  readonly draining: boolean;
  /** Reads no more. Resolves when what was read is gone. */
  drain(): Promise<void>;
  /** Ends at once what drains. */
  cut(): void;
}

/** The addresses of its sources, or of its sinks. */
export function addressesOf({ ends }: BridgeControl, direction: "from" | "to"): readonly string[] {
  return ends.filter((end) => end.direction === direction).map(({ address }) => address);
}

export type TellBridge = (event: BridgeEvent) => void;

/** One end at one moment; see {@link END_CELL} for what the figures mean. */
export interface EndView {
  readonly direction: "from" | "to";
  /** Where it really is. */
  readonly address: string;
  readonly datagrams: number;
  readonly bytes: number;
  readonly overrun: number;
  readonly unsent: number;
  readonly full: number;
  readonly looped: number;
  readonly refused: number;
  readonly connections: number;
  readonly failures: number;
  readonly disconnects: number;
}

export function endViews(
  { from }: BridgeConfig,
  addresses: readonly string[],
  memory: SharedArrayBuffer,
): readonly EndView[] {
  return addresses.map((address, index) => {
    const counters = new EndCounters(memory, index);
    return {
      direction: index < from.length ? "from" : "to",
      address,
      datagrams: counters.get(END_CELL.datagrams),
      bytes: counters.get(END_CELL.bytes),
      overrun: counters.get(END_CELL.overrun),
      unsent: counters.get(END_CELL.unsent),
      full: counters.get(END_CELL.full),
      looped: counters.get(END_CELL.looped),
      refused: counters.get(END_CELL.refused),
      connections: counters.get(END_CELL.connections),
      failures: counters.get(END_CELL.failures),
      disconnects: counters.get(END_CELL.disconnects),
    };
  });
}
