/** What is known of a connection while it lives, and what is left of it when it is over. */
import type { Reason } from "../metrics/reason.ts";
import type { TlsInfo } from "../net/tls.ts";

export interface Connection {
  /** Unique among the connections of this process. */
  readonly id: number;
  readonly proxy: string;
  /** The client's address, which a PROXY header may have told; `unix:` for an unnamed unix socket. */
  readonly client: string;
  /** The one that was chosen, or tried last; null as long as there is none. */
  readonly target: string | null;
  /** For whom a TLS client has asked, where targets are chosen by that; null: for nobody, or it was not looked at. */
  readonly serverName: string | null;
  /** waiting: for its PROXY header or its ClientHello, or in the queue. */
  readonly state: "waiting" | "connecting" | "open" | "half_closed" | "closed";
  /** ISO 8601, UTC. */
  readonly openedAt: string;
  /** Seconds since it was accepted. */
  readonly duration: number;
  /** Seconds from accept until the target took the connection; null before. */
  readonly connectTime: number | null;
  /** Attempts to connect the target beyond the first. */
  readonly retries: number;
  /** Bytes read from the client. */
  readonly bytesUpstream: number;
  /** Bytes read from the target. */
  readonly bytesDownstream: number;
  /** Whole requests, where clients share connections to the target; null where each has its own. */
  readonly requests: number | null;
  /** Of the client's connection; null where it is not TLS. */
  readonly tls: TlsSummary | null;
  /** Of a UDP session alone. */
  readonly datagrams?: DatagramFigures;
}

/** What has become of the datagrams of one session. */
interface DatagramFigures {
  /** Read from the client. */
  readonly upstream: number;
  /** Read from the target. */
  readonly downstream: number;
  /** Those of the client that never left for the target, and those of the target that it could not take. */
  readonly unsent: number;
  /** Those of the target that nobody read in time. */
  readonly overrun: number;
  /** Those that faults took away. */
  readonly faulted: number;
}

export interface TlsSummary {
  /** "TLSv1.2", "TLSv1.3" */
  readonly version: string;
  readonly cipher: string;
  /** The protocol that both sides have chosen. */
  readonly alpn: string | null;
  /** The name that the client has asked for. */
  readonly serverName: string | null;
  /** The first name in the client's certificate, where it had to show one. */
  readonly clientName: string | null;
}

export interface ConnectionRecord extends Connection {
  readonly reason: Reason;
  /** What has decided that it ends, if something did: `deny 10.0.13.0/24`, `max_connections 500`, a filter, a fault. */
  readonly rule: string | null;
  /** The code of the error behind `reason`, if there was one: `ECONNRESET`, `ECONNREFUSED`, … */
  readonly error: string | null;
  /** Bytes read from the client that could not be handed to the target's socket; not what a filter or a fault took away. */
  readonly undeliveredUpstream: number;
  /** Bytes read from the target that could not be handed to the client's socket. */
  readonly undeliveredDownstream: number;
}

export function summaryOf(tls: TlsInfo | undefined): TlsSummary | null {
  if (!tls) return null;
  const { peer, ...rest } = tls;
  return { ...rest, clientName: peer?.names[0] ?? null };
}
