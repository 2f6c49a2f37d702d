/** How many files this process may have open; weir stops accepting before it runs out. */
import { readFileSync } from "node:fs";

/** The soft limit of open files, from proc(5); undefined elsewhere. */
export function descriptorLimit(): number | undefined {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return line ? Number(line[1]) : undefined;
  } catch {
    return undefined;
  }
}
