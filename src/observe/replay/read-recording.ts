/** Reads a recording, of whichever format it is. */
import { isCapture } from "./packets.ts";
import { readFramed } from "./read-framed.ts";
import { readJsonl } from "./read-jsonl.ts";
import { readPcap } from "./read-pcap.ts";
import { type Recording, unreadable } from "./recording.ts";

/**
 * Reads what weir has recorded as JSON lines, as frames or as pcap, and pcap of others as far as TCP can be put
 * together.
 *
 * @throws {UsageError} `ERECORDING` or `EFRAME`, saying what is wrong with it.
 */
export function readRecording(bytes: Uint8Array): Recording {
  if (bytes.length === 0) return unreadable("", "it is empty");
  if (isCapture(bytes)) return readPcap(bytes);
  if (PCAPNG.every((byte, index) => bytes[index] === byte)) {
    return unreadable("", 'it is pcapng; make pcap of it with "editcap -F nsecpcap IN OUT"');
  }
  if (bytes[0] !== BRACE) return unreadable("", "it is neither JSON lines nor frames nor pcap");
  // Frames have no "type", and JSON lines no "length" without one.
  const newline = bytes.indexOf(LINE_FEED);
  const line = new TextDecoder().decode(bytes.subarray(0, newline < 0 ? undefined : newline));
  return line.includes('"type":') ? readJsonl(bytes) : readFramed(bytes);
}

const PCAPNG = [0x0a, 0x0d, 0x0d, 0x0a];
const BRACE = 0x7b;
const LINE_FEED = 0x0a;
