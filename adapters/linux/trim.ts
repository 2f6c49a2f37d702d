/**
 * Gives memory back that only the start or a rush needed. Nothing is lost: code that is called again comes back from the
 * page cache, in some microseconds for 64 KB.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { MADV_DONTNEED } from "./abi.ts";
import type { System } from "./system.ts";

/** Most of what a runtime has in memory after its start is its own code. */
export function trimCode(system: System): void {
  for (const { start, size } of ownCode()) system.libc.madvise(system.ffi.at(start), size, MADV_DONTNEED);
}

/** Collects what this thread has thrown away, where the runtime lets us: Bun does, Deno with `--v8-flags=--expose-gc`. */
export function trimHeap(): void {
  const { Bun, gc } = globalThis as { Bun?: { gc(atOnce: boolean): void }; gc?: () => void };
  if (Bun) Bun.gc(true);
  else gc?.();
}

interface Mapping {
  readonly start: bigint;
  /** Bytes. */
  readonly size: number;
}

/** What lies in memory exactly as it lies in the executable; nothing where we may not look (Deno's permissions). */
function ownCode(): readonly Mapping[] {
  try {
    return unchanged(readFileSync("/proc/self/smaps", "latin1"), readlinkSync("/proc/self/exe", "latin1"));
  } catch {
    return [];
  }
}

/** A line for the mapping, and then lines of what is known of it: proc_pid_smaps(5). */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \d+ +(.+)\n((?:[A-Z].*\n)*)/gm;

/** The mappings of `file` that nobody can write to, without a page that was changed: a debugger does that. */
export function unchanged(smaps: string, file: string): Mapping[] {
  const found: Mapping[] = [];
  for (const [, from, to, path, about] of smaps.matchAll(MAPPING)) {
    if (path !== file || !/^Anonymous: +0 kB$/m.test(about ?? "")) continue;
    const start = BigInt(`0x${from}`);
    found.push({ start, size: Number(BigInt(`0x${to}`) - start) });
  }
  return found;
}
