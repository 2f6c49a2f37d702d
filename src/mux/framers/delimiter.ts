/**
 * `echo`: lines, or whatever else ends in the same few bytes. Where lines end in CR LF, a request with an LF of its own is
 * refused: many targets end a line at that as well, and would see two requests, with two replies, where this sees one.
 */
import { latin1Bytes } from "../../net/latin1.ts";
import type { Framer } from "../collector.ts";
import { BadMessage, type Framing, type Protocol, type RequestMessage } from "../message.ts";
import { find } from "./find.ts";
import { plainRequest, wholeMessages } from "./whole.ts";

const CR_LF = "\r\n";
const LF = 0x0a;

export const echoFramer = ({ delimiter }: Framing): Framer => new DelimiterFramer(delimiter);

export const echo: Protocol = {
  summary: "a message ends in a newline, or in what is given as delimiter",
  example: "8000 127.0.0.1:1234",
  ...wholeMessages(echoFramer, ({ delimiter }) => (delimiter === CR_LF ? oneLine : plainRequest)),
  keys: () => undefined,
  failure: () => undefined,
};

function oneLine(bytes: Uint8Array): RequestMessage {
  if (bytes.indexOf(LF) === bytes.length - 1) return plainRequest(bytes);
  throw new BadMessage("LF without CR in a message, where lines end in CR LF");
}

/** A message ends behind the first delimiter in it. No byte is looked at twice, but for those of half a delimiter. */
class DelimiterFramer implements Framer {
  readonly size = 0;
  readonly #delimiter: Uint8Array;
  readonly #first: number;
  /** In so many bytes of the message no delimiter begins. */
  #searched = 0;

  /** `delimiter`: at least one character, each of them one byte. */
  constructor(delimiter: string) {
    this.#delimiter = latin1Bytes(delimiter);
    this.#first = this.#delimiter[0] ?? 0;
  }

  end(bytes: Uint8Array, start: number, limit: number): number {
    const { length } = this.#delimiter;
    let at = find(bytes, this.#first, start + this.#searched, limit);
    while (at >= 0 && at + length <= limit) {
      if (this.#isAt(bytes, at)) {
        this.#searched = 0;
        return at + length;
      }
      at = find(bytes, this.#first, at + 1, limit);
    }
    this.#searched = (at < 0 ? limit : at) - start;
    return -1;
  }

  #isAt(bytes: Uint8Array, at: number): boolean {
    const delimiter = this.#delimiter;
    for (let index = 1; index < delimiter.length; index++) if (bytes[at + index] !== delimiter[index]) return false;
    return true;
  }
}
