/**
 * The seam between weir and the machine: everything above this file is plain TypeScript that knows no
 * runtime, everything below it is an adapter (`adapters/`). All I/O and all time go through here, so the
 * same core runs under Bun, Deno and Node, and on whatever implements these types.
 *
 * `test/contract/` holds every adapter to the rules written here.
 */
import type { Address } from "./address.ts";
import type { SocketError } from "./errors.ts";

/** Bytes on loan: read-only, and valid only until the callback returns. Whoever keeps them copies them. */
export type Chunk = Uint8Array;

/**
 * What a socket tells its owner. No event is called from inside a method of the same socket. If a
 * handler throws, that socket is aborted and closes with the code `EHANDLER`; no other socket notices.
 */
export interface StreamEvents {
  /** Bytes from the peer; never while paused, never after `end` or `close`. */
  data(chunk: Chunk): void;
  /** Once after each `write` that returned false, when nothing is buffered any more. */
  drain(): void;
  /** The peer's FIN, exactly once, after all its bytes; our own side stays open. */
  end(): void;
  /**
   * Exactly once, last. Without error: both sides sent FIN, or we called `abort`. With one: `ECONNRESET`
   * (the peer's RST, after the bytes that were read before it), `ETIMEDOUT` (keepalive), `EHANDLER`.
   */
  close(error?: SocketError): void;
}

/** TCP and unix alike. Created half-open (a FIN one way leaves the other way open) and paused. */
export interface StreamSocket {
  readonly local: Address;
  readonly remote: Address;
  /** Bytes taken by `write` that the kernel has not taken yet; after `close`, those it never took. */
  readonly buffered: number;
  on(events: StreamEvents): void;
  /**
   * Takes all of `chunk`. False: the socket holds `buffer` bytes or more (or is no longer writable):
   * stop until `drain`. After `end`, `abort` or `close` the bytes are not taken and no drain follows.
   */
  write(chunk: Chunk): boolean;
  /** FIN after the buffered bytes. */
  end(): void;
  /** RST; buffered bytes are dropped and stay visible in `buffered`. `close` follows. */
  abort(): void;
  /** Stop reading: the kernel's window closes and the peer stalls. The peer's FIN waits as well. */
  pause(): void;
  resume(): void;
  /**
   * Bytes the kernel has taken and the peer has not acknowledged; an RST would destroy them. Undefined
   * where the runtime cannot tell.
   */
  unacknowledged(): number | undefined;
}

/** Options of both ends of a stream. */
export interface StreamOptions {
  /** TCP_NODELAY: small writes leave at once. */
  readonly noDelay: boolean;
  /** Milliseconds of silence before TCP keepalive probes; 0 turns them off. */
  readonly keepAlive: number;
  /** Bytes that `write` may hold before it returns false. */
  readonly buffer: number;
}

export interface ListenOptions extends StreamOptions {
  /** Length of the kernel's accept queue, connections. */
  readonly backlog: number;
}

export interface ConnectOptions extends StreamOptions {
  /** Milliseconds until the attempt fails with `ETIMEDOUT`; 0 leaves it to the kernel. */
  readonly timeout: number;
}

/** An attempt to connect that its owner can give up. */
export interface Connecting {
  /** Rejects with a {@link SocketError}: `ECONNREFUSED`, `ETIMEDOUT`, `ENOTFOUND`, `EMFILE`, `ECANCELED`, … */
  readonly socket: Promise<StreamSocket>;
  /** Gives the attempt up: `socket` rejects with `ECANCELED`. Does nothing once it has settled. */
  cancel(): void;
}

/** Something that listens. */
export interface Bound {
  /** The address really bound: port 0 has become a number. */
  readonly address: Address;
  /** Stops listening and removes the socket file; connections that were accepted live on. */
  close(): Promise<void>;
}

export interface Listener extends Bound {
  /** Stop taking connections; they wait in the kernel's queue. Only where `can.pauseAccept`. */
  pause(): void;
  resume(): void;
}

export interface Timer {
  cancel(): void;
}

/** What the runtime can do beyond the rules every adapter keeps. */
interface Capabilities {
  /** `Listener.pause` works: a full process leaves new clients in the kernel's queue. */
  readonly pauseAccept: boolean;
  /** Unix addresses in the abstract namespace (`unix:@name`), Linux alone. */
  readonly abstractUnix: boolean;
}

/** Answers one HTTP request; the standard Request and Response of the web. */
export type Fetch = (request: Request) => Response | Promise<Response>;

export interface Runtime {
  readonly name: "bun" | "deno" | "node";
  readonly version: string;
  readonly can: Capabilities;
  /** Descriptors this process may have open (RLIMIT_NOFILE), if the platform tells. */
  readonly descriptors: number | undefined;
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970 UTC, for records that people read. */
  wallClock(): number;
  /** Runs `run` once, `ms` milliseconds from now, unless cancelled. */
  after(ms: number, run: () => void): Timer;
  /** Rejects with `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … A stale unix socket file is replaced. */
  listen(at: Address, options: ListenOptions, accept: (socket: StreamSocket) => void): Promise<Listener>;
  connect(to: Address, options: ConnectOptions): Connecting;
  /** An HTTP/1.1 server that bounds the size and the time of a request's headers. */
  serve(at: Address, fetch: Fetch): Promise<Bound>;
}
