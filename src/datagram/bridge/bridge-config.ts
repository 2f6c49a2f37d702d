/** A bridge: what it reads datagrams from, and where each of them goes. */
import { TARGET_TLS, type TargetTlsConfig } from "../../tls/tls-config.ts";
import type { SinkAddress, SourceAddress } from "./route-address.ts";

export const CUTS = ["size", "lines"] as const;
export const WHEN_FULL = ["drop", "disconnect", "block"] as const;
export const FSYNCS = ["never", "second", "always"] as const;

export interface BridgeConfig {
  readonly name: string;
  /** At least one. */
  readonly from: readonly SourceAddress[];
  readonly to: readonly SinkAddress[];
  /** Bytes of a datagram that is cut from a stream, at most; 1 to {@link DATAGRAM_MAX}. */
  readonly datagramSize: number;
  /** How a stream becomes datagrams: as it comes, or line by line. A longer line is several. */
  readonly cut: (typeof CUTS)[number];
  /** For what is sent to multicast groups. */
  readonly multicast: MulticastConfig;
  /** Bytes of kernel buffer for each socket that receives. */
  readonly receiveBuffer: number;
  /** Bytes that wait for each connection which gets what passes. */
  readonly buffer: number;
  /** What becomes of whoever does not keep up: datagrams are skipped, it is cut off, or sources wait for it. */
  readonly whenFull: (typeof WHEN_FULL)[number];
  /** Connections that get what passes, at once, for each address; 0: as many as come. */
  readonly maxClients: number;
  readonly file: FileConfig;
  /** How sources are met that say `tls://`. */
  readonly sourceTls: TargetTlsConfig;
}

interface MulticastConfig {
  /** Routers that a datagram may pass, 0 to 255; 1: none. */
  readonly ttl: number;
  /** Members on this machine get a copy. */
  readonly loopback: boolean;
  /** The name or address of the interface to send from; null: the kernel's choice. */
  readonly interface: string | null;
}

interface FileConfig {
  /** Bytes after which a file is put aside as FILE.1, FILE.2, …; 0: never. */
  readonly maxSize: number;
  /** So many of those are kept. */
  readonly keep: number;
  /** When the disk is waited for. */
  readonly fsync: (typeof FSYNCS)[number];
}

/** RFC 768 over IPv4: 65,535 bytes less the headers of IP and UDP. */
export const DATAGRAM_MAX = 65_507;

export const BRIDGE: Omit<BridgeConfig, "name" | "from" | "to"> = {
  // Fits into an Ethernet frame, also through a tunnel.
  datagramSize: 1_400,
  cut: "size",
  multicast: { ttl: 1, loopback: true, interface: null },
  receiveBuffer: 4 * 1_048_576,
  buffer: 1_048_576,
  whenFull: "drop",
  maxClients: 0,
  file: { maxSize: 0, keep: 5, fsync: "never" },
  sourceTls: TARGET_TLS,
};
