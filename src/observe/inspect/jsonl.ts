/**
 * One JSON object in each line. All have `time`, `type`, `session`, `client` and `target`; then follow, by type:
 *
 *     open       proxy, local (weir's own end)
 *     data       direction, offset, length, and the bytes: text where they are UTF-8 that can be read, data (base64) else
 *     end        direction, offset: the FIN
 *     gap        direction, offset, length: bytes that were lost on their way to the file
 *     truncated  direction, offset: no byte of the session is recorded any more
 *     close      reason, error (its code, or null), upstream and downstream (bytes)
 */
import type { Direction } from "../../filter/step.ts";
import { formatAddress } from "../../net/address.ts";
import type { Chunk } from "../../net/runtime.ts";
import { toBase64 } from "../base64.ts";
import { formatStamp } from "./stamps.ts";
import {
  type Ending,
  encodeLines,
  type Format,
  type Positions,
  type SessionInfo,
  type Transcript,
} from "./transcript.ts";

export const jsonl: Format = {
  header: new Uint8Array(0),
  transcript: (session, seen) => new JsonTranscript(session, seen),
};

class JsonTranscript implements Transcript {
  readonly #session: SessionInfo;
  readonly #seen: Readonly<Positions>;
  readonly #whose: { readonly session: number; readonly client: string; readonly target: string };

  constructor(session: SessionInfo, seen: Readonly<Positions>) {
    this.#session = session;
    this.#seen = seen;
    this.#whose = { session: session.id, client: formatAddress(session.client), target: session.target };
  }

  opened(at: number): Uint8Array {
    const { proxy, local } = this.#session;
    return this.#line("open", at, { proxy, local: formatAddress(local) });
  }

  data(direction: Direction, chunk: Chunk, at: number): Uint8Array {
    const text = readable(chunk);
    const bytes = text === undefined ? { data: toBase64(chunk) } : { text };
    return this.#line("data", at, { direction, offset: this.#seen[direction], length: chunk.length, ...bytes });
  }

  gap(direction: Direction, offset: number, length: number, at: number): Uint8Array {
    return this.#line("gap", at, { direction, offset, length });
  }

  truncated(direction: Direction, _length: number, at: number): Uint8Array {
    return this.#line("truncated", at, { direction, offset: this.#seen[direction] });
  }

  ended(direction: Direction, at: number): Uint8Array {
    return this.#line("end", at, { direction, offset: this.#seen[direction] });
  }

  closed({ reason, error }: Ending, at: number): Uint8Array {
    const { upstream, downstream } = this.#seen;
    return this.#line("close", at, { reason, error, upstream, downstream });
  }

  #line(type: string, at: number, more: object): Uint8Array {
    return encodeLines(JSON.stringify({ time: formatStamp(at), type, ...this.#whose, ...more }));
  }
}

// A byte order mark is a character like any other here: what is read has to be what was written.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that the bytes are, unless they are none or hold control characters other than tabs and line ends. */
function readable(bytes: Uint8Array): string | undefined {
  try {
    const text = decoder.decode(bytes);
    return /[^\P{Cc}\t\r\n]/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
