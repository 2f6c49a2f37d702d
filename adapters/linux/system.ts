/** libc as the rest of the native engine sees it: the calls, errno by name, an arena, and small shared scratch. */
import { constants } from "node:os";
import { arch } from "node:process";
import { SocketError } from "../../src/net/errors.ts";
import type { SocketOption } from "../portable/linux-multicast.ts";
import { Arena, type Block } from "./arena.ts";
import type { Ffi, Libc, Pointer } from "./symbols.ts";
import { uncancelled } from "./uncancelled.ts";

const LIBRARIES = ["libc.so.6", `libc.musl-${arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number as number, name]));
// ENOTSUP and EWOULDBLOCK share their numbers with other names.
NAMES.set(constants.errno.EAGAIN, "EAGAIN");

/** The longest value of an option: sizeof(struct group_source_req). */
const OPTION_MAX = 264;
/** Where in the scratch addresses lie. */
const NAME = 16;

export class System {
  readonly ffi: Ffi;
  readonly libc: Libc;
  readonly arena: Arena;
  /** 256 bytes for arguments and results of one call; whoever calls next overwrites them. */
  readonly scratch: Block;
  readonly scratchInts: Int32Array;
  /** The part of the scratch in which addresses are written and read, behind room for an int or two. */
  readonly name: Uint8Array;
  readonly namePointer: Pointer;
  readonly #errno: Int32Array;
  readonly #ledger: Uint8Array;

  /**
   * Throws when this runtime or this machine has no libc to call. `ledger` has a byte per descriptor: not 0
   * while one is open that was opened here, so that whoever survives this thread can close what it leaves.
   */
  constructor(ffi: Ffi, checked: boolean, ledger: Uint8Array = new Uint8Array(0)) {
    this.ffi = ffi;
    this.libc = uncancelled(ffi.open(LIBRARIES), arch);
    this.arena = new Arena(ffi, checked);
    this.scratch = this.arena.take(256);
    this.scratchInts = new Int32Array(this.scratch.bytes.buffer, this.scratch.bytes.byteOffset, 64);
    this.name = this.scratch.bytes.subarray(NAME, NAME + 128);
    this.namePointer = this.scratchAt(NAME);
    this.#ledger = ledger;
    this.#errno = new Int32Array(ffi.view(this.libc.__errno_location(), 4));
  }

  /** Why the last call failed: to be read straight after it, before anything that can allocate. */
  get errno(): number {
    return this.#errno[0] ?? 0;
  }

  /** Where the scratch begins, or `bytes` further on. */
  scratchAt(bytes: number): Pointer {
    return this.arena.at(this.scratch, bytes);
  }

  /** Sets an option whose value is an int. The result of setsockopt(2). */
  setInt(fd: number, level: number, option: number, value: number): number {
    this.scratchInts[0] = value;
    return this.libc.setsockopt(fd, level, option, this.scratch.pointer, 4);
  }

  /** Sets an option of any value. Throws the {@link SystemError} of setsockopt(2), unless the option may fail. */
  setOption(fd: number, { level, name, value, optional }: SocketOption): void {
    const block = this.arena.take(OPTION_MAX);
    block.bytes.set(value);
    const failed = this.libc.setsockopt(fd, level, name, block.pointer, value.length) < 0;
    const { errno } = this;
    this.arena.give(block);
    if (failed && !optional) throw this.error("setsockopt", errno);
  }

  /** An option whose value is an int; undefined if there is no answer. */
  getInt(fd: number, level: number, option: number): number | undefined {
    this.scratchInts[1] = 4;
    const failed = this.libc.getsockopt(fd, level, option, this.scratch.pointer, this.scratchAt(4));
    return failed < 0 ? undefined : this.scratchInts[0];
  }

  /** Enters a descriptor that was just opened, and returns it. */
  opened(fd: number): number {
    if (fd >= 0) this.#ledger[fd] = 1;
    return fd;
  }

  /** Closes a descriptor: the only way out for those that {@link opened} has entered. */
  close(fd: number): void {
    this.#ledger[fd] = 0;
    this.libc.close(fd);
  }

  /** The error of a failed call, by its name in errno(3). */
  error(call: string, errno = this.errno): SystemError {
    return new SystemError(call, errnoName(errno));
  }
}

/** A call that failed. What was asked of weir, and for whom, is for the caller to say. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;
  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/**
 * What a stream's `close` says. One error for each code: where in our loop it was noticed tells nobody anything,
 * and a stack costs a microsecond.
 */
export function streamError(code: string): SocketError {
  const known = STREAM_ERRORS.get(code) ?? new SocketError(code);
  STREAM_ERRORS.set(code, known);
  return known;
}

const STREAM_ERRORS = new Map<string, SocketError>();

export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}
