/** What contradicts itself where TLS is concerned. */
import { formatAddress, isTls } from "../net/address.ts";
import { hasTlsTarget } from "../tls/tls-config.ts";
import type { ProxyConfig } from "./config.ts";
import { type Path, type Problem, wrong } from "./problem.ts";

/** Paths begin at the proxy. */
export function checkTls(proxy: ProxyConfig): Problem[] {
  return [...listening(proxy), ...clients(proxy), ...targets(proxy)];
}

function listening({ listen, tls, proxyProtocol }: ProxyConfig): Problem[] {
  if (listen.kind === "udp") return [];
  const at = formatAddress(listen);
  if (isTls(listen) && !tls) {
    return [wrong(["listen"], `${at} needs a certificate; add tls.certificates = [{ certificate = "…", key = "…" }]`)];
  }
  if (!isTls(listen) && tls) {
    const remedy = listen.kind === "unix" ? "a unix socket has none" : `write listen = "tls://${at}"`;
    return [wrong(["tls"], `there are certificates, and ${at} is no address for TLS; ${remedy}, or leave tls out`)];
  }
  if (!isTls(listen) || proxyProtocol.acceptFrom.length === 0) return [];
  const why = "a PROXY header would come before the TLS handshake, where weir does not look for one yet";
  return [wrong(["proxy_protocol", "accept_from"], `${why}; leave accept_from out, or end TLS behind weir`)];
}

function clients({ tls }: ProxyConfig): Problem[] {
  if (!tls || tls.clientCa !== null) return [];
  const named: readonly [given: boolean, key: string][] = [
    [tls.clientNames.length > 0, "client_names"],
    [tls.clientFingerprints.length > 0, "client_fingerprints"],
  ];
  return named.flatMap(([given, key]) => {
    const why = `${key} is about clients' certificates, and none is asked for; add client_ca, or leave it out`;
    return given ? [wrong(["tls", key], why)] : [];
  });
}

function targets({ targets, targetTls }: ProxyConfig): Problem[] {
  if (!targetTls) return [];
  const at = (key: string): Path => ["target_tls", key];
  if (!hasTlsTarget({ targets })) {
    const why = 'there is no target with TLS; write one as "tls://host:port", or leave target_tls out';
    return [wrong(["target_tls"], why)];
  }
  const { credential } = targetTls;
  if (credential && credential.key === "") return [wrong(at("certificate"), "its key is missing; add key")];
  if (credential && credential.certificate === "") {
    return [wrong(at("key"), "the certificate to it is missing; add certificate")];
  }
  return [];
}
