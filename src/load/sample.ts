/** What one thread has seen in one second, as data that goes from thread to thread. */

export interface Sample {
  /** Seconds since measuring began, from 0. */
  readonly second: number;
  /** Requests that have their whole reply. */
  readonly requests: number;
  /** Of these, those whose reply came after the end. */
  readonly late: number;
  /** Bytes of replies. */
  readonly bytes: number;
  /** What failed, by {@link Trouble}, or by the code of the `SocketError`. */
  readonly errors: Readonly<Record<string, number>>;
  /** Clients that are connected now. */
  readonly connections: number;
  /** From when a request was due; pairs of microseconds and how often. */
  readonly latencies: readonly number[];
  /** From when it was sent; where requests have no fixed times nothing, as they are due when they are sent. */
  readonly services: readonly number[];
}

/** How a request can fail that has nothing to do with an error of the system. */
export type Trouble =
  /** No whole reply in time. */
  | "timeout"
  /** What came back is not what was sent. */
  | "mismatch"
  /** The target has closed the connection before its reply was whole. */
  | "closed"
  /** Neither answered nor failed when the time was up, or due and never sent. */
  | "unfinished";
