/** The few libc calls that Bun's sockets lack an API for. Looked up on first use; absent, the feature is absent. */
import { dlopen, ptr, toArrayBuffer } from "bun:ffi";
import { constants } from "node:os";
import { arch, platform } from "node:process";
import type { SocketOption } from "../portable/linux-multicast.ts";

/** asm-generic/ioctls.h: bytes in the send queue that the peer has not acknowledged (tcp(7)). */
const SIOCOUTQ = 0x5411;

/** `[SOL_SOCKET, SO_RCVBUF]`: asm-generic/socket.h; sys/socket.h. */
const RECEIVE_BUFFER: Readonly<Record<string, readonly [number, number]>> = {
  linux: [1, 8],
  darwin: [0xffff, 0x1002],
};

const SYMBOLS = {
  dup: { args: ["i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
} as const;

const NAMES: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", `libc.musl-${arch === "arm64" ? "aarch64" : "x86_64"}.so.1`],
  darwin: ["libSystem.B.dylib"],
};

/** Linux alone calls it so. */
const ERRNO = { __errno_location: { args: [], returns: "ptr" } } as const;

type Libc = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];

let loaded: Libc | undefined | null;
let errno: Int32Array | undefined;
const answer = new Int32Array(1);

/** A second descriptor for the same open socket; undefined where that cannot be had. */
export function duplicate(fd: number): number | undefined {
  const copy = libc()?.dup(fd) ?? -1;
  return copy < 0 ? undefined : copy;
}

export function closeDescriptor(fd: number): void {
  libc()?.close(fd);
}

export function sendQueue(fd: number): number | undefined {
  if (platform !== "linux" || fd < 0) return undefined;
  const failed = libc()?.ioctl(fd, SIOCOUTQ, ptr(answer)) ?? -1;
  return failed < 0 ? undefined : answer[0];
}

/** Asks for `bytes` of receive buffer; where that cannot be had the kernel's default stays. */
export function setReceiveBuffer(fd: number, bytes: number): void {
  const option = RECEIVE_BUFFER[platform];
  if (option && fd >= 0) libc()?.setsockopt(fd, ...option, ptr(new Int32Array([bytes])), 4);
}

/** Whether {@link setOption} works. */
export const canSetOptions = (): boolean => platform === "linux" && libc() !== undefined;

/** Throws an error with the code of what the kernel said; nothing where the option may fail. */
export function setOption(fd: number, { level, name, value, optional }: SocketOption): void {
  const failed = libc()?.setsockopt(fd, level, name, ptr(value), value.length) ?? -1;
  const number = errno?.[0];
  if (failed === 0 || optional) return;
  const code = Object.entries(constants.errno).find(([, each]) => each === number)?.[0] ?? "EUNKNOWN";
  throw Object.assign(new Error(`setsockopt: ${code}`), { code });
}

export const canDuplicate = (): boolean => libc() !== undefined;

function libc(): Libc | undefined {
  if (loaded === undefined) loaded = open();
  return loaded ?? undefined;
}

function open(): Libc | null {
  for (const name of NAMES[platform] ?? []) {
    try {
      const { symbols } = dlopen(name, SYMBOLS);
      if (platform === "linux") errno = errnoOf(name);
      return symbols;
    } catch {
      // Not this libc: the next name, or none.
    }
  }
  return null;
}

/** Where this thread finds why a call failed. Another call to ask for the place each time could overwrite it. */
function errnoOf(library: string): Int32Array | undefined {
  const place = dlopen(library, ERRNO).symbols.__errno_location();
  return place === null ? undefined : new Int32Array(toArrayBuffer(place, 0, 4));
}
