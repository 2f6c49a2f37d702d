import type { TcpAddress } from "../../src/net/address.ts";

export function endpoint(host: string | undefined, port: number | undefined): TcpAddress {
  return { kind: "tcp", host: plainHost(host ?? ""), port: port ?? 0 };
}

/** An IPv4 peer of a dual-stack socket is shown as IPv4 (RFC 4291 section 2.5.5.2). */
export function plainHost(host: string): string {
  return host.startsWith("::ffff:") ? host.slice(7) : host;
}
