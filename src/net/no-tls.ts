/** How runtimes answer that have no TLS: by name, so that nobody takes plain bytes for protected ones. */
import { type Address, formatAddress, isTls } from "./address.ts";
import { SocketError } from "./errors.ts";
import type { Connecting } from "./runtime.ts";

/** Of `listen`. @throws {SocketError} `ENOTSUP` */
export function refuseTlsListener(at: Address): void {
  if (isTls(at)) throw missing("listen on", at);
}

/** Of `connect`: an attempt that has failed with `ENOTSUP`; undefined for an address without TLS. */
export function refusedTlsAttempt(to: Address): Connecting | undefined {
  if (!isTls(to)) return undefined;
  return { socket: Promise.reject(missing("connect to", to)), cancel() {} };
}

function missing(verb: "connect to" | "listen on", address: Address): SocketError {
  const text = `Cannot ${verb} ${formatAddress(address)}: there is no TLS in this thread (ENOTSUP)`;
  return new SocketError("ENOTSUP", text);
}
