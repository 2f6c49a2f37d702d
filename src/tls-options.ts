/** What the library's users can say about TLS: the keys of files, as code has them. */
import { checkTls } from "./config/check-tls.ts";
import type { ProxyConfig } from "./config/config.ts";
import { formatPath } from "./config/problem.ts";
import { targetTlsSchema, tlsSchema, toTargetTls, toTls } from "./config/tls-schema.ts";
import { UsageError } from "./net/errors.ts";
import type { TlsVersion } from "./net/tls.ts";
import { checked, type Duration, inCode, keyInCode } from "./option-parts.ts";
import type { ListenTlsConfig, TargetTlsConfig } from "./tls/tls-config.ts";

/** How clients are met that connect to a `"tls://…"` address. Files are looked at every second. */
export interface TlsOptions {
  /** PEM files; one is chosen by the name that a client asks for, else the first. */
  readonly certificates: readonly { readonly certificate: string; readonly key: string }[];
  /** The oldest version. Default "1.2". */
  readonly minVersion?: TlsVersion;
  /** Protocols, the preferred one first, such as `["h2", "http/1.1"]`. */
  readonly alpn?: readonly string[];
  /** A PEM file: clients have to show a certificate of one of these CAs. */
  readonly clientCa?: string;
  /** Of which it has to have one, such as `"*.corp.example"`. */
  readonly clientNames?: readonly string[];
  /** SHA-256 of the certificates, or public keys, that are accepted. */
  readonly clientFingerprints?: readonly string[];
  /** For a client's handshake; 0: any time. Default 10 s. */
  readonly handshakeTimeout?: Duration;
}

/** How targets are met that are written `"tls://…"`. */
export interface TargetTlsOptions {
  /** A PEM file with the CAs that are trusted. Default: those of the runtime. */
  readonly ca?: string;
  /** Asked for and verified. Default: the host of the address. */
  readonly serverName?: string;
  /** PEM files of what is shown to targets that ask. */
  readonly certificate?: string;
  readonly key?: string;
  /** "insecure" takes any certificate, also that of an attacker. Default "full". */
  readonly verify?: TargetTlsConfig["verify"];
  /** SHA-256 of public keys, or certificates, of which the target has to have one. */
  readonly pin?: string | readonly string[];
  readonly alpn?: readonly string[];
}

/** @throws {UsageError} `EOPTION` */
export function readTls(tls: TlsOptions | undefined): ListenTlsConfig | null {
  if (!tls) return null;
  const { handshakeTimeout: time } = tls;
  return toTls(
    checked(["tls"], tlsSchema(), typeof time === "number" ? { ...tls, handshakeTimeout: `${time}ms` } : tls),
  );
}

/** @throws {UsageError} `EOPTION` */
export function readTargetTls(tls: TargetTlsOptions | undefined): TargetTlsConfig | null {
  return tls ? toTargetTls(checked(["targetTls"], targetTlsSchema(), tls)) : null;
}

/** @throws {UsageError} `EOPTION` */
export function refuseTlsContradictions(config: ProxyConfig): ProxyConfig {
  const [problem] = checkTls(config);
  if (!problem) return config;
  const path = formatPath(problem.path.map(keyInCode));
  throw new UsageError("EOPTION", `Cannot use the option ${path}: ${inCode(problem.message)}`);
}
