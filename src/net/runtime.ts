/**
 * The seam between weir and the machine: everything above this file is plain TypeScript that knows no
 * runtime, everything below it is an adapter (`adapters/`). All I/O and all time go through here, so the
 * same core runs under Bun, Deno and Node, and on whatever implements these types.
 *
 * `test/contract/` holds every adapter to the rules written here.
 */
import type { Address } from "./address.ts";
import type { Chunk, DatagramOptions, DatagramSocket, Endpoint, NetworkInterface } from "./datagram.ts";
import type { FileError, SocketError } from "./errors.ts";
import type { InputEvents, InputFile, OutputFile } from "./files.ts";
import type { ClientTls, ServerTls, TlsInfo, TlsTools } from "./tls.ts";

export type {
  Chunk,
  DatagramEvents,
  DatagramOptions,
  DatagramSocket,
  Endpoint,
  Membership,
  MulticastOptions,
  NetworkInterface,
} from "./datagram.ts";
export type { InputEvents, InputFile, OutputFile } from "./files.ts";

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
   * At most once, before `close`, even while paused: the connection is known to be broken. Nothing can be sent any
   * more and no drain follows, but bytes that came before may be left to read, and `close` waits behind them.
   */
  broken?(error: SocketError): void;
  /**
   * Exactly once, last. Without error: both sides sent FIN, or we called `abort`. With one: `ECONNRESET`
   * (the peer's RST, after the bytes that were read before it), `ETIMEDOUT` (keepalive), `EHANDLER`.
   */
  close(error?: SocketError): void;
}

