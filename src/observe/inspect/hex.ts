/**
 * A dump for people. Each chunk is a block of its own; `>` is upstream, `<` downstream, offsets are those in the
 * direction's stream:
 *
 *     > 2026-01-01T00:00:00.000250Z session 7 18 bytes from 127.0.0.1:50000
 *     > 00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|
 *     > 00000010  0d 0a                                             |..|
 */
import type { Direction } from "../../filter/step.ts";
import { formatAddress } from "../../net/address.ts";
import type { Chunk } from "../../net/runtime.ts";
import { formatStamp } from "./stamps.ts";
import {
  type Ending,
  encodeLines,
  type Format,
  type Positions,
  type SessionInfo,
  type Transcript,
} from "./transcript.ts";

export const hex: Format = {
  header: new Uint8Array(0),
  transcript: (session, seen) => new HexTranscript(session, seen),
};

const ARROWS: Readonly<Record<Direction, string>> = { upstream: ">", downstream: "<" };

class HexTranscript implements Transcript {
  readonly #session: SessionInfo;
  readonly #seen: Readonly<Positions>;
  /** Where the bytes of a direction come from. */
  readonly #sources: Readonly<Record<Direction, string>>;

  constructor(session: SessionInfo, seen: Readonly<Positions>) {
    this.#session = session;
    this.#seen = seen;
    this.#sources = { upstream: formatAddress(session.client), downstream: session.target };
  }

  opened(at: number): Uint8Array {
    const { upstream, downstream } = this.#sources;
    return encodeLines(this.#head("-", at, `opened: ${upstream} -> ${downstream} (${this.#session.proxy})`));
  }

  data(direction: Direction, chunk: Chunk, at: number): Uint8Array {
    const arrow = ARROWS[direction];
    const head = this.#head(arrow, at, `${count(chunk.length)} from ${this.#sources[direction]}`);
    return encodeLines(head, ...dump(chunk, this.#seen[direction]).map((line) => `${arrow} ${line}`));
  }

  gap(direction: Direction, offset: number, length: number, at: number): Uint8Array {
    return encodeLines(
      this.#head(ARROWS[direction], at, `${count(length)} lost on the way here, at ${offset8(offset)}`),
    );
  }

  truncated(direction: Direction, _length: number, at: number): Uint8Array {
    const what = `cut off at ${offset8(this.#seen[direction])}: max_bytes is reached, and no more is recorded`;
    return encodeLines(this.#head(ARROWS[direction], at, what));
  }

  ended(direction: Direction, at: number): Uint8Array {
    const what = `end (FIN) after ${count(this.#seen[direction])}`;
    return encodeLines(this.#head(ARROWS[direction], at, what));
  }

  closed({ reason, error }: Ending, at: number): Uint8Array {
    const { upstream, downstream } = this.#seen;
    const why = error === null ? reason : `${reason}, ${error}`;
    return encodeLines(
      this.#head("-", at, `closed: ${why}; ${count(upstream)} upstream, ${count(downstream)} downstream`),
    );
  }

  #head(arrow: string, at: number, what: string): string {
    return `${arrow} ${formatStamp(at)} session ${this.#session.id} ${what}`;
  }
}

const WIDTH = 16;

/** Lines as `hexdump -C` has them; the first byte stands at `offset`. */
function dump(bytes: Uint8Array, offset: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const row = bytes.subarray(at, at + WIDTH);
    let codes = "";
    let characters = "";
    for (const [index, byte] of row.entries()) {
      codes += `${index === WIDTH / 2 ? "  " : " "}${CODES[byte]}`;
      characters += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
    }
    lines.push(`${offset8(offset + at)} ${codes.padEnd(3 * WIDTH + 1)}  |${characters}|`);
  }
  return lines;
}

const CODES: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function offset8(offset: number): string {
  return offset.toString(16).padStart(8, "0");
}

function count(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}
