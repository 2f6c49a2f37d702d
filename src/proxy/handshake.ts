/** The record of a client whose TLS handshake failed: it never became a session. */
import { handshakeReason } from "../metrics/reason.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { SocketError } from "../net/errors.ts";
import type { ConnectionRecord } from "./record.ts";

/** `now`: milliseconds since 1970. */
export function handshakeRecord(
  id: number,
  proxy: string,
  error: SocketError,
  remote: Address,
  now: number,
): ConnectionRecord {
  return {
    id,
    proxy,
    client: formatAddress(remote),
    target: null,
    state: "closed",
    openedAt: new Date(now).toISOString(),
    duration: 0,
    connectTime: null,
    retries: 0,
    bytesUpstream: 0,
    bytesDownstream: 0,
    requests: null,
    serverName: null,
    tls: null,
    reason: handshakeReason(error.code),
    rule: error.message,
    error: error.code,
    undeliveredUpstream: 0,
    undeliveredDownstream: 0,
  };
}
