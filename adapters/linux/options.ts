/** Socket options, as setsockopt(2) wants them. */
import type { StreamOptions } from "../../src/net/runtime.ts";
import { IPPROTO_TCP, SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE, SOL_SOCKET, TCP_KEEPIDLE, TCP_NODELAY } from "./abi.ts";
import type { System } from "./system.ts";

/** On a TCP socket; a listener hands them down to what it accepts (tcp(7)). */
export function applyStreamOptions(system: System, fd: number, options: StreamOptions): void {
  // Urgent bytes stay where they were sent (RFC 6093 section 5); the kernel would take them out and drop them.
  system.setInt(fd, SOL_SOCKET, SO_OOBINLINE, 1);
  if (options.noDelay) system.setInt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.keepAlive <= 0) return;
  system.setInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  system.setInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, Math.max(1, Math.round(options.keepAlive / 1_000)));
}

/** From now on close(2) sends RST, drops what is unsent, and leaves no TIME_WAIT behind (socket(7)). */
export function lingerZero(system: System, fd: number): void {
  system.scratchInts[0] = 1;
  system.scratchInts[1] = 0;
  system.libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, system.scratch.pointer, 8);
}
