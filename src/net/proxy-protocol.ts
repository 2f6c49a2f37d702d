/**
 * HAProxy's PROXY protocol, the reading side: what a proxy in front of us says, ahead of the first byte of the client,
 * about the connection that it took. Sections are those of
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt; the other side is in proxy-protocol-write.ts.
 */
import type { Address } from "./address.ts";
import { formatIpWords, ipWords } from "./cidr.ts";
import { crc32c } from "./crc32c.ts";

/** What a header says about the connection that the sender took. */
export interface Proxied {
  /** Who connected to the sender. */
  readonly source: Address;
  /** Where it connected to. */
  readonly destination: Address;
}

export type ProxyHeader =
  /** Not complete yet, right so far. */
  | { readonly kind: "more" }
  /** No header, or a broken one; `why` is for the log. More bytes do not change it. */
  | { readonly kind: "wrong"; readonly why: string }
  | {
      readonly kind: "header";
      /** How many bytes it takes; behind them comes what the client says. */
      readonly length: number;
      /** Undefined for `UNKNOWN`, `LOCAL` and unspecified families: the connection speaks for itself. */
      readonly proxied: Proxied | undefined;
    };

/** Section 2.1: the longest line, 107 bytes with its CRLF, is `PROXY UNKNOWN` with two full IPv6 addresses and ports. */
const LINE_MAX = 107;

/**
 * The length field of version 2 goes up to 65,535 bytes. Section 2.2 promises a header smaller than an MSS, so 4 KiB
 * leave room for TLVs with a long TLS subject, and strangers cannot have us hold more than that.
 */
const BODY_MAX = 4_096;

/** Section 2.2: signature, version and command, family and transport, length. */
const FIXED = 16;

/** No header that is taken has more bytes. */
export const PROXY_HEADER_MAX = FIXED + BODY_MAX;

/** Section 2.2: `\r\n\r\n\0\r\nQUIT\n`, which makes servers for HTTP, TLS, SMTP and others hang up at once. */
export const V2_SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);

const V1_SIGNATURE = new TextEncoder().encode("PROXY ");

const MORE: ProxyHeader = { kind: "more" };

/**
 * Reads a header of either version; the first bytes tell which (section 2.2). Never throws.
 *
 * @param bytes All that has come so far, from the first byte on. More than {@link PROXY_HEADER_MAX} are not needed.
 *
 * @example
 * readProxyHeader(new TextEncoder().encode("PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\nGET"));
 * // { kind: "header", length: 42, proxied: { source: { kind: "tcp", host: "192.0.2.7", port: 56324 }, … } }
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (agrees(bytes, V1_SIGNATURE)) return readLine(bytes);
  if (agrees(bytes, V2_SIGNATURE)) return readBinary(bytes);
  return wrong("no PROXY header");
}

/** Whether `bytes` begin with the signature, as far as they have come. */
function agrees(bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.every((byte, at) => at >= bytes.length || bytes[at] === byte);
}

function wrong(why: string): ProxyHeader {
  return { kind: "wrong", why };
}

const OPENINGS = ["PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN ", "PROXY UNKNOWN\r\n"];

/** Section 2.1. */
function readLine(bytes: Uint8Array): ProxyHeader {
  const text = String.fromCharCode(...bytes.subarray(0, LINE_MAX));
  if (!OPENINGS.some((opening) => opening.startsWith(text) || text.startsWith(opening))) {
    return wrong('the line does not begin with "PROXY TCP4 ", "PROXY TCP6 " or "PROXY UNKNOWN"');
  }
  const end = text.indexOf("\r\n");
  const unknown = text.startsWith("PROXY UNKNOWN");
  // Told at once, because a sender that ends its line with a lone LF may wait for the server's greeting for ever.
  const stray = unknown ? null : /[^ -~]/.exec(end < 0 ? text.replace(/\r$/, "") : text.slice(0, end));
  if (stray)
    return wrong(`byte 0x${stray[0].charCodeAt(0).toString(16).padStart(2, "0")} before the CRLF is not printable`);
  if (end < 0) return text.length < LINE_MAX ? MORE : wrong(`no CRLF within ${LINE_MAX} bytes`);
  const proxied = unknown ? undefined : readWords(text.slice(0, end).split(" "));
  return typeof proxied === "string" ? wrong(proxied) : { kind: "header", length: end + 2, proxied };
}

/** What the words of a line say, or in a string what is wrong with them. */
function readWords(words: readonly string[]): Proxied | string {
  const [, protocol = "", source = "", destination = "", sourcePort = "", destinationPort = ""] = words;
  if (words.length !== 6) return `the line is not "PROXY ${protocol} SOURCE DESTINATION PORT PORT"`;
  const hosts = [source, destination].map((text) => hostOf(protocol, text));
  for (const [at, text] of [source, destination].entries()) {
    if (hosts[at] === undefined) return `"${text}" is not an IPv${protocol.slice(3)} address`;
  }
  const bad = [sourcePort, destinationPort].find((text) => !/^(0|[1-9]\d{0,4})$/.test(text) || Number(text) > 65_535);
  if (bad !== undefined) return `"${bad}" is not a port`;
  const [from = "", to = ""] = hosts;
  return {
    source: { kind: "tcp", host: from, port: Number(sourcePort) },
    destination: { kind: "tcp", host: to, port: Number(destinationPort) },
  };
}

