/** The socket of one session, connected towards its target. */
import { connectReason, type Reason } from "../../metrics/reason.ts";
import { type Address, anyAddress, isIPv4, isIPv6 } from "../../net/address.ts";
import { asSocketError, SocketError } from "../../net/errors.ts";
import type { DatagramSocket, Endpoint, Runtime } from "../../net/runtime.ts";

/** Kernel buffers of a session: memory that is taken only while datagrams wait in it. */
const BUFFERS = { receiveBuffer: 1 << 20, sendBuffer: 1 << 20 };
/** Milliseconds for the address of a name, where the configuration sets no limit. */
const RESOLVE_TIMEOUT = 5_000;

type Opened =
  | { readonly socket: DatagramSocket; readonly remote: Endpoint }
  | { readonly reason: Reason; readonly error: SocketError };

/** `source`: the local IP address, or the kernel's choice; `timeout`: milliseconds for the address of a name. */
export async function openTowards(
  runtime: Pick<Runtime, "resolve" | "datagram">,
  target: Address,
  source: string | null,
  timeout: number,
): Promise<Opened> {
  try {
    if (target.kind === "unix") throw new SocketError("EAFNOSUPPORT", "a unix socket takes no datagrams of ours");
    const known = isIPv4(target.host) || isIPv6(target.host);
    const hosts = known
      ? [target.host]
      : await runtime.resolve(target.host, { servers: [], timeout: timeout || RESOLVE_TIMEOUT });
    // One of the family that it is to be sent from, if there is.
    const wide = source?.includes(":");
    const host = hosts.find((each) => source === null || each.includes(":") === wide) ?? hosts[0] ?? target.host;
    const remote = { host, port: target.port };
    const local = { host: source ?? anyAddress(host), port: 0 };
    return { socket: await runtime.datagram(local, { ...BUFFERS, remote }), remote };
  } catch (thrown) {
    const error = asSocketError(thrown);
    return { reason: connectReason(error.code), error };
  }
}
