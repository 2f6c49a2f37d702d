/** What the native engine needs of a platform: threads that run the core, and sockets that outlive them. */
import type { Address, ListenAddress, UdpAddress } from "../net/address.ts";
import type { DatagramOptions, ListenOptions } from "../net/runtime.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";

/**
 * Rejects, with a reason for people, where there can be none. So many of them, or one for each core, begin at once to load
 * what they run: that takes them as long as the caller needs for the rest of the engine.
 */
export type OpenThreads = (workers: number | "auto") => Promise<Threads>;

/** Threads that did not start, for the reason in the message. */
export class ThreadsError extends Error {}

export interface Threads {
  readonly cores: number;
  /** Opens `count` listening sockets on one address, one for each thread. Rejects with a `SocketError`. */
  listen(at: Address, options: ListenOptions, count: number): Promise<Listening>;
  /** Opens a datagram socket for one thread. Rejects with a `SocketError`. */
  datagram(at: UdpAddress, options: DatagramOptions): Promise<Listening>;
  start(setup: WorkerSetup, events: ThreadEvents): Thread;
  /** Resets and closes the descriptors that a dead thread has left behind, by its ledger. */
  reclaim(ledger: Uint8Array): void;
  /** The addresses of a name. Rejects with an error whose `code` is that of getaddrinfo. */
  lookup(host: string): Promise<readonly string[]>;
  /** Where there is something to gain: gives code back to the kernel that is not needed now. What is called comes back. */
  readonly trimCode?: () => void;
}

export interface Listening {
  /** The address really bound. */
  readonly address: ListenAddress;
  /** One for each thread; of a unix socket there is but one, which they share. */
  readonly descriptors: readonly number[];
  /**
   * No more connections come to a unix socket, while its descriptor stays what it is and threads accept those that
   * wait. Of TCP sockets it would reset them, so each thread ends the listening of its own when it has accepted all.
   */
  stop(): void;
  /** Closes the descriptors; no thread may know them any more. */
  close(): void;
}

/** Everything that a thread gets at its start; the arrays lie in shared memory. */
export interface WorkerSetup {
  readonly index: number;
  /** How many descriptors the process may open. */
  readonly descriptors: number;
  /** The number of sessions in all threads. */
  readonly sessions: Int32Array;
  /** A byte per descriptor, not 0 while the thread has it open. */
  readonly ledger: Uint8Array;
  /** The last id given to a connection. */
  readonly ids: BigUint64Array;
}

export interface ThreadEvents {
  /** It runs and can be spoken to. */
  started(): void;
  message(message: FromWorker): void;
  /** Once, last. Without a stack: it was asked to stop. */
  ended(stack?: string): void;
}

export interface Thread {
  /** Delivers a message soon, even to a thread that sleeps. */
  post(message: ToWorker): void;
}
