/** PROXY headers: what is read, what is refused and with which words, what is written, wherever the bytes are cut. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Address, parseAddress, sameAddress } from "../../src/net/address.ts";
import { crc32c } from "../../src/net/crc32c.ts";
import { PROXY_HEADER_MAX, type Proxied, readProxyHeader } from "../../src/net/proxy-protocol.ts";
import { ownProxyHeader, writeProxyHeader } from "../../src/net/proxy-protocol-write.ts";

const tcp = (host: string, port: number): Address => ({ kind: "tcp", host, port });
const both = (address: Address): Proxied => ({ source: address, destination: address });
/** One byte for each character. */
const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const SIGNED = "\r\n\r\n\0\r\nQUIT\n";
const SIGNATURE = bytesOf(SIGNED);
const IPV4_BODY = [192, 168, 0, 1, 192, 168, 0, 11, 0xdc, 0x04, 0x01, 0xbb];
const SPEC: Proxied = { source: tcp("192.168.0.1", 56324), destination: tcp("192.168.0.11", 443) };
const FULL = "1111:2222:3333:4444:5555:6666:7777:8888";
const NOOP = [4, 0, 2, 9, 9];
const UNKNOWN_TYPE = [0xea, 0, 1, 7];
/** The checksum was computed with another program. */
const SUMMED = tlvs(...NOOP, 3, 0, 4, 0x4a, 0x7e, 0x90, 0xd9, ...UNKNOWN_TYPE);

