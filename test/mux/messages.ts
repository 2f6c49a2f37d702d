/** Messages of each protocol, for the tests that all protocols have in common. */
import fc from "fast-check";
import { MAX_HEAD } from "../../src/mux/framers/http-request-head.ts";
import type { Framing } from "../../src/mux/message.ts";
import type { ProtocolName } from "../../src/mux/mux-config.ts";
import { bytesOf, FRAMING } from "./reading.ts";

export interface Messages {
  readonly framing: Framing;
  /** Bytes that may wait in any case, whatever max_message is. */
  readonly spare?: number;
  readonly request: fc.Arbitrary<string>;
  readonly reply: fc.Arbitrary<string>;
  /** Replies are passed on in pieces, of whatever size they are. */
  readonly streams?: true;
  /** A request and reply of exactly so many bytes; undefined: size is not all that matters. */
  readonly sized?: (size: number) => Uint8Array;
  /** The beginning of a message that says it is larger than all that fits into memory. */
  readonly endless?: string;
  /** The beginning of a message of no bytes at all. */
  readonly empty?: string;
}

const payload = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((bytes) => Buffer.from(bytes).toString("latin1"));

const be = (value: number, width: number) =>
  Array.from({ length: width }, (_, index) => String.fromCharCode((value / 256 ** (width - 1 - index)) & 0xff)).join(
    "",
  );

const line = payload(0, 60).map((text) => `${text.replaceAll("\n", "-")}\r\n`);
const counted = payload(1, 300);
const iso = counted.map((text) => be(text.length, 2) + text);
const mpu = counted.map((text) => String(text.length).padStart(4, "0") + text);
const long = payload(0, 300).map((text) => be(text.length, 4) + text);

const NUL = "\0";
/** What follows the function in a request; `data`: at most 240 bytes. */
const MODBUS: Readonly<Record<number, (data: string) => string>> = {
  1: () => NUL.repeat(4),
  6: () => NUL.repeat(4),
  7: () => "",
  8: (data) => NUL.repeat(4) + data,
  15: (data) => NUL.repeat(4) + be(data.length, 1) + data,
  16: (data) => NUL.repeat(4) + be(data.length, 1) + data,
  20: (data) => be(data.length, 1) + data,
  22: () => NUL.repeat(6),
  23: (data) => NUL.repeat(8) + be(data.length, 1) + data,
  24: () => NUL.repeat(2),
  43: () => "\x0e\x01\0",
};
const modbusMessage = (id: number, unit: number, code: number, text: string) =>
  be(id, 2) + be(0, 2) + be(text.length + 2, 2) + be(unit, 1) + be(code, 1) + text;
const modbusRequest = fc
  .tuple(fc.nat(0xffff), fc.nat(255), fc.constantFrom(...Object.keys(MODBUS).map(Number)), payload(0, 240))
  .map(([id, unit, code, data]) => modbusMessage(id, unit, code, MODBUS[code]?.(data) ?? ""));
const modbusReply = fc
  .tuple(fc.nat(0xffff), fc.nat(255), fc.integer({ min: 1, max: 255 }), payload(0, 252))
  .map(([id, unit, code, text]) => modbusMessage(id, unit, code, text));

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const command = fc
  .tuple(fc.constantFrom("GET", "set", "Lpush", "PING", "EVAL"), fc.array(payload(0, 40), { maxLength: 5 }))
  .map(([name, rest]) => `*${rest.length + 1}\r\n${[name, ...rest].map(bulk).join("")}`);
const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const inline = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => `${words.join(" ")}\r\n`);
const nothing = fc.constantFrom("*0\r\n", "*-1\r\n", "\r\n", "  \r\n", "\n");

const { reply } = fc.letrec<{ reply: string }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 5 },
    word.map((text) => `+${text}\r\n`),
    word.map((text) => `-ERR ${text}\r\n`),
    fc.maxSafeInteger().map((value) => `:${value}\r\n`),
    payload(0, 60).map(bulk),
    fc.constantFrom("$-1\r\n", "*-1\r\n", "*0\r\n", "+\r\n", "$0\r\n\r\n"),
    fc.array(tie("reply"), { maxLength: 4 }).map((all) => `*${all.length}\r\n${all.join("")}`),
  ),
}));

const body = fc.stringMatching(/^[a-z]{0,50}$/);

export const MESSAGES: Readonly<Record<ProtocolName, Messages>> = {
  echo: {
    framing: { ...FRAMING, delimiter: "\r\n" },
    request: line,
    reply: line,
    sized: (size) => bytesOf(`${"a".repeat(size - 2)}\r\n`),
  },
  http: {
    framing: FRAMING,
    spare: MAX_HEAD,
    request: fc.oneof(
      word.map((path) => `GET /${path} HTTP/1.1\r\nHost: a\r\n\r\n`),
      body.map((text) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
    ),
    reply: body.map((text) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
  },
  iso8583: {
    framing: FRAMING,
    request: iso,
    reply: iso,
    sized: (size) => bytesOf(be(size - 2, 2) + "a".repeat(size - 2)),
    empty: "\0\0",
  },
  mpu: {
    framing: FRAMING,
    request: mpu,
    reply: mpu,
    sized: (size) => bytesOf(String(size - 4).padStart(4, "0") + "a".repeat(size - 4)),
    empty: "0000",
  },
  modbus: {
    framing: FRAMING,
    request: modbusRequest,
    reply: modbusReply,
    sized: (size) => bytesOf(modbusMessage(1, 1, 8, NUL.repeat(4) + "a".repeat(size - 12))),
    empty: "\0\x01\0\0\0\0",
  },
  redis: {
    framing: FRAMING,
    request: fc.oneof({ weight: 3, arbitrary: command }, inline, nothing),
    reply,
    sized: (size) => {
      const head = `*2\r\n${bulk("ECHO")}`;
      const length = size - `${head}$${size}\r\n\r\n`.length;
      return bytesOf(head + bulk("a".repeat(length)));
    },
    endless: "*1\r\n$4294967296\r\n",
    streams: true,
  },
  length: {
    framing: { ...FRAMING, length: { offset: 0, width: 4, byteOrder: "big", adjust: 0, includes: "rest" } },
    request: long,
    reply: long,
    sized: (size) => bytesOf(be(size - 4, 4) + "a".repeat(size - 4)),
    endless: "\xff\xff\xff\xff",
  },
};
