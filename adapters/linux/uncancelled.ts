/**
 * The calls of every message, without the part of libc that costs some twenty nanoseconds each: in a process with
 * threads it makes them cancellation points (pthreads(7)). Nobody ever cancels a thread of ours, so they go to the
 * kernel by syscall(2), which sets errno in the same way.
 */
import type { Libc } from "./symbols.ts";

/** Numbers of system calls: asm/unistd_64.h, asm-generic/unistd.h. */
const NUMBERS = {
  x64: { sendto: 44, recvfrom: 45, epoll_pwait: 281 },
  arm64: { sendto: 206, recvfrom: 207, epoll_pwait: 22 },
} as const;

/** `arch`: as Node calls it; where the numbers are not known, libc does all. */
export function uncancelled(libc: Libc, arch: string): Libc {
  if (arch !== "x64" && arch !== "arm64") return libc;
  const { sendto, recvfrom, epoll_pwait } = NUMBERS[arch];
  const { syscall } = libc;
  return {
    ...libc,
    send: (fd, bytes, length, flags) => syscall(sendto, fd, bytes, length, flags, null, null),
    recv: (fd, bytes, length, flags) => syscall(recvfrom, fd, bytes, length, flags, null, null),
    epoll_wait: (fd, events, most, timeout) => syscall(epoll_pwait, fd, events, most, timeout, null, null),
  };
}
