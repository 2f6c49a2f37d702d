/**
 * Ranges of IP addresses as people write them (RFC 4632 section 3.1, RFC 4291 section 2.3): `10.0.0.0/8`, `::1`,
 * `fd00::/8`. An IPv6 range within `::ffff:0:0/96` means the IPv4 addresses that stand there (RFC 4291 section 2.5.5.2).
 */
import { groupsOf, isIPv4 } from "./address.ts";
import { UsageError } from "./errors.ts";

/** 32 bits for IPv4, 128 for IPv6. */
export interface Cidr {
  readonly bits: 32 | 128;
  /** The first address of the range, as a number. */
  readonly first: bigint;
  /** How many leading bits all its addresses share. */
  readonly prefix: number;
}

/** An IP address as unsigned numbers of 32 bits, the highest first: one for IPv4, four for IPv6. */
export type IpWords = readonly number[];

const MAPPED = 0xffff;

/**
 * Reads a range; an address alone is the range of that one address.
 *
 * @throws {UsageError} `ECIDR`, naming the text, what is wrong with it and what to write instead.
 */
export function parseCidr(text: string): Cidr {
  const fail = (why: string): never => {
    throw new UsageError("ECIDR", `Cannot parse address range "${text}": ${why}`);
  };
  const [host = "", length, extra] = text.trim().split("/");
  const words = ipWords(host);
  if (!words || extra !== undefined) return fail("write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8");
  const bits = words.length === 1 ? 32 : 128;
  const written = host.includes(":") ? 128 : 32;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) fail(`the length "${length}" is not a number`);
  const given = length === undefined ? written : Number(length);
  if (given > written) fail(`the length ${given} is too long; use 0 to ${written}`);
  const prefix = given - (written - bits);
  if (prefix < 0) fail("it reaches beyond the IPv4 addresses that it begins with; use a length of 96 to 128");
  const size = 1n << BigInt(bits - prefix);
  const value = numberOf(words);
  const first = value - (value % size);
  if (first !== value) fail(`it does not begin there; write "${formatIp(bits, first)}/${prefix}"`);
  return { bits, first, prefix };
}

/** The canonical text: `10.0.0.0/8`, and an address alone without a length. */
export function formatCidr({ bits, first, prefix }: Cidr): string {
  return prefix === bits ? formatIp(bits, first) : `${formatIp(bits, first)}/${prefix}`;
}

/** The numbers of an address; IPv6 that stands for IPv4 is IPv4. Undefined for a name; a zone is ignored. */
export function ipWords(host: string): IpWords | undefined {
  if (isIPv4(host)) return [ipv4Word(host)];
  const groups = host.includes(":") ? groupsOf(host.split("%")[0] ?? "") : undefined;
  if (!groups) return undefined;
  return unmapped([0, 2, 4, 6].map((at) => (groups[at] ?? 0) * 65_536 + (groups[at + 1] ?? 0)));
}

/** The canonical text of an address (RFC 5952); IPv6 that stands for IPv4 is IPv4. */
export function formatIpWords(words: IpWords): string {
  const plain = unmapped(words);
  return formatIp(plain.length === 1 ? 32 : 128, numberOf(plain));
}

function unmapped(words: IpWords): IpWords {
  const mapped = words[0] === 0 && words[1] === 0 && words[2] === MAPPED;
  return mapped ? words.slice(3) : words;
}

function numberOf(words: IpWords): bigint {
  return words.reduce((sum, word) => (sum << 32n) + BigInt(word), 0n);
}

function ipv4Word(host: string): number {
  let word = 0;
  let part = 0;
  for (let at = 0; at < host.length; at++) {
    const digit = host.charCodeAt(at) - 48;
    if (digit >= 0) part = part * 10 + digit;
    else {
      word = word * 256 + part;
      part = 0;
    }
  }
  return word * 256 + part;
}

/** RFC 5952: lower case, the longest run of zeroes left out. */
function formatIp(bits: 32 | 128, value: bigint): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => Number((value >> BigInt(112 - 16 * at)) & 0xffffn));
  const text = groups.map((group) => group.toString(16));
  let [start, length] = [0, 0];
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (groups[end] === 0) end++;
    if (end - at > length) [start, length] = [at, end - at];
  }
  if (length < 2) return text.join(":");
  return `${text.slice(0, start).join(":")}::${text.slice(start + length).join(":")}`;
}
