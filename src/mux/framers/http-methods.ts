/** Methods (RFC 9110, 9): those that go to a target. */
import { ascii, is } from "./http-bytes.ts";

/** Asked twice they do no harm (RFC 9110, 9.2.1), and everybody knows them. */
const SAFE = ["GET", "HEAD", "OPTIONS"] as const;
/**
 * Those of IANA's registry that Node's parser knows as well, and `PURGE`, which caches have. Not every method there may
 * be: Node refuses one that it does not know, and closes the connection, which is also that of others.
 */
const OTHERS = [
  ...["POST", "PUT", "DELETE", "PATCH", "QUERY", "PURGE", "LINK", "UNLINK"],
  ...["PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "ACL", "SEARCH", "MKCALENDAR"],
  ...["BIND", "REBIND", "UNBIND", "REPORT", "CHECKOUT", "MERGE", "MKACTIVITY"],
];
const REFUSED = ["CONNECT", "TRACE"] as const;

/**
 * `other`: what it is makes no difference here. `miscased`: one of the others but for its case, which methods have (RFC
 * 9110, 9.1): a target that forgets this, as gunicorn does, takes `HEAd` for HEAD and sends no body. `unknown`: the rest.
 */
export type Method = (typeof SAFE)[number] | (typeof REFUSED)[number] | "other" | "miscased" | "unknown";

interface Word {
  readonly method: Method;
  readonly bytes: Uint8Array;
  readonly lower: Uint8Array;
}

const WORDS: readonly Word[] = [
  ...[...SAFE, ...REFUSED].map((name) => word(name, name)),
  ...OTHERS.map((name) => word(name, "other")),
];

function word(name: string, method: Method): Word {
  return { method, bytes: ascii(name), lower: ascii(name.toLowerCase()) };
}

/** What stands from `from` to `to`, a token. */
export function methodOf(bytes: Uint8Array, from: number, to: number): Method {
  for (const { method, bytes: word } of WORDS) {
    if (word.length !== to - from) continue;
    let at = 0;
    while (at < word.length && bytes[from + at] === word[at]) at++;
    if (at === word.length) return method;
  }
  return WORDS.some(({ lower }) => is(bytes, from, to, lower)) ? "miscased" : "unknown";
}

/** May go out again if nothing is known of the first time. */
export function isSafe(method: Method): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}
