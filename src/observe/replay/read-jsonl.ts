/** Reads what weir has recorded as JSON lines. */
import * as v from "valibot";
import { DIRECTIONS } from "../../filter/step.ts";
import { fromBase64 } from "../base64.ts";
import { type Recording, recordingOf, SessionBuilder, unreadable } from "./recording.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());
const session = { time, session: count, client: v.string() };
const place = { ...session, direction: v.picklist(DIRECTIONS), offset: count };

/** What is needed of each type of line; see inspect/jsonl.ts. */
const schema = v.variant("type", [
  v.object({ type: v.literal("open"), ...session }),
  v.object({ type: v.literal("data"), ...place, text: v.optional(v.string()), data: v.optional(v.string()) }),
  v.object({ type: v.literal("end"), ...place }),
  v.object({ type: v.literal("gap"), ...place, length: count }),
  v.object({ type: v.literal("truncated"), ...place }),
  v.object({ type: v.literal("close"), ...session, reason: v.string() }),
]);
type Line = v.InferOutput<typeof schema>;

/** @throws {UsageError} `ERECORDING`, naming the line and what is wrong with it. */
export function readJsonl(bytes: Uint8Array): Recording {
  const lines = new TextDecoder().decode(bytes).split("\n");
  // Whole lines end in a line feed.
  const rest = lines.pop() ?? "";
  const live = new Map<number, SessionBuilder>();
  const found: SessionBuilder[] = [];
  for (const [index, text] of lines.entries()) {
    if (text.trim() === "") continue;
    const line = parse(text, index + 1);
    const at = Date.parse(line.time) + microseconds(line.time);
    let builder = live.get(line.session);
    if (!builder || line.type === "open") {
      builder = new SessionBuilder(String(line.session), line.client, at);
      live.set(line.session, builder);
      found.push(builder);
    }
    apply(line, builder, at, index + 1);
    if (line.type === "close") live.delete(line.session);
  }
  return recordingOf(found, rest === "" ? [] : ["the last line is cut short and was left out"]);
}

function apply(line: Line, builder: SessionBuilder, at: number, number: number): void {
  if (line.type === "data") builder.data(line.direction, line.offset, bytesOf(line, number), at);
  else if (line.type === "end") builder.end(line.direction, line.offset, at);
  else if (line.type === "gap") builder.skip(line.direction, line.offset + line.length, at);
  else if (line.type === "truncated") builder.truncate();
  else if (line.type === "close") builder.close(at, line.reason === "client_reset");
}

function parse(text: string, number: number): Line {
  const where = ` (line ${number})`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable(where, "it is no JSON");
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  return unreadable(where, `"${v.getDotPath(issue)}": ${issue.message}`);
}

function bytesOf(
  { text, data }: { readonly text?: string | undefined; readonly data?: string | undefined },
  line: number,
) {
  const bytes = text === undefined ? fromBase64(data ?? "") : new TextEncoder().encode(text);
  return bytes ?? unreadable(` (line ${line})`, '"data" is no base64');
}

/** What `Date.parse` leaves out, in milliseconds. */
function microseconds(iso: string): number {
  const digits = /\.\d{3}(\d{3})/.exec(iso)?.[1];
  return digits === undefined ? 0 : Number(digits) / 1_000;
}
