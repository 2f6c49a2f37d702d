/** The few libc calls that Bun's sockets lack an API for. Looked up on first use; absent, the feature is absent. */
import { dlopen, ptr } from "bun:ffi";
import { arch, platform } from "node:process";

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

type Libc = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];

let loaded: Libc | undefined | null;
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

export const canDuplicate = (): boolean => libc() !== undefined;

function libc(): Libc | undefined {
  if (loaded === undefined) loaded = open();
  return loaded ?? undefined;
}

function open(): Libc | null {
  for (const name of NAMES[platform] ?? []) {
    try {
      return dlopen(name, SYMBOLS).symbols;
    } catch {
      // Not this libc: the next name, or none.
    }
  }
  return null;
}
