/**
 * Inline commands: words on a line, as people type them (Redis, `sdssplitargs`). They go to the target as an array: what
 * quotes and escapes mean is then decided here alone, and no command gets past those that are refused.
 */
import { latin1, latin1Bytes } from "../../net/latin1.ts";
import { BadMessage } from "../message.ts";

/** As `isspace` of C. */
const SPACE = /[ \t\n\v\f\r]/;
/** What ends a word that is not in quotes. */
const END = /[ \t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/**
 * The same command as an array; undefined: there are no words, and Redis does not answer.
 *
 * @param line with LF, or CR LF
 * @throws {BadMessage}
 */
export function inlineToArray(line: Uint8Array): Uint8Array | undefined {
  const text = latin1(line);
  // Redis looks for the end of a line in a C string: behind a NUL it would never find it.
  if (text.includes("\0")) throw new BadMessage("an inline command with a NUL byte");
  const words = splitWords(text.replace(/\r?\n$/, ""));
  if (words.length === 0) return undefined;
  return latin1Bytes(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`);
}

function splitWords(line: string): string[] {
  const words: string[] = [];
  const parts: string[] = [];
  for (let at = 0; ; ) {
    while (SPACE.test(line.charAt(at))) at++;
    if (at >= line.length) return words;
    parts.length = 0;
    at = readWord(line, at, parts);
    words.push(parts.join(""));
  }
}

/** Reads what belongs to a word: where it ends. Quotes may begin within it; where they are closed it ends. */
function readWord(line: string, from: number, parts: string[]): number {
  for (let at = from; at < line.length; at++) {
    const char = line.charAt(at);
    if (END.test(char)) return at;
    if (char === '"' || char === "'") return readQuoted(line, at + 1, char, parts);
    parts.push(char);
  }
  return line.length;
}

function readQuoted(line: string, from: number, quote: string, parts: string[]): number {
  let at = from;
  while (line.charAt(at) !== quote) {
    if (at >= line.length) throw new BadMessage("quotes that are not closed in an inline command");
    at = quote === '"' ? readDouble(line, at, parts) : readSingle(line, at, parts);
  }
  at++;
  if (at === line.length || SPACE.test(line.charAt(at))) return at;
  throw new BadMessage("quotes that are closed within a word of an inline command");
}

function readDouble(line: string, at: number, parts: string[]): number {
  const [all, code] = /^\\x([0-9a-fA-F]{2})/.exec(line.slice(at, at + 4)) ?? [];
  if (all !== undefined && code !== undefined) {
    parts.push(String.fromCharCode(Number.parseInt(code, 16)));
    return at + all.length;
  }
  if (line.charAt(at) === "\\" && at + 1 < line.length) {
    const char = line.charAt(at + 1);
    parts.push(ESCAPES[char] ?? char);
    return at + 2;
  }
  parts.push(line.charAt(at));
  return at + 1;
}

function readSingle(line: string, at: number, parts: string[]): number {
  const escaped = line.startsWith("\\'", at);
  parts.push(line.charAt(escaped ? at + 1 : at));
  return at + (escaped ? 2 : 1);
}
