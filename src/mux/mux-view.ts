/** A multiplexer at one moment, as the API and the library show it. */
import type { TargetView } from "../balance/group.ts";
import type { ProxyConfig } from "../config/config.ts";
import { CELL, type Counters } from "../metrics/counters.ts";
import type { ProtocolName } from "./mux-config.ts";

export interface MuxView {
  readonly protocol: ProtocolName;
  /** Connections to each target, at most. */
  readonly connections: number;
  /** Requests under way on each of them, at most. */
  readonly inFlight: number;
  /** Those of the configuration, in the order of the targets. */
  readonly targets: readonly MuxTargetView[];
}

/** What clients that share connections to one target have done with them. */
export interface MuxTargetView {
  readonly address: string;
  /** Connections that are open. */
  readonly connections: number;
  /** Whole requests, of which these many wait for a connection, and for their reply, now. */
  readonly requests: number;
  readonly waiting: number;
  readonly inFlight: number;
  /** Requests that were not answered in time. */
  readonly timeouts: number;
  /** Requests that went out again because their connection had died. */
  readonly retries: number;
  /** Replies that nobody waited for any more. */
  readonly repliesDropped: number;
  /** What the target has sent that was no reply, or none that anybody had asked for. */
  readonly mismatches: number;
  /** Attempts to open a connection after another had failed. */
  readonly redials: number;
}

/** What a {@link MuxView} is made of. */
interface Multiplexing {
  readonly config: Pick<ProxyConfig, "mux">;
  readonly figures: readonly Counters[];
  readonly targets: readonly Pick<TargetView, "address">[];
}

/** Null: its clients share no connections. */
export function muxView({ config: { mux }, figures, targets }: Multiplexing): MuxView | null {
  if (!mux) return null;
  const { protocol, connections, inFlight } = mux;
  const views = targets.flatMap(({ address }) => figures.filter(({ target }) => target === address).map(targetView));
  return { protocol, connections, inFlight, targets: views };
}

function targetView(counters: Counters): MuxTargetView {
  return {
    address: counters.target,
    connections: counters.get(CELL.lines),
    requests: counters.get(CELL.requests),
    waiting: counters.get(CELL.requestsQueued),
    inFlight: counters.get(CELL.requestsInFlight),
    timeouts: counters.get(CELL.requestTimeouts),
    retries: counters.get(CELL.requestRetries),
    repliesDropped: counters.get(CELL.repliesDropped),
    mismatches: counters.get(CELL.mismatches),
    redials: counters.get(CELL.redials),
  };
}
