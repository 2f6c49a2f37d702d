/** Messages of HTTP by chance: good ones, of which it is known what has to become of them, and what is made of those. */
import fc from "fast-check";
import { SMUGGLED } from "./smuggling.ts";

export interface Good {
  /** As the peer sends it. */
  readonly sent: string;
  /** As it goes on. */
  readonly gone: string;
  readonly method: string;
  readonly target: string;
  /** What is in it. */
  readonly body: string;
  readonly last: boolean;
}

const DIGITS = "0123456789";
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

const byte = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
/** Bodies that look like what they are not. */
const body = fc.oneof(
  byte,
  fc.constantFrom("", "0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n", "5\r\nhello\r\n0\r\n\r\n", "\n\n"),
);
const token = fc.string({
  unit: fc.constantFrom(...`${LETTERS}${DIGITS}-._~!#$%&'*+^|\``),
  minLength: 1,
  maxLength: 12,
});
const value = fc
  .string({ unit: fc.constantFrom(...'abc,;:="\\()<>@ \t/?{}\x80\xff'), maxLength: 20 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));
const blanks = fc.constantFrom("", " ", "  ", "\t", " \t ");

/** A field that means nothing, as it is sent. */
const field = fc
  .tuple(token, blanks, value, blanks)
  .map(([name, before, text, behind]) => `X-${name}:${before}${text}${behind}\r\n`);

/** A name in any case. */
function cased(name: string): fc.Arbitrary<string> {
  return fc.boolean().map((upper) => (upper ? name.toUpperCase() : name));
}

/** One that does not go on. */
const hop = fc
  .tuple(
    fc.constantFrom("Keep-Alive: timeout=5", "Proxy-Connection: x", "Connection: keep-alive, x-gone", "X-Gone: 1"),
    blanks,
  )
  .map(([text, behind]) => `${text}${behind}\r\n`);

const extension = fc.constantFrom("", "", ";a", ";a=b", ';a="b;\\"c"', ";a;b=1");

interface Framed {
  readonly fields: string;
  readonly sent: string;
  readonly gone: string;
  readonly body: string;
}

const counted: fc.Arbitrary<Framed> = fc
  .tuple(body, fc.constantFrom("", " "), cased("Content-Length"))
  .map(([text, blank, name]) => ({
    fields: `${name}:${blank}${text.length}\r\n`,
    sent: text,
    gone: text,
    body: text,
  }));

const chunk = fc.tuple(byte, extension, fc.nat({ max: 3 }), fc.boolean()).map(([text, ext, zeros, upper]) => {
  if (text === "") return { sent: "", gone: "", body: "" };
  const hex = "0".repeat(zeros) + (upper ? text.length.toString(16).toUpperCase() : text.length.toString(16));
  return { sent: `${hex}${ext}\r\n${text}\r\n`, gone: `${hex}\r\n${text}\r\n`, body: text };
});

const chunked: fc.Arbitrary<Framed> = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), extension, fc.array(field, { maxLength: 2 }), cased("Transfer-Encoding"))
  .map(([chunks, ext, trailers, name]) => ({
    fields: `${name}: chunked\r\n`,
    sent: `${chunks.map(({ sent }) => sent).join("")}0${ext}\r\n${trailers.join("")}\r\n`,
    gone: `${chunks.map(({ gone }) => gone).join("")}0\r\n${trailers.join("")}\r\n`,
    body: chunks.map(({ body }) => body).join(""),
  }));

const bodiless: fc.Arbitrary<Framed> = fc.constant({ fields: "", sent: "", gone: "", body: "" });

const target = fc
  .string({ unit: fc.constantFrom(..."abc/?&=%.;:@!$'()*+,~-_"), maxLength: 20 })
  .map((path) => `/${path}`);

const some = fc.array(field, { maxLength: 4 });

function head(line: string, parts: readonly string[]): string {
  return `${line}\r\n${parts.join("")}\r\n`;
}

