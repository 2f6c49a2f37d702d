/** What went wrong in a handshake, in the seam's codes and in words; the three runtimes say it in three ways. */
import { type Address, formatAddress } from "../../src/net/address.ts";
import { explain, SocketError } from "../../src/net/errors.ts";
import { codeOf } from "./errors.ts";
import { IN_DENO } from "./tls-stream.ts";

/** Names and texts of OpenSSL, BoringSSL and Rustls for what a client does wrong, and what it means. */
const CLIENT_FAULTS: readonly [said: RegExp, why: string][] = [
  [/HTTP_REQUEST|http request/, "the client speaks plain HTTP to a port for TLS"],
  [/InvalidContentType|WRONG_VERSION_NUMBER|wrong version number/, "what the client sends is no TLS (plain HTTP?)"],
  [/UNSUPPORTED_PROTOCOL|unsupported protocol|VERSION_TOO_LOW/, "the client's version of TLS is too old"],
  [/SignatureAlgorithmsExtensionRequired|Tls12NotOffered/, "the client's version of TLS is too old"],
  [/NO_SHARED_CIPHER|no shared cipher|NoCipherSuitesInCommon/, "there is no cipher that both sides know"],
  [/NO_APPLICATION_PROTOCOL|no application protocol|NoApplicationProtocol/, "there is no ALPN protocol that both know"],
  [/UNKNOWN_CA|unknown ca|UnknownCA/, "the client does not trust the certificate (unknown CA)"],
  [/BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|certificate unknown|BadCertificate/, "the client refuses the certificate"],
  [/CERTIFICATE_EXPIRED|certificate expired|CertificateExpired/, "the client finds the certificate expired"],
  [/ECONNRESET|socket hang up|UnexpectedEof|unexpected eof|EPIPE/, "the client left during the handshake"],
];

/** A client that was lost in its handshake. */
export function clientFailure(thrown: unknown): SocketError {
  const said = textOf(thrown);
  if (/HANDSHAKE_TIMEOUT|handshake timeout/i.test(said)) {
    return new SocketError("ETLSTIMEOUT", "the client did not finish the TLS handshake in time", { cause: thrown });
  }
  const why = CLIENT_FAULTS.find(([pattern]) => pattern.test(said))?.[1] ?? shortened(said);
  return new SocketError("ETLSHANDSHAKE", `the TLS handshake failed: ${why}`, { cause: thrown });
}

/** Codes of OpenSSL for certificates that are not accepted, as far as there are words for them. */
const VERIFY = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** The same from Rustls, which Deno has. */
const RUSTLS: readonly [said: RegExp, code: string][] = [
  [/certificate: Expired/, "CERT_HAS_EXPIRED"],
  [/certificate: NotValidYet/, "CERT_NOT_YET_VALID"],
  [/certificate: (?:NotValidForName|certificate not valid for name)/, "ERR_TLS_CERT_ALTNAME_INVALID"],
  [/certificate: UnknownIssuer/, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
];

/** Other words of OpenSSL for a certificate. */
const OTHER_VERIFY = /^(?:CERT_|CRL_|INVALID_|UNABLE_TO_|PATH_LENGTH|HOSTNAME_MISMATCH|ERROR_IN_CERT|AKID_|SUBJECT_)/;

/** A target with which the handshake failed; `connected`: TCP was. */
export function targetFailure(to: Address, thrown: unknown, connected: boolean): unknown {
  const said = textOf(thrown);
  const code = codeOf(thrown);
  const rustls = RUSTLS.find(([pattern]) => pattern.test(said))?.[1];
  if (rustls !== undefined) return verifyFailure(to, rustls, said, thrown);
  if (IN_DENO && code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE") {
    // Its one word for an unknown CA and for an expired certificate.
    return verifyFailure(to, "ETLSVERIFY", "its CA is not known here, or it has expired", thrown);
  }
  if (VERIFY.has(code)) return verifyFailure(to, code, said, thrown);
  if (OTHER_VERIFY.test(code) || /invalid peer certificate/.test(said)) {
    return verifyFailure(to, "ETLSVERIFY", `${code} ${said}`, thrown);
  }
  if (!connected || !/SSL|TLS|ECONNRESET|EPROTO|EPIPE|InvalidData|handshake/.test(`${code} ${said}`)) return thrown;
  const why = /ECONNRESET|hang up|EPIPE/.test(`${code} ${said}`)
    ? "the target closed the connection"
    : targetFault(said);
  const text = `Cannot connect to ${formatAddress(to)}: the TLS handshake failed: ${why} (ETLSHANDSHAKE)`;
  return new SocketError("ETLSHANDSHAKE", text, { cause: thrown });
}

export function verifyFailure(to: Address, code: string, said: string, cause?: unknown): SocketError {
  const why = code === "ETLSVERIFY" || code === "ETLSPIN" ? `${explain(code)}: ${shortened(said)}` : explain(code);
  // Which names it has instead is what people want to know.
  const names = code === "ERR_TLS_CERT_ALTNAME_INVALID" ? / altnames: (.*)$/s.exec(said)?.[1] : undefined;
  const more = names === undefined ? "" : `, ${shortened(names)}`;
  return new SocketError(code, `Cannot connect to ${formatAddress(to)}: ${why}${more} (${code})`, { cause });
}

function targetFault(said: string): string {
  if (/WRONG_VERSION_NUMBER|wrong version number|InvalidContentType|packet length too long/.test(said)) {
    return "what the target sends is no TLS";
  }
  if (/PROTOCOL_VERSION|protocol version|UNSUPPORTED_PROTOCOL/.test(said)) return "no version of TLS that both know";
  if (/CERTIFICATE_REQUIRED|certificate required/i.test(said)) return "the target wants a client certificate";
  return shortened(said);
}

function textOf(thrown: unknown): string {
  const { message = "" } = thrown as { message?: string };
  return `${codeOf(thrown)} ${message}`;
}

/** Of OpenSSL's lines with addresses and file names what people can read. */
function shortened(said: string): string {
  const reason = /error:[0-9A-Fa-f]+:[^:]*:[^:]*:([^:\n]+)/.exec(said)?.[1] ?? said;
  return reason.replace(/\s+/g, " ").trim().slice(0, 200);
}
