/**
 * Reads files with errors that say which one and what to do. Apart from read-config.ts: who starts weir with flags alone does
 * not wait for all that reads configurations.
 */
import { visible } from "../config/problem.ts";
import type { ReadFile } from "../config/range-files.ts";
import { UsageError } from "../net/errors.ts";
import type { Host } from "./host.ts";

const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory; name the file in it",
  ENOENT: "there is no such file",
};

export function rangeReader(host: Host): ReadFile {
  return reader(host, "ranges");
}

/** The bytes of a file that is no configuration; `what` it is stands in the message if it cannot be read. */
export function readBytes(host: Host, what: string, path: string): Promise<Uint8Array> {
  return explained(what, path, () => host.readBytes(path));
}

/** `what` the files are stands in the message if one cannot be read. */
export function reader(host: Host, what: string): ReadFile {
  return (path) => explained(what, path, () => host.readFile(path));
}

async function explained<T>(what: string, path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code = "", message } = error as { code?: string; message?: string };
    throw new UsageError("ECONFIG", visible(`Cannot read ${what} "${path}": ${WHY[code] ?? message}`));
  }
}
