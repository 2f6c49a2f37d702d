/** Making sockets and asking for their addresses. */
import type { Address } from "../../src/net/address.ts";
import type { Endpoint } from "../../src/net/runtime.ts";
import { AF_UNIX, SOCK_CLOEXEC, SOCK_NONBLOCK } from "./abi.ts";
import { decodeEndpoint, decodeFamily, encodeEndpoint, encodePath, SOCKADDR_MAX } from "./sockaddr.ts";
import type { System } from "./system.ts";

/** A non-blocking socket. Throws the `SystemError` of socket(2). */
export function openSocket(system: System, family: number, type: number): number {
  const fd = system.opened(system.libc.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd < 0) throw system.error("socket");
  return fd;
}

/** The result of bind(2) to `address`, which is numeric. */
export function bindTo(system: System, fd: number, address: Address | Endpoint): number {
  const unix = "kind" in address && address.kind === "unix";
  const length = unix ? encodePath(system.name, address) : encodeEndpoint(system.name, address as Endpoint, system);
  return system.libc.bind(fd, system.namePointer, length);
}

/** The result of connect(2) to `address`, which is numeric. */
export function connectTo(system: System, fd: number, address: Endpoint): number {
  return system.libc.connect(fd, system.namePointer, encodeEndpoint(system.name, address, system));
}

/** Our own end of `fd`; without a path or port if the socket is gone. */
export function localAddress(system: System, fd: number, gone: boolean): Address {
  const endpoint = gone ? undefined : localEndpoint(system, fd);
  return endpoint ? { kind: "tcp", ...endpoint } : { kind: "unix", path: "" };
}

/** Undefined for a socket without one (unix). */
export function localEndpoint(system: System, fd: number): Endpoint | undefined {
  system.scratchInts[0] = SOCKADDR_MAX;
  if (system.libc.getsockname(fd, system.namePointer, system.scratch.pointer) < 0) return undefined;
  return decodeFamily(system.name) === AF_UNIX ? undefined : decodeEndpoint(system.name);
}
