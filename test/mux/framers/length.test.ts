/** Messages that end in a delimiter, or say how long they are. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Framing, LengthField } from "../../../src/mux/message.ts";
import { PROTOCOLS } from "../../../src/mux/protocols.ts";
import { byteByByte, bytesOf, cut, cuts, FRAMING, readReplies, readRequests } from "../reading.ts";

describe("echo", () => {
  const read = (delimiter: string, text: string, sizes: readonly number[] = []) =>
    readRequests(PROTOCOLS.echo, { ...FRAMING, delimiter }, cut(bytesOf(text), sizes));

  test("a message ends behind its delimiter", () => {
    expect(read("\n", "a\nbc\n\nd")).toMatchObject({ messages: ["a\n", "bc\n", "\n"], waiting: 1 });
    expect(read("\r\n", "a\r\nb\rc\r\r\n\r")).toMatchObject({ messages: ["a\r\n", "b\rc\r\r\n"], waiting: 1 });
    expect(read("\xff\0", "\xff\xff\0x\xff")).toMatchObject({ messages: ["\xff\xff\0"], waiting: 2 });
  });

  test("where lines end in CR LF, one LF alone is no part of a request, and may be one of a reply", () => {
    for (const bad of ["a\nb\r\n", "\na\r\n", "a\n\r\n", "\n\r\n"]) {
      const { messages, error } = read("\r\n", `ok\r\n${bad}`);
      expect(messages).toEqual(["ok\r\n"]);
      expect(error).toBe("LF without CR in a message, where lines end in CR LF");
      const replies = readReplies(PROTOCOLS.echo, { ...FRAMING, delimiter: "\r\n" }, [bytesOf(bad)]);
      expect(replies.messages).toEqual([bad]);
    }
    // Of others nobody knows that they are lines.
    expect(read("\n\n", "a\nb\n\n").messages).toEqual(["a\nb\n\n"]);
    expect(read("\r\n.\r\n", "a\r\nb\n\r\n.\r\n").messages).toEqual(["a\r\nb\n\r\n.\r\n"]);
  });

  test("a delimiter that begins within another is found, however it is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 60 });
    const delimiters = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(delimiters, letters, cuts(4), (delimiter, text, sizes) => {
        const parts = text.split(delimiter);
        const rest = parts.pop() ?? "";
        const { messages, waiting } = read(delimiter, text, sizes);
        expect(messages).toEqual(parts.map((part) => part + delimiter));
        expect(waiting).toBe(rest.length);
      }),
    );
  });
});

describe("length", () => {
  const field: LengthField = { offset: 0, width: 2, byteOrder: "big", adjust: 0, includes: "rest" };
  const read = (change: Partial<LengthField>, text: string, framing: Framing = FRAMING) =>
    readRequests(PROTOCOLS.length, { ...framing, length: { ...field, ...change } }, byteByByte(bytesOf(text)));

  test("the number counts what is behind it, or everything", () => {
    expect(read({}, "\0\x03abc\0\0\0\x01")).toMatchObject({ messages: ["\0\x03abc", "\0\0"], waiting: 2 });
    expect(read({ includes: "all" }, "\0\x05abc\0\x02").messages).toEqual(["\0\x05abc", "\0\x02"]);
    expect(read({ adjust: 1 }, "\0\x02abc").messages).toEqual(["\0\x02abc"]);
    expect(read({ adjust: -1 }, "\0\x04abc").messages).toEqual(["\0\x04abc"]);
    expect(read({ includes: "all", adjust: 2 }, "\0\x03abc").messages).toEqual(["\0\x03abc"]);
  });

  test("it may stand anywhere, and be of any width and byte order", () => {
    expect(read({ offset: 2 }, "xy\0\x03abc").messages).toEqual(["xy\0\x03abc"]);
    for (const width of [1, 2, 3, 4, 8]) {
      const zeros = "\0".repeat(width - 1);
      expect(read({ width }, `${zeros}\x02ab`).messages).toEqual([`${zeros}\x02ab`]);
      expect(read({ width, byteOrder: "little" }, `\x02${zeros}ab`).messages).toEqual([`\x02${zeros}ab`]);
    }
    const most = { ...FRAMING, maxMessage: 70_000 };
    const long = `\x01\x01\0${"a".repeat(257)}`;
    expect(read({ width: 3, byteOrder: "little" }, long, most).messages).toEqual([long]);
  });

  test("a message that would end within its header is refused with its number", () => {
    expect(read({ includes: "all" }, "\0\x01").error).toBe(
      "a length of 1: the message would end within its header of 2 bytes",
    );
    expect(read({ offset: 4, includes: "all" }, "abcd\0\x05").error).toInclude("a length of 5");
    expect(read({ adjust: -2 }, "\0\x01").error).toInclude("a length of 1");
  });

  test("a number that is not exact, or too large, is refused", () => {
    expect(read({ width: 8 }, "\0\x20\0\0\0\0\0\0").error).toBe("a length of about 9007199254740992");
    expect(read({ width: 8 }, "\xff".repeat(8)).error).toStartWith("a length of about 1844674407370955");
    expect(read({ width: 8 }, `\0\x1f${"\xff".repeat(6)}`).error).toEndWith("max_message is 1048576");
    expect(read({ width: 4 }, "\xff".repeat(4)).error).toInclude("4294967299");
  });
});

describe("mpu", () => {
  const read = (text: string) => readRequests(PROTOCOLS.mpu, FRAMING, [bytesOf(text)]);

  test("four digits count what is behind them", () => {
    expect(read("0003abc0001x00")).toMatchObject({ messages: ["0003abc", "0001x"], waiting: 2 });
    expect(read(`9999${"a".repeat(9_999)}`).messages).toHaveLength(1);
  });

  test("anything else is refused, and named", () => {
    expect(read("12a4")).toMatchObject({ error: '"12a4" in place of the four digits of a length' });
    expect(read("\x16\x03\x01\x02").error).toBe("0x16030102 in place of the four digits of a length");
    expect(read("+001").error).toInclude('"+001"');
    expect(read("0000").error).toBe("a length of 0");
  });
});

test("iso8583: two bytes count what is behind them", () => {
  const read = (text: string) => readRequests(PROTOCOLS.iso8583, FRAMING, [bytesOf(text)]);
  const long = `\xff\xff${"a".repeat(65_535)}`;
  expect(read(`\0\x03abc${long}\0`)).toMatchObject({ messages: ["\0\x03abc", long], waiting: 1 });
  expect(read("\0\0").error).toBe("a length of 0");
});
