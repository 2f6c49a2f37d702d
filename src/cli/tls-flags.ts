/** From the flags for TLS to its configuration. */
import type { ProxyConfig } from "../config/config.ts";
import { UsageError } from "../net/errors.ts";
import { LISTEN_TLS, type ListenTlsConfig, TARGET_TLS, type TargetTlsConfig } from "../tls/tls-config.ts";
import type { FlagValues } from "./command.ts";
import type { TLS_FLAGS } from "./tls-flag-table.ts";

type Flags = FlagValues<(typeof TLS_FLAGS)["flags"][number]>;

/** `where` begins each message. @throws {UsageError} `EUSAGE` for flags that need another one. */
export function tlsConfig(where: string, flags: Flags): Pick<ProxyConfig, "tls" | "targetTls"> {
  return { tls: listening(where, flags), targetTls: targets(where, flags) };
}

/** What means nothing without a certificate. */
const NEEDY = ["tls-key", "tls-min-version", "tls-alpn", "tls-client-ca", "tls-client-name"] as const;

function listening(where: string, flags: Flags): ListenTlsConfig | null {
  const { "tls-certificate": files = [], "tls-key": keys = [] } = flags;
  if (files.length === 0) {
    const lone = NEEDY.find((name) => flags[name] !== undefined && flags[name] !== LISTEN_TLS.minVersion);
    if (lone) {
      throw new UsageError("EUSAGE", `${where}: --${lone} needs --tls-certificate; write the file of a certificate`);
    }
    return null;
  }
  if (keys.length > 0 && keys.length !== files.length) {
    const counts = `there are ${files.length} of --tls-certificate and ${keys.length} of --tls-key`;
    throw new UsageError("EUSAGE", `${where}: ${counts}; write a key for each certificate, in the same order`);
  }
  return {
    ...LISTEN_TLS,
    certificates: files.map((certificate, index) => ({ certificate, key: keys[index] ?? certificate })),
    minVersion: flags["tls-min-version"] ?? LISTEN_TLS.minVersion,
    alpn: flags["tls-alpn"] ?? LISTEN_TLS.alpn,
    clientCa: flags["tls-client-ca"] ?? LISTEN_TLS.clientCa,
    clientNames: flags["tls-client-name"] ?? LISTEN_TLS.clientNames,
  };
}

function targets(where: string, flags: Flags): TargetTlsConfig | null {
  const { "target-ca": ca, "target-name": serverName, "target-certificate": certificate, "target-key": key } = flags;
  const { "target-pin": pins, "target-insecure": insecure } = flags;
  if ([ca, serverName, certificate, key, pins, insecure].every((each) => each === undefined)) return null;
  if (key !== undefined && certificate === undefined) {
    throw new UsageError("EUSAGE", `${where}: --target-key needs --target-certificate; write its file`);
  }
  return {
    ...TARGET_TLS,
    ca: ca ?? null,
    serverName: serverName ?? null,
    credential: certificate === undefined ? null : { certificate, key: key ?? certificate },
    verify: insecure ? "insecure" : "full",
    pins: pins ?? TARGET_TLS.pins,
  };
}
