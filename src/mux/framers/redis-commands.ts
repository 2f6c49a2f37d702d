/**
 * Commands that must not get to a connection which others share: those that leave something behind on it, that give not
 * exactly one reply, that hold up whoever comes behind, or that end it. They are answered here.
 */
import { latin1, latin1Bytes } from "../../net/latin1.ts";
import { BadMessage } from "../message.ts";
import { LF } from "./redis-number.ts";

/** What a command is told. */
export interface RedisAnswer {
  readonly bytes: Uint8Array;
  /** The connection ends behind it: what follows would mean something else than its sender thinks. */
  readonly last: boolean;
}

/** Words of a command, each byte a character. Undefined: it goes to the target. */
type Rule = (words: readonly string[]) => RedisAnswer | undefined;

const OK: RedisAnswer = { bytes: latin1Bytes("+OK\r\n"), last: false };

const shared = (what: string) => `weir: ${what} is not possible over a shared connection`;
const error = (text: string, code = "ERR"): Uint8Array => latin1Bytes(`-${code} ${text}\r\n`);

/** Of an error that weir itself has to tell. */
export function redisError(text: string): Uint8Array {
  return error(`weir: ${text}`);
}

const REFUSED = [
  // Messages that nobody has asked for, from then on.
  ...["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "MONITOR"],
  ...["SYNC", "PSYNC", "REPLCONF"],
  // What the connection is, or is allowed to do.
  ...["AUTH", "RESET", "READONLY", "READWRITE", "ASKING"],
  // Transactions, but for the one that begins them.
  ...["EXEC", "DISCARD", "WATCH", "UNWATCH"],
  // They wait, and with them everybody.
  ...["BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT", "WAITAOF"],
  // No reply, or no connection.
  ...["SHUTDOWN", "DEBUG"],
];

/** Of CLIENT: they tell of connections, which here are weir's, and change nothing. */
const CLIENT_PASSES = new Set(["ID", "INFO", "LIST", "GETNAME", "GETREDIR", "TRACKINGINFO", "HELP"]);
/** Of CLIENT: libraries send them at once, and nothing but a listing depends on them. */
const CLIENT_NAMES = new Set(["SETNAME", "SETINFO"]);

/** Options of XREAD and XREADGROUP in front of STREAMS, with how many words belong to them. */
const READ_OPTIONS: ReadonlyMap<string, number> = new Map([
  ["COUNT", 1],
  ["GROUP", 2],
  ["NOACK", 0],
  ["CLAIM", 1],
]);

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...REFUSED.map((name): [string, Rule] => {
    const answer = refused(name);
    return [name, () => answer];
  }),
  // Clients take this as the word of an old server, and go on in RESP2.
  ["HELLO", () => ({ bytes: error(shared("HELLO"), "NOPROTO"), last: false })],
  ["QUIT", () => ({ ...OK, last: true })],
  // The commands behind it would take effect one by one.
  ["MULTI", () => ({ ...refused("MULTI"), last: true })],
  // Every connection is on database 0. The commands behind would read and write that one.
  ["SELECT", ([, index]) => (index === "0" ? OK : { ...refused("SELECT of a database other than 0"), last: true })],
  ["CLIENT", client],
  ["SCRIPT", ([, sub = ""]) => (option(sub) === "DEBUG" ? refused("SCRIPT DEBUG") : undefined)],
  ["XREAD", (words) => (mayBlock(words) ? refused("XREAD BLOCK") : undefined)],
  ["XREADGROUP", (words) => (mayBlock(words) ? refused("XREADGROUP BLOCK") : undefined)],
  // Redis takes them for a browser that was led here, and ends the connection.
  ["POST", http],
  ["HOST:", http],
]);

/** What is in the table, and hardly anything else. */
const HASHES = new Set([...RULES.keys()].map((name) => hash(latin1Bytes(name), 0, name.length)));

/** Bytes of a command's name: no command has as many. */
const NAME_MAX = 64;
const ZERO = 0x30;
/**
 * Redis compares names as C does, up to the first NUL, once a hash of all their bytes has led it there: of some thousand
 * names such as "MULTI\0" with a number behind one is MULTI. No command has such a name.
 */
const NO_NAME: RedisAnswer = {
  bytes: redisError(`a command's name is of printable ASCII, ${NAME_MAX} bytes of it at most`),
  last: false,
};

/**
 * How a command is answered here; undefined: it goes to the target.
 *
 * @param bytes an array of bulk strings, at least one
 * @throws {BadMessage}
 */
export function answerHere(bytes: Uint8Array): RedisAnswer | undefined {
  // Most commands are none of these: that is found out without a string.
  const head = bytes.indexOf(LF) + 2;
  const from = bytes.indexOf(LF, head) + 1;
  const to = from + lengthAt(bytes, head, from - 2);
  if (to - from > NAME_MAX) return NO_NAME;
  const found = hash(bytes, from, to);
  if (found === undefined) return NO_NAME;
  if (!HASHES.has(found)) return undefined;
  const rule = RULES.get(upper(latin1(bytes.subarray(from, to))));
  return rule?.(wordsOf(bytes));
}

/** The digits from `from` on and before `to`. */
function lengthAt(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + (bytes[at] ?? 0) - ZERO;
  return value;
}

/** The same for upper and lower case; undefined: there is a byte that no name has. */
function hash(bytes: Uint8Array, from: number, to: number): number | undefined {
  let hash = to - from;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x21 || byte > 0x7e) return undefined;
    hash = (hash * 31 + (byte & 0xdf)) | 0;
  }
  return hash;
}

/** Of an array that was framed, and so is one. */
function wordsOf(bytes: Uint8Array): string[] {
  const words: string[] = [];
  for (let at = bytes.indexOf(LF) + 1; at < bytes.length; ) {
    const from = bytes.indexOf(LF, at) + 1;
    const to = from + Number(latin1(bytes.subarray(at + 1, from - 2)));
    words.push(latin1(bytes.subarray(from, to)));
    at = to + 2;
  }
  return words;
}

/** A-Z alone: what Redis compares is bytes. */
function upper(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** A word that is no data, as Redis compares it: as C does, up to the first NUL, whatever follows. */
function option(text: string): string {
  const nul = text.indexOf("\0");
  return upper(nul < 0 ? text : text.slice(0, nul));
}

/** A word of the client in a reply to it: nothing that would end a line. */
function word(text: string): string {
  return text.replace(/[^!-~]/g, "?").slice(0, 32);
}

function refused(what: string): RedisAnswer {
  return { bytes: error(shared(what)), last: false };
}

function client(words: readonly string[]): RedisAnswer | undefined {
  if (words.length < 2) return undefined;
  const sub = option(words[1] ?? "");
  if (CLIENT_PASSES.has(sub)) return undefined;
  if (CLIENT_NAMES.has(sub)) return OK;
  // Who asks not to be answered would take the next answer for that of another command.
  return { ...refused(`CLIENT ${word(sub)}`), last: sub === "REPLY" };
}

/** BLOCK is an option here, and not the name of a group, a consumer or a stream; or nobody knows. */
function mayBlock(words: readonly string[]): boolean {
  for (let at = 1; at < words.length; at++) {
    const name = option(words[at] ?? "");
    if (name === "BLOCK") return true;
    if (name === "STREAMS") return false;
    const more = READ_OPTIONS.get(name);
    if (more === undefined) return words.some((any) => option(any) === "BLOCK");
    at += more;
  }
  return false;
}

function http(): never {
  throw new BadMessage("a request of HTTP");
}
