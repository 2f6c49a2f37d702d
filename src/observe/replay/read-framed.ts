/** Reads what observers of the form "framed" have got from weir. */
import { type Frame, FrameReader } from "../frame-reader.ts";
import { type Recording, recordingOf, SessionBuilder } from "./recording.ts";

/** @throws {UsageError} `EFRAME`, saying at which byte there is something else than a frame, and what is wrong. */
export function readFramed(bytes: Uint8Array): Recording {
  const live = new Map<string, SessionBuilder>();
  const found: SessionBuilder[] = [];
  const reader = new FrameReader((frame) => {
    const { proxy, session, client } = frame;
    const key = `${session} ${proxy}`;
    const at = Date.parse(frame.time);
    let builder = live.get(key);
    if (!builder) {
      builder = new SessionBuilder(String(session), client, at);
      live.set(key, builder);
      found.push(builder);
    }
    apply(frame, builder, at);
    if (frame.event === "close") live.delete(key);
  });
  reader.push(bytes);
  return recordingOf(found, reader.pending > 0 ? ["the last frame is cut short and was left out"] : []);
}

function apply(frame: Frame, builder: SessionBuilder, at: number): void {
  if (frame.event === "close") builder.close(at, frame.reason === "client_reset");
  else if (frame.event === "end") builder.end(frame.direction, frame.offset, at);
  else if (frame.bytes.length > 0) builder.data(frame.direction, frame.offset, frame.bytes, at);
  // One without bytes tells of a gap before it.
  else builder.skip(frame.direction, frame.offset, at);
}
