import type { TcpAddress } from "../../src/net/address.ts";

/** An IPv4 peer of a dual-stack listener is shown as IPv4 (RFC 4291 section 2.5.5.2). */
export function endpoint(host: string | undefined, port: number | undefined): TcpAddress {
  return { kind: "tcp", host: host?.startsWith("::ffff:") ? host.slice(7) : (host ?? ""), port: port ?? 0 };
}
