/** What weir can be told about one observer of a proxy, after reading and checking: plain data, for all threads. */
import type { ObserverAddress } from "./observer-address.ts";

/** Somebody who gets a copy of what the sessions of a proxy send and receive. */
export interface ObserverConfig {
  readonly address: ObserverAddress;
  /** What the client sends (upstream), what it receives (downstream), or both. */
  readonly copies: (typeof COPIES)[number];
  /** Bytes that may wait for the observer in each session. */
  readonly buffer: number;
  readonly whenFull: (typeof WHEN_FULL)[number];
  readonly format: (typeof FORMATS)[number];
}

export const COPIES = ["upstream", "downstream", "both"] as const;

/**
 * When the buffer is full: skip whole reads, cut the observer off for the rest of the session, or hold the session back
 * until there is room.
 */
export const WHEN_FULL = ["drop", "disconnect", "block"] as const;

/** The bytes alone, or each read behind a line that says whose it is; see `framed.ts`. */
export const FORMATS = ["raw", "framed"] as const;

export const OBSERVER = {
  copies: "upstream",
  buffer: 1_048_576,
  whenFull: "drop",
  format: "raw",
} as const satisfies Omit<ObserverConfig, "address">;

/** An observer of which only the address is known. */
export function plainObserver(address: ObserverAddress): ObserverConfig {
  return { address, ...OBSERVER };
}

/** What is wrong with `whenFull`, for this address; undefined: nothing. */
export function wrongWhenFull({ address, whenFull }: Pick<ObserverConfig, "address" | "whenFull">): string | undefined {
  if (address.kind !== "udp" || whenFull === "drop") return undefined;
  return `"${whenFull}" is not for udp://, where nobody says that it is full; write "drop" or leave when_full out`;
}
