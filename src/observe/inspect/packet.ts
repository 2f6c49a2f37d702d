/** Packets as they might have been on a wire: IPv4 (RFC 791) or IPv6 (RFC 8200) with TCP (RFC 9293), without a link layer. */

/** One end of a connection: 4 or 16 bytes of address, as many as the other end has. */
export interface End {
  readonly ip: Uint8Array;
  readonly port: number;
}

export interface Segment {
  readonly from: End;
  readonly to: End;
  /** The packet has both modulo 2^32, as DataView writes numbers of 32 bits. */
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  /** A multiple of 4 bytes. */
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

export const FLAG = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

/** No more of a payload fits into one packet of either version, whose lengths have 16 bits. */
export const PAYLOAD_MAX = 65_000;

const TCP = 6;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
/** More than the largest segment: whoever reads it must not take the window for full. */
const WINDOW = 0xffff;
const HOPS = 64;
const DONT_FRAGMENT = 0x4000;

/** Bytes of the packet that {@link writePacket} makes. */
export function packetLength({ from, options, payload }: Segment): number {
  const ip = from.ip.length === 4 ? IPV4_HEADER : IPV6_HEADER;
  return ip + TCP_HEADER + options.length + payload.length;
}

/** Writes the packet to the beginning of `out`, all of it and with right checksums. */
export function writePacket(out: Uint8Array, segment: Segment): void {
  const { from, to, options, payload } = segment;
  const v4 = from.ip.length === 4;
  const tcp = out.subarray(v4 ? IPV4_HEADER : IPV6_HEADER, packetLength(segment));
  if (v4) writeIpv4(out, segment, tcp.length);
  else writeIpv6(out, segment, tcp.length);
  const view = viewOf(tcp);
  view.setUint16(0, from.port);
  view.setUint16(2, to.port);
  view.setUint32(4, segment.sequence);
  view.setUint32(8, segment.acknowledgement);
  view.setUint8(12, ((TCP_HEADER + options.length) / 4) << 4);
  view.setUint8(13, segment.flags);
  view.setUint16(14, WINDOW);
  view.setUint32(16, 0);
  tcp.set(options, TCP_HEADER);
  tcp.set(payload, TCP_HEADER + options.length);
  // With the addresses, the protocol and the length before it (RFC 9293 section 3.1).
  view.setUint16(16, checksum(sum(tcp, sum(to.ip, sum(from.ip, TCP + tcp.length)))));
}

function writeIpv4(out: Uint8Array, { from, to }: Segment, length: number): void {
  const view = viewOf(out);
  view.setUint16(0, 0x4500);
  view.setUint16(2, IPV4_HEADER + length);
  view.setUint16(4, 0);
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint8(8, HOPS);
  view.setUint8(9, TCP);
  view.setUint16(10, 0);
  out.set(from.ip, 12);
  out.set(to.ip, 16);
  view.setUint16(10, checksum(sum(out.subarray(0, IPV4_HEADER), 0)));
}

function writeIpv6(out: Uint8Array, { from, to }: Segment, length: number): void {
  const view = viewOf(out);
  view.setUint32(0, 0x60000000);
  view.setUint16(4, length);
  view.setUint8(6, TCP);
  view.setUint8(7, HOPS);
  out.set(from.ip, 8);
  out.set(to.ip, 24);
}

/** Adds 16-bit words to what there is; an odd byte at the end counts as one with a zero behind it (RFC 1071). */
function sum(bytes: Uint8Array, start: number): number {
  let total = start;
  for (let at = 0; at + 1 < bytes.length; at += 2) total += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  return bytes.length % 2 === 0 ? total : total + ((bytes.at(-1) as number) << 8);
}

/** The complement of the sum, its carries added to it. */
function checksum(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
