/** Modbus/TCP: headers, keys, and what a client is told instead of a reply. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PROTOCOLS } from "../../../src/mux/protocols.ts";
import { FRAMING, readReplies, readRequests } from "../reading.ts";

const { modbus } = PROTOCOLS;
const KEYS = modbus.keys(FRAMING);

/** Reads ten holding registers, unless told otherwise. */
function request({ id = 7, protocol = 0, unit = 17, pdu = [3, 0, 107, 0, 10] } = {}): Uint8Array {
  const length = pdu.length + 1;
  return Uint8Array.of(id >> 8, id, protocol >> 8, protocol, length >> 8, length, unit, ...pdu);
}

/** What follows the function at least, for those that there are. */
const SIZES: Readonly<Record<number, readonly number[]>> = {
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 8].map((code) => [code, [0, 0, 0, 1]])),
  ...Object.fromEntries([7, 11, 12, 17].map((code) => [code, []])),
  15: [0, 0, 0, 9, 2, 0, 0],
  16: [0, 0, 0, 1, 2, 0, 0],
  20: [7, 6, 0, 4, 0, 1, 0, 2],
  21: [9, 6, 0, 4, 0, 7, 0, 1, 6, 175],
  22: [0, 4, 0, 242, 0, 37],
  23: [0, 3, 0, 6, 0, 14, 0, 1, 2, 0, 255],
  24: [4, 222],
  43: [14, 1, 0],
};
const illegal = (code: number) => `<${Buffer.from(request({ pdu: [code | 0x80, 1] })).toString("latin1")}`;

const read = (...chunks: Uint8Array[]) => readRequests(modbus, FRAMING, chunks);

test("a request is known by its transaction, and read again where it only reads", () => {
  const { messages, contexts } = read(request({ id: 0x1234 }));
  expect(messages).toHaveLength(1);
  expect(contexts).toEqual([{ transaction: 0x1234, unit: 17, function: 3 }]);
  const idempotent = (code: number) => read(request({ pdu: [code, ...(SIZES[code] ?? [])] })).idempotent[0];
  for (const code of [1, 2, 3, 4, 7, 11, 12, 17, 20, 24, 43]) expect(idempotent(code)).toBe(true);
  for (const code of [5, 6, 8, 15, 16, 21, 22, 23]) expect(idempotent(code)).toBe(false);
});

describe("a server that goes by the function sees where a request ends as weir does", () => {
  test("it is as long as its function has it", () => {
    for (const [key, values] of Object.entries(SIZES)) {
      const code = Number(key);
      const good = request({ pdu: [code, ...values] });
      expect(read(good)).toMatchObject({ messages: [Buffer.from(good).toString("latin1")], error: undefined });
      const lengths = [...Array(values.length).keys(), values.length + 1, values.length + 12];
      for (const length of lengths) {
        const cut = [...values, ...request()].slice(0, length);
        const { messages, error } = read(request({ pdu: [code, ...cut] }));
        if (code === 43 && length === 0) expect(messages).toEqual([illegal(43)]);
        else if (code === 8 && length > values.length) expect(messages).toHaveLength(1);
        else {
          expect(messages).toEqual([]);
          expect(error).toMatch(new RegExp(`^function ${code} with a length of ${length + 2}, where it has \\d+$`));
        }
      }
    }
    expect(read(request({ pdu: [3, 0, 0, 0, 1, ...request()] })).error).toBe(
      "function 3 with a length of 18, where it has 6",
    );
  });

  test("what counts bytes counts them all", () => {
    const counted = (code: number, before: number, count: number, bytes: number) =>
      read(request({ pdu: [code, ...Array(before).fill(0), count, ...Array(bytes).fill(0)] })).messages.length;
    for (const [code, before] of [
      [15, 4],
      [16, 4],
      [20, 0],
      [21, 0],
      [23, 8],
    ] as const) {
      for (const count of [0, 2, 200]) {
        expect(counted(code, before, count, count)).toBe(1);
        expect(counted(code, before, count, count + 1)).toBe(0);
        if (count > 0) expect(counted(code, before, count, count - 1)).toBe(0);
      }
    }
  });

  test("query data may be longer, and no other diagnostics", () => {
    expect(read(request({ pdu: [8, 0, 0, 1, 2, 3, 4] })).messages).toHaveLength(1);
    expect(read(request({ pdu: [8, 0, 1, 0, 0] })).messages).toHaveLength(1);
    expect(read(request({ pdu: [8, 0, 1, 0, 0, 0] })).error).toBe("function 8 with a length of 7, where it has 6");
  });

  test("a function that nobody knows is answered here, and the client stays", () => {
    const codes = Array.from({ length: 127 }, (_, index) => index + 1).filter((code) => !SIZES[code]);
    expect(codes).toEqual(expect.arrayContaining([9, 65, 100, 127]));
    for (const code of codes) {
      const { messages, error, last } = read(request({ pdu: [code, ...request()] }), request());
      expect({ error, last }).toEqual({ error: undefined, last: false });
      expect(messages).toEqual([illegal(code), Buffer.from(request()).toString("latin1")]);
    }
    expect(read(request({ pdu: [43, 13, 0] })).messages).toEqual([illegal(43)]);
  });
});

