/** The part of the seam (runtime.ts) that is UDP: sockets, what they are told, multicast groups and interfaces. */
import type { SocketError } from "./errors.ts";

/** A UDP address: an IPv4 or IPv6 address, never a name, and a port; 0 asks the kernel for a free one. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Bytes on loan: read-only, and valid only until the callback returns. Whoever keeps them copies them. */
export type Chunk = Uint8Array;

/** What a datagram socket tells its owner; nothing of it from inside a method, nothing while paused. */
export interface DatagramEvents {
  /** One datagram, whole and perhaps empty. A socket on `::` takes IPv4 too; `from` is then the plain IPv4 address. */
  message(chunk: Chunk, from: Endpoint): void;
  /** Nothing waits to be sent any more, after {@link DatagramSocket.full} was true. */
  drain?(): void;
  /**
   * Once, last: after `close`, or with the error that ended the socket. An exception in a handler closes the
   * socket with the code `EHANDLER`.
   */
  close(error?: SocketError): void;
}

/** UDP (RFC 768). Created paused. */
export interface DatagramSocket {
  readonly local: Endpoint;
  /**
   * Datagrams given to `send` that never left: the kernel's buffer was full, the datagram too big (65,507
   * bytes of payload over IPv4), its destination of another address family or unreachable, the socket closed.
   * It may be counted a little after `send`, at the latest soon after `close`. One that nobody listened for
   * has left.
   */
  readonly unsent: number;
  /** Datagrams that arrived and were lost because nobody read in time, as far as the adapter can tell. */
  readonly overrun: number;
  /**
   * ICMP port unreachable (or the like) heard about datagrams that were sent, as far as the adapter can tell: of a
   * socket that is not connected few kernels say it, and several that come at once may count as one.
   */
  readonly refused: number;
  /**
   * The kernel takes no more now: what is sent waits, up to 1 MiB, and the rest is `unsent`. Who can wait goes on at
   * `drain`. It may be known a little after `send`.
   */
  readonly full: boolean;
  on(events: DatagramEvents): void;
  /**
   * Takes a copy if it has to wait; never blocks, never throws. Every loss is counted in `unsent`. A connected socket
   * sends to its `remote`, whatever `to` says.
   */
  send(chunk: Chunk, to: Endpoint): void;
  /** What arrives meanwhile waits in the kernel, or in at most 1 MiB of memory; the rest is lost. */
  pause(): void;
  resume(): void;
  /**
   * Becomes a member of a group; once more does no harm. Throws a {@link SocketError}: `EINVAL` (no group, or of
   * another address family), `ENODEV` (no such interface, or no route to choose one by), `EADDRNOTAVAIL`, `ENOBUFS`
   * (too many: net.ipv4.igmp_max_memberships), `EOPNOTSUPP` (not here: see `can`), … Verified where the system shows
   * memberships: a join that does not hold is an error.
   */
  join(membership: Membership): void;
  /** Harmless when not joined. */
  leave(membership: Membership): void;
  /**
   * Whether this socket is a member and the kernel still knows the membership on the interface; undefined where the
   * latter cannot be told. An interface that went away takes it along, and `join` is needed once it is back.
   */
  joined(membership: Membership): boolean | undefined;
  /** What waits to be sent goes first; the event `close` follows when the port is free again. */
  close(): void;
}

export interface DatagramOptions {
  /** Bytes of kernel buffer to ask for (SO_RCVBUF; the kernel cuts it down to net.core.rmem_max); 0: its default. */
  readonly receiveBuffer: number;
  /**
   * SO_REUSEADDR (and SO_REUSEPORT where the platform needs it for multicast): several sockets of this machine receive
   * from one multicast address and port, each its own copy. Default false: two sockets never share a port.
   */
  readonly shared?: boolean;
  /** For datagrams that are sent to multicast groups; without, the kernel's defaults: TTL 1, loopback, its own route. */
  readonly multicast?: MulticastOptions;
  /**
   * Connected (connect(2)): receives from this one alone, and `refused` counts its ICMP answers. `send` then always
   * goes there.
   */
  readonly remote?: Endpoint;
  /** Bytes of kernel buffer to ask for (SO_SNDBUF), as `receiveBuffer`. */
  readonly sendBuffer?: number;
}

/** How datagrams to multicast groups are sent (RFC 1112, RFC 3493). */
export interface MulticastOptions {
  /** Hops, 0 to 255 (IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS); with 0 nothing leaves this machine. */
  readonly ttl: number;
  /** Whether this machine's own members get a copy (IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP). */
  readonly loopback: boolean;
  /** Name or IP address of the interface to send from; undefined: the kernel's route. `ENODEV` if there is none. */
  readonly interface?: string | undefined;
}

/** A group and how it is joined. */
export interface Membership {
  /** IPv4 224.0.0.0/4 (RFC 5771) or IPv6 ff00::/8 (RFC 4291 section 2.7), without a zone. */
  readonly group: string;
  /** Only what this address sends: source-specific (RFC 4607). Where `can.sourceMulticast`. */
  readonly source?: string | undefined;
  /** Name or IP address of the interface to hear it on; undefined: the kernel's choice. */
  readonly interface?: string | undefined;
}

/** A network interface that is up and has an address. */
export interface NetworkInterface {
  readonly name: string;
  /** What the kernel numbers it by (if_nametoindex(3)), if that can be told. */
  readonly index?: number;
  /** IPv4 and IPv6, without zones. */
  readonly addresses: readonly string[];
  readonly loopback: boolean;
}
