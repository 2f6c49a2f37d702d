/** The names of the files that recordings go to. */
import { formatAddress } from "../../net/address.ts";
import { formatStamp } from "./stamps.ts";
import type { SessionInfo } from "./transcript.ts";

/** What may stand in braces in a path. */
export const PLACEHOLDERS = ["proxy", "session", "client", "time"] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

/** Standard output in place of a file. */
export const STDOUT = "-";

/** Whether each session has a file of its own. */
export function isPerSession(path: string): boolean {
  return PLACEHOLDERS.some((name) => name !== "proxy" && path.includes(`{${name}}`));
}

/** The path of the file of all sessions of a proxy. */
export function sharedPath(path: string, proxy: string): string {
  return filledIn(path, { proxy });
}

/**
 * The path of the file of one session that began at `at`, in microseconds since 1970 UTC.
 *
 * @example sessionPath("{proxy}-{time}-{client}.pcap", session, at) // "db-20260101T000000.000250Z-127.0.0.1_5000.pcap"
 */
export function sessionPath(path: string, { id, proxy, client }: SessionInfo, at: number): string {
  const time = formatStamp(at).replace(/[-:]/g, "");
  return filledIn(path, { proxy, session: String(id), client: formatAddress(client), time });
}

function filledIn(path: string, values: Partial<Record<Placeholder, string>>): string {
  return path.replace(/\{(\w+)\}/g, (braces, name: Placeholder) => {
    const value = values[name];
    return value === undefined ? braces : fileName(value);
  });
}

/** Characters of a value at most: a file name has 255 bytes. */
const LENGTH_MAX = 100;

/** What can stand in a file name on any machine, and never leads out of its directory. */
function fileName(value: string): string {
  const safe = value.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^\.+/, "_");
  return safe.slice(0, LENGTH_MAX);
}
