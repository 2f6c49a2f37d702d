/** A running proxy as its users see it, wherever its core runs: here, or in threads. */
import type { TargetChange, TargetView } from "../balance/group.ts";
import type { ProxyConfig } from "../config/config.ts";
import type { Counters } from "../metrics/counters.ts";
import type { ListenAddress } from "../net/address.ts";
import type { ObserverCounters, ObserverView } from "../observe/observer-counters.ts";
import type { CertificateState } from "../tls/files.ts";
import type { Connection } from "./record.ts";

export interface ProxyControl {
  /** As it is now: see {@link ProxyControl.configure}. */
  readonly config: ProxyConfig;
  /** The address really bound. */
  readonly address: ListenAddress;
  /** All figures of this moment, added up. */
  readonly counters: Counters;
  /** The same, of the proxy itself and of each target. */
  readonly figures: readonly Counters[];
  readonly targets: readonly TargetView[];
  readonly observers: readonly ObserverView[];
  /** What observers have got, those that have gone included. */
  readonly copies: readonly ObserverCounters[];
  /** Those that it shows to clients or targets, where it speaks TLS. */
  readonly certificates?: readonly CertificateState[];
  /** Resolves when it has been drained so far that its address is free. */
  readonly stopped: Promise<void>;
  /** Not listening any more; live connections may still be finishing. */
  readonly draining: boolean;
  /** The live connections, `limit` of them at most. */
  connections(limit: number): Promise<ConnectionList>;
  /** Ends one connection with RST; false: it is not one of this proxy. */
  close(id: number): Promise<boolean>;
  /** Sets the state or the weight of a target until the configuration has another; false: there is none like that. */
  setTarget(address: string, change: TargetChange): boolean;
  /**
   * Takes another configuration, of the same address: connections that live keep theirs, but for the faults. Resolves when
   * every one that is accepted has it.
   */
  configure(config: ProxyConfig): Promise<void>;
  /** Accepts who waits in the kernel's queue and stops listening. Resolves when the last connection has ended. */
  drain(): Promise<void>;
  /** Ends every connection with RST, now, and those that still come. */
  cut(): void;
}

export interface ConnectionList {
  /** How many there are, in the list or not. */
  readonly total: number;
  readonly connections: readonly Connection[];
}
