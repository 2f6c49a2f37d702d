/**
 * Every libc call that weir makes, in one table for both FFI back ends: the parameters, then `->`, then the
 * result. `size` is a size_t below 2^31, `ptr` an opaque {@link Pointer}; glibc and musl export all of them.
 */
export const SYMBOLS = {
  accept4: ["i32", "ptr", "ptr", "i32", "->", "i32"],
  bind: ["i32", "ptr", "u32", "->", "i32"],
  clock_gettime: ["i32", "ptr", "->", "i32"],
  close: ["i32", "->", "i32"],
  connect: ["i32", "ptr", "u32", "->", "i32"],
  epoll_create1: ["i32", "->", "i32"],
  epoll_ctl: ["i32", "i32", "i32", "ptr", "->", "i32"],
  epoll_wait: ["i32", "ptr", "i32", "i32", "->", "i32"],
  eventfd: ["u32", "i32", "->", "i32"],
  fcntl: ["i32", "i32", "i32", "->", "i32"],
  getpeername: ["i32", "ptr", "ptr", "->", "i32"],
  getsockname: ["i32", "ptr", "ptr", "->", "i32"],
  getsockopt: ["i32", "i32", "i32", "ptr", "ptr", "->", "i32"],
  if_nametoindex: ["ptr", "->", "u32"],
  ioctl: ["i32", "u32", "ptr", "->", "i32"],
  listen: ["i32", "i32", "->", "i32"],
  madvise: ["ptr", "size", "i32", "->", "i32"],
  pipe2: ["ptr", "i32", "->", "i32"],
  read: ["i32", "ptr", "size", "->", "i32"],
  recv: ["i32", "ptr", "size", "i32", "->", "i32"],
  recvmmsg: ["i32", "ptr", "u32", "i32", "ptr", "->", "i32"],
  send: ["i32", "ptr", "size", "i32", "->", "i32"],
  sendmmsg: ["i32", "ptr", "u32", "i32", "->", "i32"],
  setsockopt: ["i32", "i32", "i32", "ptr", "u32", "->", "i32"],
  shutdown: ["i32", "i32", "->", "i32"],
  socket: ["i32", "i32", "i32", "->", "i32"],
  splice: ["i32", "ptr", "i32", "ptr", "size", "u32", "->", "i32"],
  syscall: ["i32", "i32", "ptr", "size", "i32", "ptr", "ptr", "->", "i32"],
  timerfd_create: ["i32", "i32", "->", "i32"],
  timerfd_settime: ["i32", "i32", "ptr", "ptr", "->", "i32"],
  tee: ["i32", "i32", "size", "u32", "->", "i32"],
  write: ["i32", "ptr", "size", "->", "i32"],
  __errno_location: ["->", "ptr"],
} as const;

/** A native address: a number under Bun, an object under Deno. Only the back end looks inside. */
export type Pointer = { readonly __pointer: never } | null;

interface Kinds {
  i32: number;
  u32: number;
  size: number;
  ptr: Pointer;
}

type Table = typeof SYMBOLS;
type Kind = keyof Kinds;

type Parameters<S extends readonly string[]> = S extends readonly ["->", ...string[]]
  ? []
  : S extends readonly [infer K extends Kind, ...infer Rest extends readonly string[]]
    ? [Kinds[K], ...Parameters<Rest>]
    : never;

type Result<S extends readonly string[]> = S extends readonly [...string[], infer K extends Kind] ? Kinds[K] : never;

/** The functions of {@link SYMBOLS}. All but `__errno_location` return -1 on failure and leave why in errno. */
export type Libc = {
  readonly [Name in keyof Table]: (...args: Parameters<Table[Name]>) => Result<Table[Name]>;
};

/** What a back end offers: the only two files that know how a runtime calls C. */
export interface Ffi {
  /** Opens the first library of `names` that has every symbol. Throws what the runtime says about the last one. */
  open(names: readonly string[]): Libc;
  /** Where `memory` lies. It stays there, and must stay reachable for as long as libc may use it. */
  pointer(memory: ArrayBuffer): Pointer;
  /** An address that the kernel has told us. */
  at(address: bigint): Pointer;
  /** `bytes` further on. */
  offset(pointer: Pointer, bytes: number): Pointer;
  /** Makes native memory visible. */
  view(pointer: Pointer, length: number): ArrayBuffer;
  /** Writes an address into memory that libc will read: 64 bits, little-endian. */
  store(into: BigUint64Array, index: number, pointer: Pointer): void;
}

/** Cuts a signature of {@link SYMBOLS} into parameters and result. */
export function signature(words: readonly string[]): { parameters: string[]; result: string } {
  const arrow = words.indexOf("->");
  return { parameters: words.slice(0, arrow), result: words[arrow + 1] ?? "" };
}