/** Requests of HTTP/1.1, none of them the last, and of HTTP/1.0, which may be. */
export const request: fc.Arbitrary<Good> = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "PURGE"),
    target,
    old: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    keep: fc.boolean(),
    hosted: fc.boolean(),
    before: some,
    behind: some,
    hops: fc.array(hop, { maxLength: 3 }),
    blank: fc.integer({ min: 0, max: 9 }).map((n) => (n === 0 ? "\r\n" : "")),
    framed: fc.oneof(bodiless, counted, chunked),
  })
  .map(({ method, target, old, keep, hosted, before, behind, hops, blank, framed }) => {
    const plain = method === "GET" || method === "HEAD" || (old && framed.fields.includes("hunked"));
    const { fields, sent, gone, body } = plain ? { fields: "", sent: "", gone: "", body: "" } : framed;
    const line = `${method} ${target} HTTP/1.${old ? 0 : 1}`;
    const wish = old && keep ? ["connection: keep-alive\r\n"] : [];
    // Without a Connection that names it, it is a field like others.
    const dropped = (text: string) => !text.startsWith("X-Gone") || hops.some((hop) => hop.includes("x-gone"));
    const kept = hops.filter((text) => !dropped(text));
    const host = old && !hosted ? [] : ["Host: example.org\r\n"];
    const parts = [...before, ...host, ...kept, fields, ...behind];
    return {
      sent: blank + head(line, [...before, ...host, ...hops, fields, ...behind, ...wish]) + sent,
      gone:
        head(`${method} ${target} HTTP/1.1`, host.length > 0 ? parts : [...parts, "Host: unknown.invalid\r\n"]) + gone,
      method,
      target,
      body,
      last: old && ![...hops, ...wish].some((text) => /^connection: keep-alive/i.test(text)),
    };
  });

/** Replies to requests of HTTP/1.1 that were not HEAD; `last`: the target's connection ends behind it. */
export const reply: fc.Arbitrary<Good> = fc
  .record({
    status: fc.constantFrom(200, 201, 204, 304, 404, 500),
    interim: fc.array(fc.constantFrom(100, 102, 103), { maxLength: 2 }),
    before: some,
    behind: some,
    hops: fc.array(hop, { maxLength: 3 }),
    close: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    framed: fc.oneof(counted, chunked),
  })
  .map(({ status, interim, before, behind, hops, close, framed }) => {
    const bare = status === 204 || status === 304;
    const { fields, sent, gone, body } = bare ? { fields: "", sent: "", gone: "", body: "" } : framed;
    const line = `HTTP/1.1 ${status} As It Is`;
    const dropped = (text: string) => !text.startsWith("X-Gone") || hops.some((hop) => hop.includes("x-gone"));
    const parts = [...before, ...hops.filter((text) => !dropped(text)), fields, ...behind];
    const hints = interim.map((one) => `HTTP/1.1 ${one} So\r\nX: y\r\n\r\n`).join("");
    const wish = close ? ["connection: close\r\n"] : [];
    return {
      sent: hints + head(line, [...before, ...hops, fields, ...behind, ...wish]) + sent,
      gone: hints + head(line, parts) + gone,
      method: "",
      target: "",
      body,
      last: close,
    };
  });

/** How long the pieces are in which something comes. */
export const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

export function inPieces(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, n = 0; at < text.length; n++) {
    const to = at + (sizes[n % sizes.length] ?? text.length);
    pieces.push(text.slice(at, to));
    at = to;
  }
  return pieces;
}

const SEEDS = [
  "\r",
  "\n",
  "\r\n",
  " ",
  "\t",
  "\x00",
  ":",
  ",",
  ";",
  "0",
  "5",
  "\x0b",
  "\xff",
  "chunked",
  "Content-Length: 1\r\n",
];
const SNIPPETS = [
  ...SEEDS,
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "\r\n\r\n",
  "HTTP/1.1",
  "Host: b\r\n",
];

interface Mutation {
  readonly kind: "put" | "drop" | "copy" | "change";
  readonly at: number;
  readonly length: number;
  readonly snippet: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("put", "drop", "copy", "change"),
  // All places alike: else it is mostly the method, and nothing else is tried.
  at: fc.noBias(fc.nat({ max: 9_999 })).map((n) => n / 10_000),
  length: fc.integer({ min: 1, max: 12 }),
  snippet: fc.constantFrom(...SNIPPETS),
});

function mutated(text: string, { kind, at, length, snippet }: Mutation): string {
  const from = Math.floor(at * text.length);
  const before = text.slice(0, from);
  if (kind === "put") return before + snippet + text.slice(from);
  if (kind === "drop") return before + text.slice(from + length);
  if (kind === "copy") return before + text.slice(from, from + length) + text.slice(from);
  return before + snippet + text.slice(from + snippet.length);
}

/** What was made of a few good messages, or of ambiguous ones. */
export function spoilt(good: fc.Arbitrary<Good>): fc.Arbitrary<string> {
  const from = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.array(good, { minLength: 1, maxLength: 3 }).map((all) => all.map(({ sent }) => sent).join("")),
    },
    { weight: 1, arbitrary: fc.constantFrom(...SMUGGLED).map(({ bytes }) => bytes) },
  );
  return fc
    .tuple(from, fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([text, all]) => all.reduce(mutated, text));
}