describe("version 1", () => {
  const longest = `PROXY UNKNOWN ${FULL.replace(/\d/g, "f")} ${FULL.replace(/\d/g, "f")} 65535 65535\r\n`;

  test.each<[string, Proxied | undefined]>([
    ["PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", SPEC],
    ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", both(tcp("255.255.255.255", 65535))],
    ["PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", both(tcp("0.0.0.0", 0))],
    [`PROXY TCP6 ${FULL} ${FULL} 65535 65535\r\n`, both(tcp(FULL, 65535))],
    ["PROXY TCP6 2001:DB8:0:0::1 2001:db8:0:0:0:0:0:1 1 1\r\n", both(tcp("2001:db8::1", 1))],
    ["PROXY TCP6 ::ffff:10.0.0.1 ::FFFF:A00:1 1 1\r\n", both(tcp("10.0.0.1", 1))],
    ["PROXY UNKNOWN\r\n", undefined],
    ["PROXY UNKNOWN  any\rthing\n\xff\0 at all\r\n", undefined],
    [longest, undefined],
  ])("reads %j", (line, proxied) => {
    const bytes = bytesOf(line);
    expect(readProxyHeader(bytes)).toEqual({ kind: "header", length: bytes.length, proxied });
    expect(readProxyHeader(bytesOf(`${line}GET / HTTP/1.1\r\n\r\n`)).kind).toBe("header");
  });

  test("takes a line of 107 bytes and none of 108", () => {
    expect(longest).toHaveLength(107);
    for (const line of [longest.replace("\r", " \r"), longest.replace("\n", "\r"), `PROXY TCP4 ${"1".repeat(96)}`]) {
      expect(readProxyHeader(bytesOf(line))).toEqual({ kind: "wrong", why: "no CRLF within 107 bytes" });
    }
  });

  const tcp4 = (...rest: string[]) => rest.map((words) => `PROXY TCP4 ${words}\r\n`);
  const tcp6 = (...rest: string[]) => rest.map((words) => `PROXY TCP6 ${words}\r\n`);
  const opening = 'the line does not begin with "PROXY TCP4 ", "PROXY TCP6 " or "PROXY UNKNOWN"';
  test.each([
    ["no PROXY header", "G", "PROXYx", "proxy TCP4"],
    [opening, "PROXY  ", "PROXY U ", "PROXY TCP5", "PROXY TCP4\r", "PROXY UNKNOWNS", "PROXY UNKNOWN\n"],
    ["byte 0x0a before the CRLF is not printable", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n"],
    ["byte 0x0d before the CRLF is not printable", "PROXY TCP4 \r ", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n"],
    ["byte 0x9b before the CRLF is not printable", "PROXY TCP4 \x9b"],
    ['the line is not "PROXY TCP4 SOURCE DESTINATION PORT PORT"', ...tcp4("1.1.1.1  2.2.2.2 1 2")],
    ['the line is not "PROXY TCP6 SOURCE DESTINATION PORT PORT"', ...tcp6("::1 ::2 1", "::1 ::2 1 2 ")],
    ['"01.1.1.1" is not an IPv4 address', ...tcp4("01.1.1.1 2.2.2.2 1 2")],
    ['"2.2.2.256" is not an IPv4 address', ...tcp4("1.1.1.1 2.2.2.256 1 2")],
    ['"::1" is not an IPv4 address', ...tcp4("::1 ::2 1 2")],
    ['"2.2.2.2" is not an IPv6 address', ...tcp6("::1 2.2.2.2 1 2")],
    ['"fe80::1%eth0" is not an IPv6 address', ...tcp6("fe80::1%eth0 ::2 1 2")],
    ['"1::2::3" is not an IPv6 address', ...tcp6("1::2::3 ::2 1 2")],
    ['"01" is not a port', ...tcp4("1.1.1.1 2.2.2.2 01 2", "1.1.1.1 2.2.2.2 1 01")],
    ['"+2" is not a port', ...tcp4("1.1.1.1 2.2.2.2 1 +2")],
    ['"65536" is not a port', ...tcp4("1.1.1.1 2.2.2.2 65536 2")],
  ])("refuses: %s", (why, ...lines) => {
    for (const line of lines) expect(readProxyHeader(bytesOf(line))).toEqual({ kind: "wrong", why });
  });
});

describe("version 2", () => {
  const paths = (source: string, destination: string) =>
    [source, destination].flatMap((path) => [...bytesOf(path.padEnd(108, "\0"))]);
  const long = "x".repeat(108);
  const start = (...bytes: number[]) => Uint8Array.of(...SIGNATURE, ...bytes);
  const unix = (path: string): Address => ({ kind: "unix", path });
  const ipv6 = [...new Uint8Array(15), 1, ...new Uint8Array(10), 255, 255, 10, 0, 0, 1, 0, 80, 1, 0];

  test.each<[string, Uint8Array, Proxied | undefined]>([
    ["TCP over IPv4", v2(0x21, 0x11, IPV4_BODY), SPEC],
    ["UDP over IPv4", v2(0x21, 0x12, IPV4_BODY), SPEC],
    ["TCP over IPv6", v2(0x21, 0x21, ipv6), { source: tcp("::1", 80), destination: tcp("10.0.0.1", 256) }],
    ["paths", v2(0x21, 0x31, paths("/run/\xc3\xa9\0junk", "/b")), { source: unix("/run/é"), destination: unix("/b") }],
    ["paths that fill the field", v2(0x21, 0x32, paths(long, long)), both(unix(long))],
    ["abstract names", v2(0x21, 0x31, paths("\0a", "\0b\0c")), { source: unix("@a"), destination: unix("@b") }],
    ["a client without a path", v2(0x21, 0x31, paths("", "/b")), undefined],
    ["a destination without a path", v2(0x21, 0x31, paths("/a", "\0\0c")), undefined],
    ["an unspecified family", v2(0x21, 0x00, [1, 2, 3]), undefined],
    ["an unspecified transport", v2(0x21, 0x10, [1, 2, 3]), undefined],
    ["LOCAL", v2(0x20, 0x00, []), undefined],
    ["LOCAL, whatever it holds", v2(0x20, 0xff, [3, 0, 9]), undefined],
    ["the longest", tlvs(4, 0x0f, 0xf1, ...new Uint8Array(0x0ff1)), SPEC],
    ["TLVs", tlvs(...NOOP, ...UNKNOWN_TYPE, 4, 0, 0), SPEC],
    ["a checksum", SUMMED, SPEC],
  ])("reads %s", (_, bytes, proxied) => {
    expect(bytes.length).toBeLessThanOrEqual(PROXY_HEADER_MAX);
    expect(readProxyHeader(bytes)).toEqual({ kind: "header", length: bytes.length, proxied });
  });

  test.each<[string, ...Uint8Array[]]>([
    ["no PROXY header", Uint8Array.of(...SIGNATURE.slice(0, 11), 0)],
    ["version 1 in a binary header; only 2 is known", start(0x11)],
    ["command 2 is neither LOCAL (0) nor PROXY (1)", start(0x22)],
    ["address family 4 is unknown", start(0x21, 0x41)],
    ["transport 3 is unknown", start(0x21, 0x13), start(0x21, 0x03)],
    ["a header of 4113 bytes; 4112 are allowed", start(0x21, 0x11, 0x10, 0x01), start(0x20, 0x00, 0x10, 0x01)],
    ["11 bytes are too few for two IPv4 addresses", start(0x21, 0x11, 0, 11)],
    ["35 bytes are too few for two IPv6 addresses", start(0x21, 0x21, 0, 35)],
    ["215 bytes are too few for two unix addresses", start(0x21, 0x31, 0, 215)],
    ["a TLV runs past the end of the header", tlvs(...NOOP, 4), tlvs(4, 0), tlvs(4, 0, 2, 0)],
    ["the checksum has 3 bytes; CRC32C has 4", tlvs(3, 0, 3, 0, 0, 0)],
    ["the checksum is wrong", tlvs(3, 0, 4, 0, 0, 0, 0), v2(0x21, 0x31, [...paths("", "/b"), 3, 0, 4, 0, 0, 0, 0])],
  ])("refuses: %s", (why, ...headers) => {
    for (const header of headers) expect(readProxyHeader(header)).toEqual({ kind: "wrong", why });
  });

  test("a checksum finds a flipped bit", () => {
    for (let at = 16; at < SUMMED.length; at++) {
      // Type and length of the TLV itself: changed, there is no checksum.
      if (at >= 33 && at < 36) continue;
      const flipped = SUMMED.with(at, (SUMMED[at] as number) ^ 0x10);
      expect(readProxyHeader(flipped).kind).toBe("wrong");
    }
  });
});

test("CRC32C is that of RFC 3720 appendix B.4 and of everybody's check value", () => {
  expect(crc32c(bytesOf("123456789"))).toBe(0xe306_9283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
});

describe("writeProxyHeader", () => {
  const line = "TCP4 192.168.0.1 192.168.0.11 56324 443";
  const ula = [0xfd, ...new Uint8Array(14), 7];
  const mapped = [...new Uint8Array(10), 255, 255, 10, 0, 0, 1];

  test.each<[string, string, string, string, number, number[]]>([
    ["IPv4", "192.168.0.1:56324", "192.168.0.11:443", line, 0x11, IPV4_BODY],
    ["mapped IPv4", "[::ffff:192.168.0.1]:56324", "[::FFFF:c0a8:b]:443", line, 0x11, IPV4_BODY],
    ["IPv6", "[fd00::7%eth0]:1", "[fd00::7]:2", "TCP6 fd00::7 fd00::7 1 2", 0x21, [...ula, ...ula, 0, 1, 0, 2]],
    ["both", "10.0.0.1:1", "[fd00::7]:2", "TCP6 ::ffff:10.0.0.1 fd00::7 1 2", 0x21, [...mapped, ...ula, 0, 1, 0, 2]],
    ["a unix client", "unix:@a", "192.0.2.1:1", "UNKNOWN", 0x00, []],
    ["a unix listener", "192.0.2.1:1", "unix:/a", "UNKNOWN", 0x00, []],
    ["a name", "192.0.2.1:1", "localhost:1", "UNKNOWN", 0x00, []],
    ["a peer that was gone", "", "192.0.2.1:1", "UNKNOWN", 0x00, []],
  ])("writes %s: %j and %j", (_, from, to, text, family, body) => {
    const source = from === "" ? tcp("", 0) : parseAddress(from, "listen");
    const proxied = { source, destination: parseAddress(to, "listen") };
    expect(writeProxyHeader("v1", proxied)).toEqual(bytesOf(`PROXY ${text}\r\n`));
    expect(writeProxyHeader("v2", proxied)).toEqual(v2(0x21, family, body));
  });

  test("writes IPv6 in a line as RFC 5952 wants it", () => {
    for (const host of ["2001:db8::1", "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "2001:db8::1:0:0:1", "::", "::f"]) {
      const line = bytesOf(`PROXY TCP6 ${host} ${host} 1 1\r\n`);
      for (const spelling of [host, host.toUpperCase(), host.replace(/::(?=.)/, "::0:")]) {
        expect(writeProxyHeader("v1", both(tcp(spelling, 1)))).toEqual(line);
      }
    }
  });

  test("what is written is read back, in both versions", () => {
    fc.assert(
      fc.property(addresses(), addresses(), fc.constantFrom("v1", "v2"), (source, destination, version) => {
        const read = readProxyHeader(writeProxyHeader(version, { source, destination }));
        if (read.kind !== "header" || !read.proxied) throw new Error(JSON.stringify(read));
        expect(
          sameAddress(read.proxied.source, source) && sameAddress(read.proxied.destination, destination),
        ).toBeTrue();
      }),
      { numRuns: 500 },
    );
  });
});

test("the header of a connection of our own is UNKNOWN or LOCAL, and speaks of nobody", () => {
  expect(ownProxyHeader("v1")).toEqual(bytesOf("PROXY UNKNOWN\r\n"));
  expect(ownProxyHeader("v2")).toEqual(v2(0x20, 0x00, []));
  for (const version of ["v1", "v2"] as const) {
    const header = ownProxyHeader(version);
    expect(readProxyHeader(Uint8Array.of(...header, ...bytesOf("GET / HTTP/1.0\r\n")))).toEqual({
      kind: "header",
      length: header.length,
      proxied: undefined,
    });
  }
});

describe("wherever the bytes are cut", () => {
  test("a header that is not complete asks for more, and what follows it changes nothing", () => {
    fc.assert(
      fc.property(headers(), fc.uint8Array({ maxLength: 200 }), (header, payload) => {
        for (let end = 0; end < header.length; end++) {
          expect(readProxyHeader(header.subarray(0, end))).toEqual({ kind: "more" });
        }
        const read = readProxyHeader(header);
        expect(read).toMatchObject({ kind: "header", length: header.length });
        expect(readProxyHeader(Uint8Array.of(7, ...header, ...payload).subarray(1))).toEqual(read);
      }),
    );
  });

  test("of a damaged header the first verdict is the last one", () => {
    const damage = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 });
    fc.assert(
      fc.property(headers(), damage, (header, changes) => {
        const bytes = Uint8Array.of(...header, ...header);
        for (const [at, byte] of changes) bytes[at] = byte;
        const all = Array.from(bytes, (_, at) => readProxyHeader(bytes.subarray(0, at + 1)));
        const verdicts = all.slice(all.findIndex(({ kind }) => kind !== "more"));
        for (const verdict of verdicts) expect(verdict).toEqual(verdicts[0] as (typeof verdicts)[0]);
      }),
      { numRuns: 300 },
    );
  });

  test("garbage neither throws nor passes for a header", () => {
    const starts = ["", "PROXY ", "PROXY TCP4 ", "PROXY TCP6 ", SIGNED, `${SIGNED}!\x11\0`];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), (start, rest) => {
        const bytes = Uint8Array.of(...bytesOf(start), ...rest);
        const read = readProxyHeader(bytes);
        if (read.kind !== "header") return;
        expect(new TextDecoder("latin1").decode(bytes)).toMatch(/^(PROXY |\r\n\r\n\0\r\nQUIT\n)/);
        expect(read.length).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Of all sorts, complete and right. */
function headers(): fc.Arbitrary<Uint8Array> {
  const written = fc.tuple(fc.constantFrom("v1", "v2"), addresses(), addresses());
  const rest = fc.uint8Array({ maxLength: 40 });
  return fc.oneof(
    written.map(([version, source, destination]) => writeProxyHeader(version, { source, destination })),
    rest.map((body) => v2(0x20, 0x00, body)),
    rest.map((value) => tlvs(0xea, 0, value.length, ...value)),
    rest.map((path) => v2(0x21, 0x31, [...path, ...new Uint8Array(216 - path.length)])),
    fc.constantFrom(SUMMED, ownProxyHeader("v1"), ownProxyHeader("v2"), bytesOf("PROXY UNKNOWN \r \n\r\n")),
  );
}

function addresses(): fc.Arbitrary<Address> {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("::ffff:192.0.2.1"));
  return fc.tuple(host, fc.nat(65535)).map(([name, port]) => tcp(name, port));
}

function v2(command: number, family: number, body: ArrayLike<number> & Iterable<number>): Uint8Array {
  return Uint8Array.of(...SIGNATURE, command, family, body.length >> 8, body.length & 255, ...body);
}

/** {@link SPEC} with TLVs. */
function tlvs(...bytes: number[]): Uint8Array {
  return v2(0x21, 0x11, [...IPV4_BODY, ...bytes]);
}