/** TCP, TLS and unix alike. Created half-open (a FIN one way leaves the other way open) and paused. */
export interface StreamSocket {
  readonly local: Address;
  readonly remote: Address;
  /** Where it is TLS: the bytes are those within, and a FIN is a close_notify with one (RFC 8446 section 6.1). */
  readonly tls?: TlsInfo;
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

/** Counts what a link moves, as the `data` and `pause` of a relay would. */
export interface Meter {
  /** Bytes were read, and are the other socket's to deliver. */
  moved(bytes: number): void;
  /** Reading stopped because the other socket is full. */
  held(): void;
}

/** Sockets that get the same bytes as the one at the end of a link. */
export interface Mirror {
  /** Who could take bytes at this moment, with nothing waiting; undefined: the next bytes have to be shown instead. */
  ready(): readonly StreamSocket[] | undefined;
  /** So many bytes were moved; what became of them for each of those who were ready follows. */
  moved(bytes: number): void;
  /** The socket at `index` has taken `sent` of them and will never get `lost`. */
  mirrored(index: number, sent: number, lost: number): void;
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
  /**
   * SO_REUSEPORT (socket(7)): whoever says so, too, and belongs to the same user may listen on the same TCP address,
   * and the kernel spreads clients over them. Only where `can.reusePort`; a unix socket has nothing of it.
   */
  readonly reusePort?: boolean;
  /**
   * Called when the kernel has no descriptor or memory for another connection (`EMFILE`, `ENFILE`,
   * `ENOBUFS`, `ENOMEM`). Accepting rests for a moment and goes on by itself.
   */
  readonly exhausted?: (error: SocketError) => void;
  /** Of an address with `tls`; `accept` is called after the handshake. */
  readonly serverTls?: ServerTls | undefined;
  /**
   * A client was lost before `accept`: `ETLSTIMEOUT`, `ETLSCLIENT` (its certificate is not accepted), `ETLSHANDSHAKE`
   * for everything else; the message says why.
   */
  readonly handshakeFailed?: (error: SocketError, remote: Address) => void;
}

export interface ConnectOptions extends StreamOptions {
  /** Milliseconds until the attempt, TLS included, fails with `ETIMEDOUT`; 0 leaves it to the kernel. */
  readonly timeout: number;
  /** Of an address with `tls`. */
  readonly clientTls?: ClientTls | undefined;
  /** The local IP address to connect from (TCP alone); `EADDRNOTAVAIL` where this machine does not have it. */
  readonly source?: string | undefined;
  /**
   * Microseconds, 0 to 1,000: after each `write` an adapter with a thread of its own looks out for the answer that long
   * before it sleeps, as SO_BUSY_POLL (socket(7)) does for network devices. Others need not care.
   */
  readonly busyPoll?: number;
}

/** An attempt to connect that its owner can give up. */
export interface Connecting {
  /** Rejects with a {@link SocketError}: `ECONNREFUSED`, `ETIMEDOUT`, `ENOTFOUND`, `EMFILE`, `ECANCELED`, … */
  readonly socket: Promise<StreamSocket>;
  /**
   * Where the adapter can do without a promise: `to` hears what `socket` would have become, once, and not before this
   * returns. For whoever opens thousands of them in a second; asked for once, and `socket` is not asked for then.
   */
  tell?(to: ConnectEvents): void;
  /** Gives the attempt up: it has failed with `ECANCELED`. Does nothing once it has settled. */
  cancel(): void;
}

export interface ConnectEvents {
  connected(socket: StreamSocket): void;
  failed(error: Error): void;
}

/** Where `Runtime.resolve` asks. */
export interface ResolveOptions {
  /**
   * DNS servers, IP address and port (`127.0.0.1:5353`, `[::1]:53`): the next one is asked when one fails or says
   * nothing. None: what the machine is set up to use, for addresses with its hosts file.
   */
  readonly servers: readonly string[];
  /** Milliseconds for all of it. */
  readonly timeout: number;
}

/** Where an instance of a service is (RFC 2782). */
export interface Service {
  /** A name without a trailing dot. */
  readonly host: string;
  readonly port: number;
  /** The lowest is to be tried first. */
  readonly priority: number;
  /** Its share among those of one priority. */
  readonly weight: number;
}

/** Something that listens. */
export interface Bound {
  /** The address really bound: port 0 has become a number. */
  readonly address: Address;
  /** Stops listening and removes the socket file; connections that were accepted live on. */
  close(): Promise<void>;
}

export interface Listener extends Bound {
  /**
   * Unless it is paused, those that wait in the kernel's queue are accepted before: `accept` may be called until this
   * resolves.
   *
   * What comes between the last accept and the end of listening is reset, as is a handshake that is not finished
   * then; over unix sockets of the native adapter there is no such moment. Where several share an address the kernel
   * hands those on to the others with net.ipv4.tcp_migrate_req = 1 (ip-sysctl); without, nothing can.
   */
  close(): Promise<void>;
  /** Stop taking connections; they wait in the kernel's queue. Only where `can.pauseAccept`. */
  pause(): void;
  resume(): void;
  /**
   * Other certificates for the handshakes to come, on an address with `tls`; of all else but `certificates`, `clientCa`
   * and `refuses` nothing changes. Throws, with everything as it was, when they cannot be used.
   */
  renew?(tls: ServerTls): void;
}

export interface Timer {
  cancel(): void;
}

/** Of {@link Runtime.alarm}. */
export interface Alarm {
  /** Rings once, at `at` on the clock of `exactNow`, or soon if that has passed. What was set before is forgotten. */
  set(at: number): void;
  /** It never rings any more, whatever is set. */
  close(): void;
}

/** What the runtime can do beyond the rules every adapter keeps. */
interface Capabilities {
  /** `Listener.pause` works: a full process leaves new clients in the kernel's queue. */
  readonly pauseAccept: boolean;
  /** Unix addresses in the abstract namespace (`unix:@name`), Linux alone. */
  readonly abstractUnix: boolean;
  /** `ListenOptions.reusePort` works, and clients are spread: Linux alone does both. */
  readonly reusePort: boolean;
  /** `DatagramSocket.join` works. */
  readonly multicast: boolean;
  /** With a `source` as well, for IPv4 at least. */
  readonly sourceMulticast: boolean;
}

/** Answers one HTTP request; the standard Request and Response of the web. */
export type Fetch = (request: Request) => Response | Promise<Response>;

export interface Runtime {
  /** What sockets stand on: a runtime's own, or the kernel itself. */
  readonly name: "bun" | "deno" | "node" | "linux";
  readonly version: string;
  readonly can: Capabilities;
  /** Descriptors this process may have open (RLIMIT_NOFILE), if the platform tells. */
  readonly descriptors: number | undefined;
  /** Monotonic milliseconds. It may stand still as long as a turn of the event loop lasts. */
  now(): number;
  /** The same clock at this very moment, with fractions of a millisecond: for what is measured. */
  exactNow(): number;
  /** Milliseconds since 1970 UTC, for records that people read. */
  wallClock(): number;
  /** Runs `run` once, `ms` milliseconds from now, unless cancelled. */
  after(ms: number, run: () => void): Timer;
  /**
   * A timer that can be set again and again. It rings as exactly as the platform can have it: natively some ten
   * microseconds late, elsewhere up to a millisecond or two, never early. It may be a descriptor.
   */
  alarm(ring: () => void): Alarm;
  /** What there is for certificates; undefined where there is no TLS: addresses with `tls` are `ENOTSUP` there. */
  readonly tls?: TlsTools;
  /** Rejects with `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … A stale unix socket file is replaced. */
  listen(at: Address, options: ListenOptions, accept: (socket: StreamSocket) => void): Promise<Listener>;
  connect(to: Address, options: ConnectOptions): Connecting;
  /**
   * Where the adapter can do better than `data` and `write`: from now on whatever arrives at `from` goes to
   * `to` without being shown, as long as `from` is not paused and `to` takes it. `end` and `close` of both
   * still come to their owners, after the bytes before them; `drain` of `to` comes no more.
   *
   * With a mirror others get the same bytes, as long as they are ready. Whatever does not move that way is shown,
   * and its owner's to write to all of them; `drain` comes as ever.
   */
  link?(from: StreamSocket, to: StreamSocket, meter: Meter, mirror?: Mirror): void;
  /**
   * Wherever there is `link`: ends that of `from`, whose bytes are shown again from now on. What it has moved already
   * reaches the other socket before anything that is written to that one.
   */
  unlink?(from: StreamSocket): void;
  /**
   * Rejects with `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `ENODEV`, … Two sockets never share a port unless both are
   * `shared`. On Linux a multicast group is an address to bind to, one of IPv6 with its zone (`ff12::1%eth0`): then
   * only what was sent to that group is received.
   */
  datagram(at: Endpoint, options: DatagramOptions): Promise<DatagramSocket>;
  /** Network interfaces that are up, each once. */
  interfaces(): readonly NetworkInterface[];
  /**
   * All addresses of a name, IPv4 and IPv6, each once and in no order; an address is its own. Rejects with
   * `ENOTFOUND` where there is no such name or it has no address, with `EAI_AGAIN` where that cannot be known: no
   * server answered in time, or they failed. If only one family is known, that is the answer. A server that is no
   * IP address with a port is a `UsageError`.
   *
   *     await runtime.resolve("db.internal", { servers: ["10.0.0.2:53"], timeout: 5_000 });
   */
  resolve(host: string, options: ResolveOptions): Promise<readonly string[]>;
  /** The SRV records of a name such as `_http._tcp.example.org`; rejects as `resolve` does. */
  resolveService(name: string, options: ResolveOptions): Promise<readonly Service[]>;
  /**
   * Loads a module of JavaScript or TypeScript by the path of its file: what it exports. The same path brings a file
   * that has changed since. Missing where there are no modules, as in the threads of the native engine.
   */
  importModule?(path: string): Promise<unknown>;
  /** An HTTP/1.1 server that bounds the size and the time of a request's headers. */
  serve(at: Address, fetch: Fetch): Promise<Bound>;
  /**
   * Opens a file to append to it; one that is not there is made, for its owner alone (mode 0600). Others may append to
   * it as well, also from other threads, as long as the disk is not full. Throws a {@link FileError}: `ENOENT` (no such
   * directory), `EACCES`, `EISDIR`, `EMFILE`, `ENXIO` (a FIFO that nobody reads), … `/dev/fd/N` is the descriptor N
   * itself, which stays open: a file goes on where it stands, and a socket, which cannot be opened, is written to.
   *
   *     const file = runtime.openFile("sessions.jsonl");
   */
  openFile(path: string): OutputFile;
  /**
   * Opens a file to read it; a number is a descriptor that is open already, 0 standard input. Rejects with a
   * {@link FileError}: `ENOENT`, `EACCES`, `EISDIR`, `EBADF`, … Missing where nothing may wait, as in the threads of the
   * native engine.
   */
  openInput?(from: string | number, events: InputEvents): Promise<InputFile>;
  /** The text of a file, all of it. Throws a {@link FileError}: `ENOENT`, `EACCES`, `EISDIR`, … */
  readFile(path: string): string;
  /** `to` is replaced if it is there; who has the file open goes on with it. Throws a {@link FileError}: `ENOENT`, … */
  renameFile(from: string, to: string): void;
  /** Throws a {@link FileError}: `ENOENT`, … */
  removeFile(path: string): void;
}
