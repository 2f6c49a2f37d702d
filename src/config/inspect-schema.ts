/** `[[proxy.inspect]]` as users write it, and what it means. */
import * as v from "valibot";
import { DIRECTIONS } from "../filter/step.ts";
import { PLACEHOLDERS, STDOUT } from "../observe/inspect/file-name.ts";
import * as t from "./values.ts";

export const INSPECT_FORMATS = ["hex", "jsonl", "pcap"] as const;
export const INSPECT_DIRECTIONS = ["both", ...DIRECTIONS] as const;

/** How what clients send and get is written down. */
export interface InspectConfig {
  readonly format: (typeof INSPECT_FORMATS)[number];
  /**
   * A file; with `{session}`, `{client}` or `{time}` in it one for each session, `{proxy}` is the proxy's name. `-` is
   * standard output.
   */
  readonly path: string;
  /** Bytes of a session, both directions together, after which no more of it is recorded; 0: all are. */
  readonly maxBytes: number;
  /** Bytes after which a file is put aside and a new one begins; 0: never. */
  readonly maxSize: number;
  /** How many files that were put aside are kept. */
  readonly keep: number;
  readonly direction: (typeof INSPECT_DIRECTIONS)[number];
}

export const INSPECT: InspectConfig = {
  format: "hex",
  path: STDOUT,
  maxBytes: 0,
  maxSize: 104_857_600,
  keep: 9,
  direction: "both",
};

type Inspect = v.InferOutput<ReturnType<typeof inspectSchema>>;

/** Input is what TOML holds; output has bytes and every default. */
export function inspectSchema() {
  return t.table("A record of what clients send and get.", {
    format: v.optional(
      t.choice("A dump for people, JSON lines, or packets for Wireshark.", INSPECT_FORMATS),
      INSPECT.format,
    ),
    path: v.optional(path(), INSPECT.path),
    max_bytes: v.optional(
      t.sizeOrOff('Bytes of a session after which no more of it is recorded, or "off".'),
      INSPECT.maxBytes,
    ),
    max_size: v.optional(
      t.sizeOrOff('Bytes after which a new file begins and the old one becomes path.1, or "off".', SIZE_MIN),
      INSPECT.maxSize,
    ),
    keep: v.optional(t.wholeNumber("How many older files are kept.", KEEP_MAX), INSPECT.keep),
    direction: v.optional(t.choice("Whose bytes are recorded.", INSPECT_DIRECTIONS), INSPECT.direction),
  });
}

export function toInspect({ max_bytes: maxBytes, max_size: maxSize, ...rest }: Inspect): InspectConfig {
  return { ...rest, maxBytes, maxSize };
}

/** A file for each few records, and the renaming of all others, is nothing that anybody wants. */
const SIZE_MIN = 4_096;
const KEEP_MAX = 1_000;

function path() {
  const known = PLACEHOLDERS.map((name) => `{${name}}`).join(", ");
  return v.pipe(
    t.fileName(`A file, or "${STDOUT}" for standard output; ${known} stand for what they say.`),
    v.check(
      (text) => [...text.matchAll(/\{(\w*)\}/g)].every(([, name]) => PLACEHOLDERS.some((each) => each === name)),
      `there is something else in braces than ${known}`,
    ),
  );
}
