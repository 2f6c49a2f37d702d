/** Keys of ISO 8583 messages. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Framing } from "../../../src/mux/message.ts";
import { PROTOCOLS } from "../../../src/mux/protocols.ts";
import { bytesOf, FRAMING, readRequests } from "../reading.ts";

const BY_STAN: Framing = { ...FRAMING, match: "stan" };
const KEYS = PROTOCOLS.iso8583.keys(BY_STAN);

/** Fields as they are on the wire. */
type Fields = Readonly<Record<number, string>>;

function bitmap(fields: Fields, hex: boolean): string {
  const numbers = Object.keys(fields).map(Number);
  const bits = new Uint8Array(numbers.some((field) => field > 64) ? 16 : 8);
  const set = (field: number) => {
    bits[(field - 1) >> 3] = (bits[(field - 1) >> 3] ?? 0) | (0x80 >> ((field - 1) & 7));
  };
  for (const field of numbers) set(field);
  if (bits.length > 8) set(1);
  return Buffer.from(bits).toString(hex ? "hex" : "latin1");
}

function message(type: string, fields: Fields, hex = false): Uint8Array {
  const body = `${type}${bitmap(fields, hex)}${Object.values(fields).join("")}`;
  return bytesOf(String.fromCharCode(body.length >> 8, body.length & 0xff) + body);
}

const PURCHASE = {
  2: "164000000000000002",
  3: "000000",
  4: "000000001000",
  7: "1121180000",
  11: "123456",
  12: "180000",
  22: "051",
  35: "204000000000000002=251",
  41: "TERM0001",
  42: "MERCHANT0000001",
} as const;

const read = (bytes: Uint8Array, framing = BY_STAN) => readRequests(PROTOCOLS.iso8583, framing, [bytes]);
const ofRequest = (bytes: Uint8Array) => KEYS?.ofRequest(bytes);
const ofReply = (bytes: Uint8Array) => KEYS?.ofReply(bytes);

describe("what belongs together has the same key", () => {
  const request = message("0200", PURCHASE);
  const reply = (type: string, fields: Fields = PURCHASE, hex = false) =>
    ofReply(message(type, { ...fields, 39: "00" }, hex));

  test("a request and its response", () => {
    expect(read(request).messages).toHaveLength(1);
    expect(ofReply(message("0210", { 11: "123456", 39: "00", 41: "TERM0001" }))).toBe(ofRequest(request) as string);
    expect(reply("0210")).toBe(ofRequest(request) as string);
    // A request that is repeated is answered like the first.
    expect(ofRequest(message("0201", PURCHASE))).toBe(ofRequest(request) as string);
  });

  test("whether bitmaps are binary or hexadecimal, of 64 bits or 128", () => {
    const key = ofRequest(request) as string;
    const more = { ...PURCHASE, 90: "0".repeat(42) };
    for (const fields of [PURCHASE, more]) {
      for (const hex of [false, true]) {
        expect(ofRequest(message("0200", fields, hex))).toBe(key);
        expect(reply("0210", fields, hex)).toBe(key);
      }
    }
    const upper = message("0200", PURCHASE, true);
    for (let at = 6; at < 22; at++)
      upper[at] = String.fromCharCode(upper[at] ?? 0)
        .toUpperCase()
        .charCodeAt(0);
    expect(ofRequest(upper)).toBe(key);
  });

  test("a binary bitmap that looks like hexadecimal is one all the same", () => {
    // 0x30 0x30 …: fields 3, 4, 11, 12, 19, 20, 27, 28, 35, 36 and so on.
    const fields: Record<number, string> = { 3: "000000", 4: "0".repeat(12), 11: "000042", 12: "120000" };
    Object.assign(fields, { 19: "276", 20: "276", 27: "6", 28: "D00000000", 35: "00", 36: "000", 43: "x", 44: "x" });
    Object.assign(fields, { 51: "x", 52: "x", 59: "x", 60: "x" });
    const bytes = message("0200", fields);
    expect(Buffer.from(bytes.subarray(6, 14)).toString()).toBe("00000000");
    expect(ofRequest(bytes)).toInclude("000042");
  });

  test("a message that is one with either kind of bitmap is refused, unless it has the same key", () => {
    // As hexadecimal it is field 11 alone, behind 16 characters; as binary 3, 4 and 11, behind 8 and then 18, and others.
    const make = (type: string, behind: string) => {
      const body = `${type}0020000000000000${behind.padEnd(100, "0")}`;
      return bytesOf(`\0${String.fromCharCode(body.length)}${body}`);
    };
    const two = "0000000000654321";
    expect(read(make("0200", two)).error).toBe("a bitmap that can be read in two ways, as hexadecimal and as binary");
    expect(ofReply(make("0210", two))).toBeUndefined();
    const same = "";
    expect(read(make("0200", same)).messages).toHaveLength(1);
    expect(ofReply(make("0210", same))).toBe(ofRequest(make("0200", same)) as string);
  });

  test("classes, functions, trace numbers and terminals tell messages apart", () => {
    const others = [
      message("0100", PURCHASE),
      message("0400", PURCHASE),
      message("0220", PURCHASE),
      message("0200", { ...PURCHASE, 11: "123457" }),
      message("0200", { ...PURCHASE, 41: "TERM0002" }),
      message("0200", { 11: "123456" }),
    ];
    const keys = [request, ...others].map(ofRequest);
    expect(new Set(keys).size).toBe(keys.length);
    expect(reply("0230")).toBe(ofRequest(message("0220", PURCHASE)) as string);
    expect(reply("0410")).toBe(ofRequest(message("0400", PURCHASE)) as string);
    // Between hosts there is no terminal.
    expect(ofReply(message("0810", { 7: "1121180000", 11: "000001", 39: "00" }))).toBe(
      ofRequest(message("0800", { 7: "1121180000", 11: "000001", 70: "301" })) as string,
    );
  });

  test("every field in front of the terminal is passed over", () => {
    const fields: Record<number, string> = { ...PURCHASE };
    const fixed = { 5: 12, 6: 12, 8: 8, 9: 8, 10: 8, 13: 4, 14: 4, 15: 4, 16: 4, 17: 4, 18: 4, 19: 3, 20: 3, 21: 3 };
    const more = { 23: 3, 24: 3, 25: 2, 26: 2, 27: 1, 28: 9, 29: 9, 30: 9, 31: 9, 37: 12, 38: 6, 39: 2, 40: 3 };
    for (const [field, size] of Object.entries({ ...fixed, ...more })) fields[Number(field)] = "9".repeat(size);
    for (const field of [32, 33, 34]) fields[field] = "0912345678?".slice(0, 11);
    fields[36] = "003abc";
    expect(ofRequest(message("0200", fields))).toBe(ofRequest(request) as string);
  });
});

