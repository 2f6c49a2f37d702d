/** What there is to say about a bridge, as data for the log. `end`: an address as people write it. */
export type BridgeEvent =
  /** A source cannot be connected, or what it sent has ended: it is tried again. Once, until it is there again. */
  | { readonly event: "source_lost"; readonly end: string; readonly why: string }
  | { readonly event: "source_back"; readonly end: string }
  /** A group is not joined any more, as its interface has gone; it is tried again. */
  | { readonly event: "left"; readonly end: string; readonly why: string }
  | { readonly event: "joined"; readonly end: string }
  /** Somebody has connected to an end, or is gone. */
  | { readonly event: "connected" | "disconnected"; readonly end: string; readonly peer: string }
  /** Somebody was cut off who did not keep up. */
  | { readonly event: "too_slow"; readonly end: string; readonly peer: string }
  /** What passes cannot be written to a file. */
  | { readonly event: "unwritable"; readonly end: string; readonly why: string }
  /** Datagrams of this bridge have come back to it, so many of them since this was told last. */
  | { readonly event: "looped"; readonly end: string; readonly count: number }
  /** Datagrams were lost, for this reason. */
  | { readonly event: "lost"; readonly end: string; readonly reason: LossReason; readonly count: number };

export type LossReason = "overrun" | "unsent" | "full";
