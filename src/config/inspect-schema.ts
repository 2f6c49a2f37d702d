/** `[[proxy.inspect]]` as users write it, and what it means. */
import * as v from "valibot";
import { PLACEHOLDERS, STDOUT } from "../observe/inspect/file-name.ts";
import { INSPECT, INSPECT_DIRECTIONS, INSPECT_FORMATS, type InspectConfig } from "../observe/inspect/inspect-config.ts";
import * as t from "./values.ts";

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