describe("what is no message", () => {
  test("another protocol", () => {
    expect(read(request({ protocol: 1 })).error).toBe("protocol 1 in a Modbus header, where only 0 is known");
  });

  test("a length that leaves no room for unit and function, or is more than there is", () => {
    expect(read(request({ pdu: [] })).error).toBe("a length of 1, where Modbus has 2 to 254");
    const replies = (values: number) =>
      readReplies(modbus, FRAMING, [request({ pdu: [1, ...new Array(values).fill(0)] })]);
    for (const values of [0, 252]) expect(replies(values).messages).toHaveLength(1);
    expect(replies(253).error).toBe("a length of 255, where Modbus has 2 to 254");
  });

  test("a function that is an exception, or none", () => {
    expect(read(request({ pdu: [0] })).error).toBe("function 0 in a request, where Modbus has 1 to 127");
    expect(read(request({ pdu: [0x83, 2] })).error).toBe("function 131 in a request, where Modbus has 1 to 127");
    expect(readReplies(modbus, FRAMING, [request({ pdu: [0x83, 2] })]).messages).toHaveLength(1);
  });
});

describe("keys", () => {
  test("are the transaction, for a request and its reply, and can be put into either", () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), (id, other) => {
        const bytes = request({ id });
        expect([KEYS?.ofRequest(bytes), KEYS?.ofReply(bytes)]).toEqual([id, id]);
        KEYS?.stamp(bytes, other);
        expect(bytes).toEqual(request({ id: other }));
      }),
    );
    expect(KEYS?.ids).toBe(0xffff);
  });

  test("a reply is of the same unit and function, or an exception to that", () => {
    const context = read(request()).contexts[0];
    const answers = (change: Parameters<typeof request>[0]) => KEYS?.answers?.(context, request(change));
    expect(answers({ pdu: [3, 2, 0, 1] })).toBe(true);
    expect(answers({ pdu: [0x83, 2] })).toBe(true);
    expect(answers({ unit: 18, pdu: [3, 2, 0, 1] })).toBe(false);
    expect(answers({ pdu: [4, 2, 0, 1] })).toBe(false);
    expect(answers({ pdu: [0x84, 2] })).toBe(false);
  });
});

test("a client that gets no reply gets an exception", () => {
  const context = read(request({ id: 0x1234 })).contexts[0];
  const exception = (code: number) => ({
    bytes: request({ id: 0x1234, pdu: [0x83, code] }),
    last: false,
  });
  expect(modbus.failure("timeout", context)).toEqual(exception(0x0b));
  expect(modbus.failure("unreachable", context)).toEqual(exception(0x0a));
  expect(modbus.failure("lost", context)).toEqual(exception(0x0b));
});
