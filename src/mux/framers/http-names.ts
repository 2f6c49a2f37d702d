/** Names of fields that decide where a message ends, or that are meant for one connection and not for what is behind. */
import { ascii, TOKEN } from "./http-bytes.ts";

const NAMES = [
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "sec-websocket-key1",
  "sec-websocket-key2",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
] as const;

/** `disguised`: some targets take it for one of the others, since CGI knows no difference between `-` and `_`. */
export type KnownName = (typeof NAMES)[number] | "disguised";

interface Word {
  readonly name: KnownName;
  readonly bytes: Uint8Array;
}

const LONGEST = Math.max(...NAMES.map(({ length }) => length));
const BY_LENGTH: (readonly Word[] | undefined)[] = Array.from({ length: LONGEST + 1 }, (_, length) => {
  const names = NAMES.filter((name) => name.length === length);
  return names.length > 0 ? names.map((name) => ({ name, bytes: ascii(name) })) : undefined;
});

const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;

export function knownName(bytes: Uint8Array, from: number, to: number): KnownName | undefined {
  const words = to - from < BY_LENGTH.length ? BY_LENGTH[to - from] : undefined;
  if (words === undefined) return undefined;
  for (const word of words) {
    const likeness = compare(bytes, from, word.bytes);
    if (likeness !== "other") return likeness === "same" ? word.name : "disguised";
  }
  return undefined;
}

function compare(bytes: Uint8Array, from: number, word: Uint8Array): "same" | "disguised" | "other" {
  let disguised = false;
  for (let at = 0; at < word.length; at++) {
    const char = TOKEN[bytes[from + at] as number];
    if (char === word[at]) continue;
    if (char !== UNDERSCORE || word[at] !== HYPHEN) return "other";
    disguised = true;
  }
  return disguised ? "disguised" : "same";
}

/** Fields of a connection that {@link Head} takes out by itself. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set(["keep-alive", "proxy-connection", "te", "upgrade"]);

/**
 * What `Connection` cannot take away from the target, or from the client: what says where a message ends, who asks and
 * with which rights, what the body is, on which conditions, and what proxies say of the client.
 */
const LASTING = new RegExp(
  `^(?:${[
    "(?:proxy-)?(?:authorization|authenticate|authentication-info)|www-authenticate",
    "connection|host|transfer-encoding|trailer|expect|range|age|date|vary|via|from|origin|referer|location|etag",
    "content-.*|accept.*|if-.*|access-control-.*|sec-.*|strict-transport-security|user-agent|server|allow",
    "(?:set-)?cookie2?|cache-control|pragma|expires|last-modified|retry-after|max-forwards|warning",
    "forwarded|x-forwarded-.*|x-real-ip|x-client-.*|client-ip|true-client-ip|cf-connecting-ip|cf-ray|traceparent",
    "x-csrf-.*|x-xsrf-.*|x-auth.*|x-api-.*|x-amz.*|x-http-method.*|x-original-.*|x-rewrite-.*|x-ssl-.*|x-user.*",
  ].join("|")})$`,
);

/** What a field named by `Connection` is: none of its own, one that it must not name, or one to be taken out. */
export function namedByConnection(name: string): "known" | "lasting" | "hop" {
  if (OF_CONNECTIONS.has(name)) return "known";
  return LASTING.test(name.replaceAll("_", "-")) ? "lasting" : "hop";
}

/**
 * What must not stand behind a body, since a target may use it as if it had stood before it (RFC 9110, 6.5.1): what
 * frames, routes, modifies the request, authenticates, or says how the body is to be read.
 */
const NOT_IN_TRAILERS = new RegExp(
  `^(?:${[
    "connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|host|expect|max-forwards|range",
    "content-(?:length|encoding|type|range|location)|cache-control|pragma|if-.*|(?:set-)?cookie2?",
    "(?:proxy-)?(?:authorization|authenticate)|www-authenticate|forwarded|x-forwarded-.*|x-real-ip|age|date|expires",
    "location|retry-after|vary|warning|x-http-method.*|sec-websocket-.*",
  ].join("|")})$`,
);

export function mayTrail(name: string): boolean {
  return !NOT_IN_TRAILERS.test(name.replaceAll("_", "-"));
}
