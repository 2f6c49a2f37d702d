/** What a capture file holds: TCP segments out of libpcap's classic format (draft-ietf-opsawg-pcap). */
import { unreadable } from "./recording.ts";

/** A segment as it was captured. Addresses and ports are text that names an end of a connection. */
export interface CapturedSegment {
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
  readonly source: string;
  readonly destination: string;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  /** As much of the payload as was captured. */
  readonly payload: Uint8Array;
  /** How long it was on the wire. */
  readonly length: number;
}

export interface Capture {
  readonly segments: Iterable<CapturedSegment>;
  readonly notes: readonly string[];
}

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;

/** Whether the file says that it is one of these. */
export function isCapture(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && formatOf(viewOf(bytes)) !== undefined;
}

/** @throws {UsageError} `ERECORDING` for a link layer that is not known. */
export function readCapture(bytes: Uint8Array): Capture {
  const view = viewOf(bytes);
  const format = formatOf(view);
  if (!format || bytes.length < FILE_HEADER) return unreadable("", "its header is cut short");
  const link = view.getUint32(20, format.little) & 0xffff;
  const strip = LINKS[link] ?? unreadable("", `it was captured on a link of type ${link}, which is not known here`);
  const segments: CapturedSegment[] = [];
  let at = FILE_HEADER;
  while (at + RECORD_HEADER <= bytes.length) {
    const end = at + RECORD_HEADER + view.getUint32(at + 8, format.little);
    if (end > bytes.length) break;
    const time = view.getUint32(at, format.little) * 1_000 + view.getUint32(at + 4, format.little) / format.perMilli;
    const packet = strip(bytes.subarray(at + RECORD_HEADER, end));
    const segment = packet ? readPacket(packet, time) : undefined;
    if (segment) segments.push(segment);
    at = end;
  }
  return { segments, notes: at < bytes.length ? ["the last packet is cut short and was left out"] : [] };
}

/** The byte order of the machine that captured, and what its fractions of seconds are. */
function formatOf(view: DataView): { readonly little: boolean; readonly perMilli: number } | undefined {
  for (const little of [true, false]) {
    const magic = view.getUint32(0, little);
    if (magic === MICROSECONDS) return { little, perMilli: 1_000 };
    if (magic === NANOSECONDS) return { little, perMilli: 1_000_000 };
  }
  return undefined;
}

/** Takes the link layer off a frame; undefined where there is no IP behind it. */
type Strip = (frame: Uint8Array) => Uint8Array | undefined;

/** By number (tcpdump.org/linktypes.html): RAW under its names, Ethernet, BSD's loopback and Linux's "any". */
const LINKS: Readonly<Record<number, Strip>> = {
  0: (frame) => frame.subarray(4),
  1: ethernet,
  12: (frame) => frame,
  14: (frame) => frame,
  101: (frame) => frame,
  108: (frame) => frame.subarray(4),
  113: (frame) => frame.subarray(16),
  228: (frame) => frame,
  229: (frame) => frame,
  276: (frame) => frame.subarray(20),
};

const VLAN: readonly number[] = [0x8100, 0x88a8];
const ETHERNET_TYPES: readonly number[] = [0x0800, 0x86dd];

function ethernet(frame: Uint8Array): Uint8Array | undefined {
  let at = 12;
  while (VLAN.includes(typeAt(frame, at))) at += 4;
  return ETHERNET_TYPES.includes(typeAt(frame, at)) ? frame.subarray(at + 2) : undefined;
}

function typeAt(frame: Uint8Array, at: number): number {
  return ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
}

/** Undefined for what is no TCP, no IP or a fragment. */
function readPacket(packet: Uint8Array, at: number): CapturedSegment | undefined {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4) return readIpv4(packet, at);
  return version === 6 ? readIpv6(packet, at) : undefined;
}

const TCP = 6;

function readIpv4(packet: Uint8Array, at: number): CapturedSegment | undefined {
  const header = ((packet[0] ?? 0) & 15) * 4;
  if (packet.length < header || header < 20 || packet[9] !== TCP) return undefined;
  const view = viewOf(packet);
  // "More fragments", or any but the first.
  if ((view.getUint16(6) & 0x3fff) !== 0) return undefined;
  // 0 where the network card was to cut the packet into pieces.
  const length = view.getUint16(2) || packet.length;
  const [source, destination] = [packet.subarray(12, 16).join("."), packet.subarray(16, 20).join(".")];
  return readTcp(packet.subarray(header, length), length - header, source, destination, at);
}

/** Headers that may come before TCP and say how long they are: hop-by-hop, routing, destination. */
const EXTENSIONS: readonly number[] = [0, 43, 60];

function readIpv6(packet: Uint8Array, at: number): CapturedSegment | undefined {
  if (packet.length < 40) return undefined;
  const view = viewOf(packet);
  const length = 40 + (view.getUint16(4) || packet.length - 40);
  let [next, offset] = [packet[6] ?? 0, 40];
  while (EXTENSIONS.includes(next) && offset + 8 <= packet.length) {
    next = packet[offset] ?? 0;
    offset += ((packet[offset + 1] ?? 0) + 1) * 8;
  }
  if (next !== TCP) return undefined;
  const [source, destination] = [ipv6(view, 8), ipv6(view, 24)];
  return readTcp(packet.subarray(offset, length), length - offset, source, destination, at);
}

function ipv6(view: DataView, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(at + 2 * index).toString(16));
  return `[${groups.join(":")}]`;
}

/** `wire`: bytes of the segment on the wire, of which the end may not be captured. */
function readTcp(
  segment: Uint8Array,
  wire: number,
  source: string,
  destination: string,
  at: number,
): CapturedSegment | undefined {
  if (segment.length < 20) return undefined;
  const view = viewOf(segment);
  const header = (view.getUint8(12) >> 4) * 4;
  const flags = view.getUint8(13);
  return {
    at,
    source: `${source}:${view.getUint16(0)}`,
    destination: `${destination}:${view.getUint16(2)}`,
    sequence: view.getUint32(4),
    acknowledgement: view.getUint32(8),
    fin: (flags & 0x01) !== 0,
    syn: (flags & 0x02) !== 0,
    rst: (flags & 0x04) !== 0,
    ack: (flags & 0x10) !== 0,
    payload: segment.subarray(header),
    length: Math.max(0, wire - header),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
