/** Addresses of peers, as runtimes and kernels spell them. */
import { sameAddress, type TcpAddress } from "../../src/net/address.ts";
import type { Endpoint } from "../../src/net/runtime.ts";

export function endpoint(host: string | undefined, port: number | undefined): TcpAddress {
  return { kind: "tcp", host: plainHost(host ?? ""), port: port ?? 0 };
}

/** An IPv4 peer of a dual-stack socket is shown as IPv4 (RFC 4291 section 2.5.5.2). */
export function plainHost(host: string): string {
  return host.startsWith("::ffff:") ? host.slice(7) : host;
}

/** Whether both are one IP address, however it is spelled and without regard to zones. */
export function sameHost(one: string, other: string): boolean {
  return sameAddress(
    { kind: "tcp", host: withoutZone(one), port: 0 },
    { kind: "tcp", host: withoutZone(other), port: 0 },
  );
}

/** The same of endpoints. */
export function sameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port && sameHost(one.host, other.host);
}

export function withoutZone(host: string): string {
  return host.replace(/%.*/, "");
}
