/** Turns what the runtimes throw and emit into the seam's errors. Only `.code` can be trusted on all of them. */
import type { Address } from "../../src/net/address.ts";
import { formatAddress } from "../../src/net/address.ts";
import { explain, SocketError } from "../../src/net/errors.ts";

/** Resolvers have their own names for two outcomes: no such name, and no answer now. */
const ALIASES: Readonly<Record<string, string>> = {
  ABORT_ERR: "ECANCELED",
  DNS_EBADNAME: "ENOTFOUND",
  DNS_ENODATA: "ENOTFOUND",
  DNS_ENOTFOUND: "ENOTFOUND",
  DNS_ESERVFAIL: "EAI_AGAIN",
  DNS_ETIMEOUT: "EAI_AGAIN",
  EAI_FAIL: "EAI_AGAIN",
  EAI_NODATA: "ENOTFOUND",
  EAI_NONAME: "ENOTFOUND",
  EBADNAME: "ENOTFOUND",
  ENODATA: "ENOTFOUND",
  ESERVFAIL: "EAI_AGAIN",
};

/** The stable code of anything thrown; `EUNKNOWN` where there is none. */
export function codeOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return "EUNKNOWN";
  return ALIASES[code] ?? code;
}

/** An error on an open connection. Linux says EPIPE for a reset that comes after the peer's FIN (tcp_reset). */
export function socketError(thrown: unknown): SocketError {
  const code = codeOf(thrown);
  return new SocketError(code === "EPIPE" ? "ECONNRESET" : code, undefined, { cause: thrown });
}

/** A failed `connect` or `listen`, naming what was tried. */
export function attemptError(verb: "connect to" | "listen on", address: Address, thrown: unknown): SocketError {
  if (thrown instanceof SocketError) return thrown;
  const code = codeOf(thrown);
  const detail = code === "EUNKNOWN" && thrown instanceof Error ? thrown.message : explain(code);
  return new SocketError(code, `Cannot ${verb} ${formatAddress(address)}: ${detail} (${code})`, { cause: thrown });
}
