/** A running proxy as its users see it, wherever its core runs: here, or in threads. */
import type { ProxyConfig } from "../config/config.ts";
import type { Counters } from "../metrics/counters.ts";
import type { Address } from "../net/address.ts";
import type { Connection } from "./record.ts";

export interface ProxyControl {
  readonly config: ProxyConfig;
  /** The address really bound. */
  readonly address: Address;
  /** The figures of this moment. */
  readonly counters: Counters;
  /** Not listening any more; live connections may still be finishing. */
  readonly draining: boolean;
  /** The live connections, `limit` of them at most. */
  connections(limit: number): Promise<ConnectionList>;
  /** Stops listening. Resolves when the last connection has ended. */
  drain(): Promise<void>;
  /** Ends every connection with RST, now. */
  cut(): void;
}

export interface ConnectionList {
  /** How many there are, in the list or not. */
  readonly total: number;
  readonly connections: readonly Connection[];
}
