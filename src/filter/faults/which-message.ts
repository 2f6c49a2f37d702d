/** Which messages of a session a fault is for, and of which protocol they are. */
import { wrongDelimiter } from "../../config/mux-values.ts";
import { nearest } from "../../config/nearest.ts";
import { PROTOCOL_NAMES } from "../../mux/mux-config.ts";
import { UsageError } from "../../net/errors.ts";
import type { Chunk } from "../../net/runtime.ts";
import { Needle, parseHex } from "../pattern.ts";
import type { NumberAttribute, TextAttribute } from "./kind.ts";

/** What all faults of messages can be told. */
export type MessageAttributes = Readonly<
  Record<"protocol" | "delimiter" | "contains" | "contains_hex", string> & Record<"nth" | "every" | "times", number>
>;

/** `mux`: that of the proxy's clients, where they share connections. */
const MESSAGE_PROTOCOLS = ["mux", ...PROTOCOL_NAMES] as const;

export const WHICH_MESSAGE = {
  protocol: {
    unit: "text",
    default: "mux",
    example: '"iso8583"',
    about: "How messages are cut; by default as by the mux that the proxy is.",
    parse: parseProtocol,
  },
  delimiter: {
    unit: "text",
    default: "",
    example: '"\\r\\n"',
    about: "What ends a message of echo, if not a newline, or what the mux has.",
    parse: parseEnd,
  },
  nth: count("Which one of the session, from 1; 0 for any."),
  every: count("Each so manieth of the session; 0 for any."),
  contains: {
    unit: "text",
    default: "",
    example: '"DEL"',
    about: "What has to be in it: text, whose bytes are those of UTF-8.",
    parse: (text) => text,
  },
  contains_hex: {
    unit: "text",
    default: "",
    example: '"0d 0a"',
    about: "What has to be in it, as bytes.",
    parse: parseBytes,
  },
  times: count("So often in a session at most; 0 for any number."),
} as const satisfies { readonly [N in keyof MessageAttributes]: NumberAttribute | TextAttribute };

/** Holds one session's messages of one direction against what was asked for. */
export class WhichMessage {
  readonly #nth: number;
  readonly #every: number;
  readonly #needles: readonly Needle[];
  /** How often it may still say yes. */
  #left: number;
  #count = 0;

  constructor({ nth, every, contains, contains_hex: hex, times }: MessageAttributes) {
    this.#nth = nth;
    this.#every = every;
    const sought = [new TextEncoder().encode(contains), parseHex(hex)];
    this.#needles = sought.filter(({ length }) => length > 0).map((bytes) => Needle.of(bytes));
    this.#left = times > 0 ? times : Number.POSITIVE_INFINITY;
  }

  /** Whether the next message is one of them: to be asked of each, in order. */
  takes(message: Chunk): boolean {
    this.#count++;
    if (this.#left === 0) return false;
    if (this.#nth > 0 && this.#count !== this.#nth) return false;
    if (this.#every > 0 && this.#count % this.#every !== 0) return false;
    if (this.#needles.some((needle) => needle.indexIn(message, 0) < 0)) return false;
    this.#left--;
    return true;
  }
}

function count(about: string): NumberAttribute {
  return { unit: "messages", default: 0, least: 0, most: Number.MAX_SAFE_INTEGER, about };
}

function parseEnd(text: string): string {
  const why = text === "" ? undefined : wrongDelimiter(text);
  if (why === undefined) return text;
  throw new UsageError("EDELIMITER", `Cannot use delimiter "${text}": ${why}`);
}

function parseBytes(text: string): string {
  parseHex(text);
  return text;
}

function parseProtocol(text: string): string {
  if (MESSAGE_PROTOCOLS.some((each) => each === text)) return text;
  const meant = nearest(text, MESSAGE_PROTOCOLS);
  const remedy = meant ? `did you mean "${meant}"?` : `use ${MESSAGE_PROTOCOLS.join(", ")}`;
  throw new UsageError("EFAULT", `unknown protocol "${text}"; ${remedy}`);
}
