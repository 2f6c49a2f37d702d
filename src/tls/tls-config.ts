/** What proxies can be told of TLS, after reading and checking: paths of files, fingerprints as hexadecimal digits. */
import { type Address, isTls, type ListenAddress } from "../net/address.ts";
import type { TlsVersion } from "../net/tls.ts";

/** How clients are met. */
export interface ListenTlsConfig {
  /** One at least; the first is for clients that name no server, or one that none is for. */
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: TlsVersion;
  readonly alpn: readonly string[];
  /** The file with the CAs that clients' certificates lead to; null: they need none. */
  readonly clientCa: string | null;
  /** Names of which a client's certificate has to have one; none: any will do. */
  readonly clientNames: readonly string[];
  readonly clientFingerprints: readonly string[];
  /** Milliseconds for a handshake; 0: any time. */
  readonly handshakeTimeout: number;
}

export interface CertificateFiles {
  readonly certificate: string;
  /** The same file may hold both. */
  readonly key: string;
}

/** How targets are met whose addresses say `tls://`. */
export interface TargetTlsConfig {
  /** null: the CAs that the runtime brings. */
  readonly ca: string | null;
  /** Asked for and verified; null: the host of the address. */
  readonly serverName: string | null;
  /** For targets that want to know who connects; null: nothing is shown. */
  readonly credential: CertificateFiles | null;
  readonly verify: (typeof VERIFIES)[number];
  /** SHA-256 of certificates or public keys, of which the target's is one; none: any will do. */
  readonly pins: readonly string[];
  readonly alpn: readonly string[];
}

/** "insecure" takes whatever certificate there is. */
export const VERIFIES = ["full", "insecure"] as const;

export const LISTEN_TLS = {
  minVersion: "1.2",
  alpn: [],
  clientCa: null,
  clientNames: [],
  clientFingerprints: [],
  handshakeTimeout: 10_000,
} as const satisfies Omit<ListenTlsConfig, "certificates">;

export const TARGET_TLS: TargetTlsConfig = {
  ca: null,
  serverName: null,
  credential: null,
  verify: "full",
  pins: [],
  alpn: [],
};

/** What of a proxy concerns TLS. */
export interface TlsSettings {
  readonly listen: ListenAddress;
  readonly targets: readonly { readonly address: { readonly kind: string } }[];
  readonly tls: ListenTlsConfig | null;
  readonly targetTls: TargetTlsConfig | null;
}

/** It ends TLS, or begins it. */
export function usesTls({ listen, targets }: Pick<TlsSettings, "listen" | "targets">): boolean {
  return isTls(listen) || hasTlsTarget({ targets });
}

export function hasTlsTarget({ targets }: Pick<TlsSettings, "targets">): boolean {
  return targets.some(({ address }) => isTls(address as Address));
}

/** What a listener cannot change while it listens, as text; see `Listener.renew` for what it can. */
export function fixedTls({ tls, ...rest }: TlsSettings): string {
  const { minVersion, alpn, clientCa, handshakeTimeout } = tls ?? LISTEN_TLS;
  return JSON.stringify([usesTls(rest), minVersion, alpn, clientCa !== null, handshakeTimeout]);
}