describe("what has no key", () => {
  const why = (bytes: Uint8Array) => read(bytes).error;

  test("is refused as a request, saying why", () => {
    expect(why(message("0210", PURCHASE))).toBe('message type "0210", which is no request');
    expect(why(message("0200", { 41: "TERM0001" }))).toBe("a message without field 11 (STAN)");
    expect(why(message("0200", { 11: "12345x" }))).toBe('field 11 (STAN) is "12345x", not six digits');
    expect(why(message("0200", { 11: "1234" }))).toBe("a message that ends within field 11");
    expect(why(message("0200", { 2: "xx", 11: "123456" }))).toBe("field 2 does not begin with its length");
    expect(why(message("0200", { 2: `20${"0".repeat(20)}`, 11: "123456" }))).toBe(
      "field 2 of 20 bytes, where it has 19 at most",
    );
    expect(why(message("0200", { 11: "123456", 41: "SHORT" }))).toBe("a message that ends within field 41");
    expect(why(message("1200", PURCHASE))).toBe('message type "1200", which is not of ISO 8583:1987');
    expect(why(bytesOf("\0\x03020"))).toBe('"020" in place of a message type');
    expect(why(bytesOf("\0\x060200\x80\0"))).toBe("a message that ends within its bitmap");
    expect(why(bytesOf("\0\x0c0200\xa0\0\0\0\0\0\0\0"))).toBe("a message that ends within field 3");
    expect(why(bytesOf("\0\x02\x02\0"))).toBe("0x0200 in place of a message type");
  });

  test("passes where replies come in order", () => {
    expect(read(message("0210", {}), FRAMING).messages).toHaveLength(1);
    expect(PROTOCOLS.iso8583.keys(FRAMING)).toBeUndefined();
  });

  test("answers nothing as a reply", () => {
    expect(ofReply(message("0200", PURCHASE))).toBeUndefined();
    expect(ofReply(message("0210", { 39: "96" }))).toBeUndefined();
    expect(ofReply(bytesOf("\0\x03abc"))).toBeUndefined();
  });

  test("never breaks anything", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 3, maxLength: 120 }), fc.boolean(), (noise, typed) => {
        const bytes = noise.slice();
        if (typed) bytes.set(bytesOf("0200").subarray(0, bytes.length - 2), 2);
        ofReply(bytes);
        const size = bytes.length - 2;
        bytes.set([size >> 8, size & 0xff]);
        const { messages, error } = read(bytes);
        expect(messages.length + (error === undefined ? 0 : 1)).toBe(1);
      }),
      { numRuns: 500 },
    );
  });
});
