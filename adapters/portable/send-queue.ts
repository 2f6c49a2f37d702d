/**
 * How many bytes the kernel still has to deliver on a connection, for runtimes that do not show their
 * descriptors: the `tx_queue` column of /proc/net/tcp and tcp6 (proc(5)), Linux alone. Reading the table costs
 * by the number of sockets, so it is read only when a reset waits to be passed on or a deadline is due, and
 * once for all who ask at the same time.
 */
import { readFileSync } from "node:fs";
import type { Address } from "../../src/net/address.ts";

/** Milliseconds for which one reading serves. */
const FRESH = 15;

let table = new Map<string, number>();
let readAt = Number.NEGATIVE_INFINITY;
let available = true;

/** Undefined where there is no such table, or no such connection in it. */
export function sendQueueOf(local: Address, remote: Address): number | undefined {
  if (local.kind !== "tcp" || remote.kind !== "tcp" || !available) return undefined;
  if (performance.now() - readAt > FRESH) readTables();
  return table.get(`${local.port} ${remote.port}`);
}

function readTables(): void {
  readAt = performance.now();
  table = new Map();
  try {
    for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) readTable(readFileSync(file, "utf8"));
  } catch {
    // Another system, or a Deno without the permission to read /proc.
    available = false;
  }
}

/** Lines like `0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 …`: local, remote, state, tx_queue:rx_queue. */
function readTable(text: string): void {
  for (const [, local = "", remote = "", queue = ""] of text.matchAll(LINE)) {
    const key = `${Number.parseInt(local, 16)} ${Number.parseInt(remote, 16)}`;
    // Two connections may share both ports on different addresses; the larger queue is the safe answer.
    table.set(key, Math.max(table.get(key) ?? 0, Number.parseInt(queue, 16)));
  }
}

const LINE = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/gm;
