/** Why a connection ended, in one word: the same word in logs, metrics, records and the library. */

export const REASONS = [
  /** Both directions are complete; the client sent its FIN first. */
  "client_closed",
  /** Both directions are complete; the target sent its FIN first. */
  "target_closed",
  "client_reset",
  "target_reset",
  /** The side stopped answering: TCP keepalive or retransmission gave up. */
  "client_lost",
  "target_lost",
  /** No byte either way for `timeouts.idle`. */
  "idle_timeout",
  /** No byte for `timeouts.fin` after one side had sent its FIN. */
  "fin_timeout",
  "lifetime",
  /** weir was told to stop and the grace period was over. */
  "shutdown",
  /** Somebody has closed it over the admin API. */
  "closed_by_admin",
  /** The idlest of so many UDP sessions: another client needed the room. */
  "evicted",
  /** Nobody listens for the datagrams of a UDP session, the target's machine says (ICMP). */
  "target_refused",
  /** A filter has seen what it rejects. */
  "rejected",
  /** A filter that somebody has written threw. */
  "filter_failed",
  /** A fault that was asked for. */
  "fault",
  /** The client has sent what is no message of the protocol that is multiplexed, or may not be sent over a shared connection. */
  "bad_message",
  /** A request over a shared connection was not answered in time, and its protocol has no words for that. */
  "request_timeout",
  /** A bug in weir; the error is in the log. */
  "internal_error",
  // From here on the target was never reached.
  /** The rules do not let this client in. */
  "denied",
  /** A PROXY header was due and did not come, or was none. */
  "bad_header",
  /** The client speaks no TLS, and all targets are for some TLS clients. */
  "no_tls",
  /** A ClientHello was due and did not come, or was none. */
  "bad_hello",
  /** No target is for the server name or the protocols that the client has asked for. */
  "no_route",
  /** The TLS handshake of a client failed, or took too long, or its certificate is not accepted. */
  "tls_handshake_failed",
  "tls_handshake_timeout",
  "tls_client_refused",
  /** No room: `maxConnections` are open and the queue is full, or the client has waited in it for too long. */
  "queue_full",
  "queue_timeout",
  /** No target may be given connections: all are unhealthy, drained or disabled, or DNS knows none. */
  "no_target",
  "connect_refused",
  "connect_timeout",
  "connect_unresolved",
  "connect_unreachable",
  "connect_failed",
  /** The TLS handshake with the target failed, or its certificate is not accepted. */
  "connect_tls_failed",
  "tls_verify_failed",
  /** The process or the machine has no descriptor left. */
  "no_descriptors",
  /** Every local port towards the target is in use (`EADDRNOTAVAIL`). */
  "no_ports",
  /** The client left before the target had answered. */
  "client_gone",
] as const;

export type Reason = (typeof REASONS)[number];

/** The kinds of rules that deny. */
export const DENIALS = ["deny", "allow", "schedule", "max_connections_per_source", "rate"] as const;
export type Denial = (typeof DENIALS)[number];

/** The failures that concern no target. */
export const REFUSED: readonly Reason[] = [
  "denied",
  "bad_header",
  "no_tls",
  "bad_hello",
  "no_route",
  "tls_handshake_failed",
  "tls_handshake_timeout",
  "tls_client_refused",
  "queue_full",
  "queue_timeout",
  "no_target",
];

/** The failures after which it is worth trying again: the target may come back, and nobody here is short of anything. */
export const RETRIED: readonly Reason[] = [
  "connect_refused",
  "connect_timeout",
  "connect_unresolved",
  "connect_unreachable",
  "connect_failed",
  "connect_tls_failed",
  "tls_verify_failed",
];

/** The reasons that count as failed: the client got no target. */
export const FAILURES: readonly Reason[] = [...REFUSED, ...RETRIED, "no_descriptors", "no_ports"];

/** The reason behind the error code of a client's TLS handshake. */
export function handshakeReason(code: string): Reason {
  if (code === "ETLSTIMEOUT") return "tls_handshake_timeout";
  return code === "ETLSCLIENT" ? "tls_client_refused" : "tls_handshake_failed";
}

/** The reason behind the error code of a failed connect. */
export function connectReason(code: string): Reason {
  return CONNECT_REASONS[code] ?? "connect_failed";
}

const CONNECT_REASONS: Readonly<Record<string, Reason>> = {
  CERT_HAS_EXPIRED: "tls_verify_failed",
  CERT_NOT_YET_VALID: "tls_verify_failed",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls_verify_failed",
  EADDRNOTAVAIL: "no_ports",
  EAI_AGAIN: "connect_unresolved",
  ECONNREFUSED: "connect_refused",
  EHOSTUNREACH: "connect_unreachable",
  EMFILE: "no_descriptors",
  ENETUNREACH: "connect_unreachable",
  ENFILE: "no_descriptors",
  ENOBUFS: "no_descriptors",
  ENOENT: "connect_refused",
  ENOMEM: "no_descriptors",
  ENOTFOUND: "connect_unresolved",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls_verify_failed",
  ETIMEDOUT: "connect_timeout",
  ETLSHANDSHAKE: "connect_tls_failed",
  ETLSPIN: "tls_verify_failed",
  ETLSVERIFY: "tls_verify_failed",
  SELF_SIGNED_CERT_IN_CHAIN: "tls_verify_failed",
  UNABLE_TO_GET_ISSUER_CERT: "tls_verify_failed",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls_verify_failed",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls_verify_failed",
};
