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

const read = (...chunks: Uint8Array[]) => readRequests(modbus, FRAMING, chunks);

test("a request is known by its transaction, and read again where it only reads", () => {
  const { messages, contexts } = read(request({ id: 0x1234 }));
  expect(messages).toHaveLength(1);
  expect(contexts).toEqual([{ transaction: 0x1234, unit: 17, function: 3 }]);
  const idempotent = (...pdu: number[]) => read(request({ pdu })).idempotent[0];
  for (const code of [1, 2, 3, 4, 7, 11, 12, 17, 20, 24]) expect(idempotent(code)).toBe(true);
  for (const code of [5, 6, 8, 15, 16, 21, 22, 23, 43, 65, 127]) expect(idempotent(code)).toBe(false);
  expect(idempotent(43, 14, 1, 0)).toBe(true);
  expect(idempotent(43, 13, 0)).toBe(false);
});

describe("what is no message", () => {
  test("another protocol", () => {
    expect(read(request({ protocol: 1 })).error).toBe("protocol 1 in a Modbus header, where only 0 is known");
  });

  test("a length that leaves no room for unit and function, or is more than there is", () => {
    expect(read(request({ pdu: [] })).error).toBe("a length of 1, where Modbus has 2 to 254");
    expect(read(request({ pdu: [1] })).messages).toHaveLength(1);
    expect(read(request({ pdu: [1, ...new Array(252).fill(0)] })).messages).toHaveLength(1);
    expect(read(request({ pdu: [1, ...new Array(253).fill(0)] })).error).toBe(
      "a length of 255, where Modbus has 2 to 254",
    );
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
