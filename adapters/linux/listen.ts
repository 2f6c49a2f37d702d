/**
 * Making listening sockets. The control plane makes them all, before any thread serves them: a failure to
 * bind is then one error in one place, and a thread that dies takes no waiting client with it.
 */
import { rmSync } from "node:fs";
import type { Listening } from "../../src/engine/threads.ts";
import { type Address, isLoopback } from "../../src/net/address.ts";
import type { ListenOptions } from "../../src/net/runtime.ts";
import { attemptError } from "../portable/errors.ts";
import { isAbstract, prepare } from "../portable/unix-path.ts";
import {
  AF_INET6,
  AF_UNIX,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SHUT_RDWR,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./abi.ts";
import { applyStreamOptions } from "./options.ts";
import { Pacing } from "./pacing.ts";
import type { Resolver } from "./resolver.ts";
import { familyOf } from "./sockaddr.ts";
import { bindTo, localEndpoint, openSocket } from "./sockets.ts";
import type { System } from "./system.ts";

/** Opens `count` listening sockets on one address. Rejects with a `SocketError` that names it. */
export async function listenOn(
  system: System,
  resolver: Resolver,
  at: Address,
  options: ListenOptions,
  count: number,
): Promise<Listening> {
  const descriptors: number[] = [];
  let stopped = false;
  const closeAll = () => {
    for (const fd of descriptors.splice(0)) system.close(fd);
  };
  try {
    await prepare(at);
    const address = at.kind === "unix" ? at : { ...at, host: (await resolver.resolve(at.host))[0] ?? at.host };
    const bound = bindAll(system, address, options, address.kind === "unix" ? 1 : count, descriptors);
    return {
      address: bound.kind === "tcp" && at.kind === "tcp" ? { ...at, port: bound.port } : at,
      descriptors,
      stop,
      close,
    };
  } catch (thrown) {
    closeAll();
    throw attemptError("listen on", at, thrown);
  }

  function stop(): void {
    // Once: the path may be somebody else's by then.
    if (at.kind === "tcp" || stopped) return;
    stopped = true;
    for (const fd of descriptors) endListening(system, fd);
    if (!isAbstract(at)) rmSync(at.path, { force: true });
  }

  function close(): void {
    stop();
    closeAll();
  }
}

/**
 * On a listening socket this ends the listening (Linux), and the descriptor lives on. Whoever waits in the queue of a
 * unix socket can still be accepted (unix_accept), in that of a TCP socket is reset (inet_csk_listen_stop).
 */
export function endListening(system: System, fd: number): void {
  system.libc.shutdown(fd, SHUT_RDWR);
}

function bindAll(system: System, at: Address, options: ListenOptions, count: number, into: number[]): Address {
  const pacing = new Pacing(system);
  let place = at;
  for (let made = 0; made < count; made++) {
    const fd = openSocket(system, at.kind === "unix" ? AF_UNIX : familyOf(at.host), SOCK_STREAM);
    into.push(fd);
    if (at.kind === "tcp") {
      system.setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (familyOf(at.host) === AF_INET6) system.setInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
      applyStreamOptions(system, fd, options);
      if (isLoopback(at.host)) pacing.none(fd);
      // The first is bound without, so that a port which another weir serves is found taken, unless sharing is wanted.
      // (One that comes later and wants to share gets in all the same as soon as there are several: the kernel lets all
      // sockets of a user share, or none.)
      if (made > 0 || options.reusePort) system.setInt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    check(system, "bind", bindTo(system, fd, place));
    if (at.kind === "tcp" && made === 0) {
      place = { ...at, port: localEndpoint(system, fd)?.port ?? at.port };
      if (count > 1) system.setInt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
  }
  for (const fd of into) check(system, "listen", system.libc.listen(fd, options.backlog));
  return place;
}

function check(system: System, call: string, result: number): void {
  const { errno } = system;
  if (result < 0) throw system.error(call, errno);
}