/** The canonical text of an address in a line; undefined if it is none of the line's family. A zone has no place there. */
function hostOf(protocol: string, text: string): string | undefined {
  const fits = text.includes(":") === (protocol === "TCP6") && !text.includes("%");
  const words = fits ? ipWords(text) : undefined;
  return words && formatIpWords(words);
}

/** Where the two addresses of a family lie. */
interface AddressBlock {
  /** In bytes. */
  readonly size: number;
  readonly named: string;
  read(header: Uint8Array): Proxied | undefined;
}

const UNSPECIFIED: AddressBlock = { size: 0, named: "no addresses", read: () => undefined };

/** Section 2.2, by the number of the family. */
const FAMILIES: readonly AddressBlock[] = [
  UNSPECIFIED,
  { size: 12, named: "two IPv4 addresses", read: (header) => readIps(header, 1) },
  { size: 36, named: "two IPv6 addresses", read: (header) => readIps(header, 4) },
  { size: 216, named: "two unix addresses", read: readPaths },
];

/** Section 2.2. */
function readBinary(bytes: Uint8Array): ProxyHeader {
  const [version, family] = bytes.subarray(V2_SIGNATURE.length, FIXED);
  if (version === undefined) return MORE;
  if (version >> 4 !== 2) return wrong(`version ${version >> 4} in a binary header; only 2 is known`);
  const command = version & 15;
  if (command > 1) return wrong(`command ${command} is neither LOCAL (0) nor PROXY (1)`);
  if (family === undefined) return MORE;
  const block = command === 0 ? UNSPECIFIED : blockOf(family);
  if (typeof block === "string") return wrong(block);
  if (bytes.length < FIXED) return MORE;
  const body = viewOf(bytes).getUint16(FIXED - 2);
  if (body > BODY_MAX) return wrong(`a header of ${FIXED + body} bytes; ${PROXY_HEADER_MAX} are allowed`);
  if (body < block.size) return wrong(`${body} bytes are too few for ${block.named}`);
  const length = FIXED + body;
  if (bytes.length < length) return MORE;
  // Nobody says how many address bytes come first here, so where TLVs would begin is not known either.
  if (block === UNSPECIFIED) return { kind: "header", length, proxied: undefined };
  const header = bytes.subarray(0, length);
  const broken = checkTlvs(header, FIXED + block.size);
  return broken === undefined ? { kind: "header", length, proxied: block.read(header) } : wrong(broken);
}

/** Section 2.2: receivers reject numbers that are not assigned, and may take unspecified ones as LOCAL. */
function blockOf(family: number): AddressBlock | string {
  const block = FAMILIES[family >> 4];
  if (!block) return `address family ${family >> 4} is unknown`;
  const transport = family & 15;
  if (transport > 2) return `transport ${transport} is unknown`;
  return transport === 0 ? UNSPECIFIED : block;
}

/** Type and length of a TLV, in bytes. */
const TLV_FIXED = 3;
const TLV_CRC32C = 0x03;

/** Walks the TLVs from `start` on; returns what is wrong with them. Types that mean nothing to us are skipped. */
function checkTlvs(header: Uint8Array, start: number): string | undefined {
  const view = viewOf(header);
  for (let at = start; at < header.length; ) {
    const value = at + TLV_FIXED;
    const size = value <= header.length ? view.getUint16(at + 1) : 0;
    if (value + size > header.length) return "a TLV runs past the end of the header";
    if (view.getUint8(at) === TLV_CRC32C) {
      if (size !== 4) return `the checksum has ${size} bytes; CRC32C has 4`;
      if (view.getUint32(value) !== crc32c(new Uint8Array(header).fill(0, value, value + 4)))
        return "the checksum is wrong";
    }
    at = value + size;
  }
  return undefined;
}

/** Both addresses, each of so many words of 32 bits, then both ports. */
function readIps(header: Uint8Array, words: 1 | 4): Proxied {
  const view = viewOf(header);
  const side = (index: 0 | 1): Address => {
    const host = Array.from({ length: words }, (_, word) => view.getUint32(FIXED + 4 * (index * words + word)));
    return { kind: "tcp", host: formatIpWords(host), port: view.getUint16(FIXED + 8 * words + 2 * index) };
  };
  return { source: side(0), destination: side(1) };
}

/** The size of sun_path (unix(7)). */
const PATH_SIZE = 108;

/** Undefined if one has no name: a unix client that did not bind its socket, as most do not. */
function readPaths(header: Uint8Array): Proxied | undefined {
  const source = pathOf(header.subarray(FIXED, FIXED + PATH_SIZE));
  const destination = pathOf(header.subarray(FIXED + PATH_SIZE, FIXED + 2 * PATH_SIZE));
  if (source === "" || destination === "") return undefined;
  return { source: { kind: "unix", path: source }, destination: { kind: "unix", path: destination } };
}

/** A path ends at its first NUL or fills the field; a name in Linux's abstract namespace begins with one (unix(7)). */
function pathOf(field: Uint8Array): string {
  const abstract = field[0] === 0;
  const name = field.subarray(abstract ? 1 : 0);
  const end = name.indexOf(0);
  const text = new TextDecoder().decode(end < 0 ? name : name.subarray(0, end));
  return abstract && text !== "" ? `@${text}` : text;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
