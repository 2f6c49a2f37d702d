/**
 * TLS as the seam has it: what a listener shows its clients, what is asked of a target, and what is known of a
 * connection behind its handshake. Everything is text in memory here; files are the concern of src/tls.
 */

export const TLS_VERSIONS = ["1.2", "1.3"] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** A certificate with its key. */
export interface Credential {
  /** PEM: the certificate, and behind it those that lead to its CA. */
  readonly certificate: string;
  /** PEM, without a passphrase. */
  readonly key: string;
  /** The names of the certificate, by which it is chosen: DNS names, with or without a wildcard, and IP addresses. */
  readonly names: readonly string[];
}

/** How a listener speaks TLS. */
export interface ServerTls {
  /** One at least. The first is for clients that name no server, or one that no certificate is for (RFC 6066, 3). */
  readonly certificates: readonly Credential[];
  readonly minVersion: TlsVersion;
  /** Protocols in the order in which they are preferred (RFC 7301); none: the listener does not take part in that. */
  readonly alpn: readonly string[];
  /** PEM: every client has to show a certificate that leads to one of these. */
  readonly clientCa?: string | undefined;
  /** Why a certificate is not accepted that leads to them; undefined: it is. */
  readonly refuses?: ((peer: PeerCertificate) => string | undefined) | undefined;
  /** Milliseconds for a handshake; 0: any time. */
  readonly handshakeTimeout: number;
}

/** How a target is spoken to over TLS. */
export interface ClientTls {
  /** PEM of the CAs that are trusted; undefined: those that the runtime brings. */
  readonly ca?: string | undefined;
  /** The name that is asked for (SNI) and has to stand in the certificate; undefined: the host that is connected. */
  readonly serverName?: string | undefined;
  /** For targets that want to know who asks. */
  readonly credential?: Credential | undefined;
  /** False: any certificate will do. */
  readonly verify: boolean;
  /** Why a certificate is not accepted that is right in all else; undefined: it is. */
  readonly refuses?: ((peer: PeerCertificate) => string | undefined) | undefined;
  readonly alpn: readonly string[];
}

/** What is checked where nobody says anything. */
export const PLAIN_CLIENT_TLS: ClientTls = { verify: true, alpn: [] };

/** The other side's certificate. */
export interface PeerCertificate {
  /** DNS names and IP addresses for which it stands (subjectAltName); without any, the common name of its subject. */
  readonly names: readonly string[];
  /** SHA-256 of the certificate, 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** SHA-256 of its public key (SubjectPublicKeyInfo, RFC 7469 section 2.4), 64 hexadecimal digits. */
  readonly publicKey: string;
}

/** What a handshake has come to. */
export interface TlsInfo {
  /** "TLSv1.2", "TLSv1.3" */
  readonly version: string;
  /** By its name in the standard, as far as the runtime knows it. */
  readonly cipher: string;
  readonly alpn: string | null;
  /** That the client has asked for. */
  readonly serverName: string | null;
  /** That was verified, or pinned. */
  readonly peer: PeerCertificate | null;
}

/** What a certificate says of itself. */
interface CertificateFacts extends PeerCertificate {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface TlsTools {
  /** Reads the first certificate of a PEM file; undefined: there is none in it. */
  inspect(certificate: string): CertificateFacts | undefined;
  /**
   * What is wrong with a key: "unreadable", "encrypted" (it has a passphrase), "other" (it is that of another
   * certificate); undefined: nothing.
   */
  keyProblem(certificate: string, key: string): "unreadable" | "encrypted" | "other" | undefined;
}
