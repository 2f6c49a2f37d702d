/**
 * The errors weir throws. `code` is stable and is what programs should look at; the message is for people
 * and says what was tried, with which value, and what to do.
 */

/** Something the user gave is wrong: an address, a flag, a configuration file. The program exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The kernel or the peer said no. `code` is the name of the error in errno(3) ("ECONNREFUSED",
 * "EADDRINUSE", …), or `ENOTFOUND` / `EAI_AGAIN` for a name that does not resolve, `ECANCELED` for an
 * attempt that was given up, `EHANDLER` for an exception in an event handler, `EUNKNOWN` for the rest. Of TLS they are
 * `ETLSHANDSHAKE`, `ETLSTIMEOUT`, `ETLSCLIENT` (a client's certificate is not accepted) and, for a target's certificate,
 * what OpenSSL calls it ("CERT_HAS_EXPIRED", …), `ETLSPIN`, or `ETLSVERIFY` for the rest.
 */
export class SocketError extends Error {
  override readonly name = "SocketError";
  readonly code: string;
  constructor(code: string, message?: string, options?: ErrorOptions) {
    super(message ?? `${explain(code)} (${code})`, options);
    this.code = code;
  }
}

/**
 * A file cannot be opened, written, renamed or removed. `code` is the name of the error in errno(3) ("ENOSPC",
 * "EACCES", …), or `EUNKNOWN`.
 */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is self-signed",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "the address is not available on this machine",
  EAI_AGAIN: "the name could not be resolved now",
  ECANCELED: "given up",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by the peer",
  EHANDLER: "an event handler threw",
  EHOSTUNREACH: "no route to the host",
  EMFILE: "too many open files in this process",
  ENETUNREACH: "the network is unreachable",
  ENFILE: "too many open files on this machine",
  ENOBUFS: "the kernel is out of socket memory",
  ENOENT: "no such socket file",
  ENOTFOUND: "the name does not resolve",
  EPERM: "operation not permitted",
  EPIPE: "the connection is closed for writing",
  ETIMEDOUT: "timed out",
  ETLSHANDSHAKE: "the TLS handshake failed",
  ETLSPIN: "the certificate is not the one that is pinned",
  ETLSTIMEOUT: "the TLS handshake took too long",
  ETLSVERIFY: "the certificate is not accepted",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another name",
  EUNKNOWN: "unknown error",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate is signed by a CA that is not known here",
  UNABLE_TO_GET_ISSUER_CERT: "the certificate is signed by a CA that is not known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate is signed by a CA that is not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate is signed by a CA that is not known here",
};

/** What an attempt was rejected with; anything but a {@link SocketError} becomes one, `EUNKNOWN`. */
export function asSocketError(thrown: unknown): SocketError {
  return thrown instanceof SocketError ? thrown : new SocketError("EUNKNOWN", String(thrown), { cause: thrown });
}

/** The code in words, for messages: `connection refused`. */
export function explain(code: string): string {
  return WORDS[code] ?? code;
}
