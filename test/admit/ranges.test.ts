import { expect, test } from "bun:test";
import fc from "fast-check";
import { RangeTable } from "../../src/admit/ranges.ts";
import { type Cidr, formatCidr, type IpWords, ipWords, parseCidr } from "../../src/net/cidr.ts";

/** Few bits vary, so that ranges meet. */
function cidrs(): fc.Arbitrary<Cidr> {
  const narrow = fc
    .tuple(fc.nat(255), fc.integer({ min: 22, max: 32 }))
    .map(([low, prefix]) => cut(32, BigInt(low), prefix));
  const wide = fc
    .tuple(fc.nat(255), fc.nat(3), fc.integer({ min: 60, max: 128 }))
    .map(([low, high, prefix]) => cut(128, (BigInt(high) << 64n) + BigInt(low), prefix));
  const whole = fc.constantFrom(
    cut(32, 0n, 0),
    cut(128, 0n, 0),
    cut(128, 2n ** 128n - 1n, 128),
    cut(32, 2n ** 32n - 1n, 30),
  );
  return fc.oneof({ weight: 5, arbitrary: narrow }, { weight: 5, arbitrary: wide }, whole);
}

function cut(bits: 32 | 128, value: bigint, prefix: number): Cidr {
  const size = 1n << BigInt(bits - prefix);
  return { bits, first: value - (value % size), prefix };
}

function holds({ bits, first, prefix }: Cidr, address: IpWords): boolean {
  const value = address.reduce((sum, word) => (sum << 32n) + BigInt(word), 0n);
  return (
    (address.length === 1 ? 32 : 128) === bits && value >> BigInt(bits - prefix) === first >> BigInt(bits - prefix)
  );
}

test("the narrowest range wins, of equal ones the first, wherever the address lies", () => {
  const address = fc.oneof(
    fc.nat(300).map((low) => [low]),
    fc.tuple(fc.nat(3), fc.nat(300)).map(([high, low]) => [0, high, 0, low]),
    fc.constantFrom([0xffff_ffff], [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff]),
  );
  fc.assert(
    fc.property(fc.array(cidrs(), { maxLength: 30 }), fc.array(address, { minLength: 1 }), (list, addresses) => {
      const table = new RangeTable(list);
      for (const each of addresses) {
        const around = list.map((cidr, value) => ({ cidr, value })).filter(({ cidr }) => holds(cidr, each));
        const best = around.sort((a, b) => b.cidr.prefix - a.cidr.prefix || a.value - b.value)[0];
        expect(table.find(each)).toBe(best?.value as number);
      }
    }),
    { numRuns: 500 },
  );
});

test("what is written is read back, and ends where it should", () => {
  fc.assert(
    fc.property(cidrs(), (cidr) => {
      const mapped = cidr.bits === 128 && cidr.first >> 32n === 0xffffn;
      if (!mapped) expect(parseCidr(formatCidr(cidr))).toEqual(cidr);
    }),
  );
  expect(formatCidr(parseCidr("::FFFF:10.0.0.0/104"))).toBe("10.0.0.0/8");
  expect(formatCidr(parseCidr("fd00:0:0:1::/64"))).toBe("fd00:0:0:1::/64");
  expect(formatCidr(parseCidr("0.0.0.0/0"))).toBe("0.0.0.0/0");
  expect(formatCidr(parseCidr("::1"))).toBe("::1");
  expect(ipWords("fe80::1%eth0")).toEqual([0xfe80_0000, 0, 0, 1]);
  expect(ipWords("::ffff:1.2.3.4")).toEqual([0x0102_0304]);
});

test.each([
  ["10.0.0.1/8", 'it does not begin there; write "10.0.0.0/8"'],
  ["10.0.0.0/33", "the length 33 is too long; use 0 to 32"],
  ["10.0.0.0/x", 'the length "x" is not a number'],
  ["10.0.0.0/", 'the length "" is not a number'],
  ["example.com", "write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8"],
  ["10.0.0.0/8/9", "write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8"],
  ["::ffff:10.0.0.0/90", "it reaches beyond the IPv4 addresses that it begins with; use a length of 96 to 128"],
  ["", "write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8"],
])("a bad range is explained: %s", (text, why) => {
  expect(() => parseCidr(text)).toThrow(`Cannot parse address range "${text}": ${why}`);
});

test("only a UsageError comes out of arbitrary text", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."0123456789abcdef:./%") }));
  fc.assert(
    fc.property(text, (each) => {
      try {
        parseCidr(each);
      } catch (error) {
        expect((error as { code: string }).code).toBe("ECIDR");
      }
    }),
    { numRuns: 1_000 },
  );
});
