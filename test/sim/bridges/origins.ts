/**
 * What is sent, such that everything can be told apart. A datagram of a UDP source says who sent it and its number; a
 * stream has two bytes of its own, in an order that does not repeat, so that each piece of it shows whose it is and where
 * it belongs.
 */
import type { Random } from "../../peers/random.ts";

/** The first byte that is a stream's. */
const FIRST = 128;
export const STREAMS = 64;
const NEWLINE = "\n";

/** Bytes of all kinds as text: one letter each. */
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

export function datagramOf(origin: number, number: number, size: number): string {
  const head = `<${origin} ${number} ${size}>`;
  return size === 0 ? "" : head + String.fromCharCode(97 + (number % 26)).repeat(size);
}

/** Who has sent a datagram, and its number; undefined: it is a piece of a stream. */
export function senderOf(datagram: string): readonly [origin: number, number: number] | undefined {
  const [, origin, number] = /^<(\d+) (\d+) \d+>/.exec(datagram) ?? [];
  return origin === undefined ? undefined : [Number(origin), Number(number)];
}

/** The number of the stream that a piece is of; undefined: of several, or of none. */
export function streamOf(piece: string): number | undefined {
  const streams = new Set<number>();
  for (const letter of piece.endsWith(NEWLINE) ? piece.slice(0, -1) : piece) {
    streams.add((letter.charCodeAt(0) - FIRST) >> 1);
  }
  const [stream = -1] = streams;
  return streams.size === 1 && stream >= 0 ? stream : undefined;
}

/** What a stream says. In `lines` the last may be without its end, and none leaves its end alone in a datagram. */
export function streamText(random: Random, stream: number, cut: "size" | "lines", datagramSize: number): string {
  const letters = (count: number) => {
    const codes = Array.from({ length: count }, () => FIRST + 2 * stream + random.between(0, 1));
    return String.fromCharCode(...codes);
  };
  if (cut === "size") return letters(random.size(1, 20_000));
  let text = "";
  for (let left = random.size(1, 40); left > 0; left--) {
    const length = random.size(1, 3_000);
    text += letters(length % datagramSize === 0 ? length + 1 : length) + NEWLINE;
  }
  return random.chance(0.3) ? text + letters(random.between(1, datagramSize - 1)) : text;
}
