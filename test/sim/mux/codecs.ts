/**
 * Messages that say who asked, in each protocol of the multiplexer: written and cut here on their own, by the simplest
 * code there is, so that nothing of `src/mux` is believed.
 */
import type { LengthField } from "../../../src/mux/message.ts";
import type { MuxConfig } from "../../../src/mux/mux-config.ts";
import type { Random } from "../../peers/random.ts";

/** A request: the nth of a client. */
export interface Asked {
  readonly client: number;
  readonly n: number;
}

export interface Codec {
  readonly settings: Partial<MuxConfig> & Pick<MuxConfig, "protocol">;
  /** Replies come in the order of the requests. */
  readonly ordered: boolean;
  request(asked: Asked, random: Random): Uint8Array;
  /** How long the first message is, 0 as long as it is not all there. */
  cutRequest(bytes: Uint8Array): number;
  cutReply(bytes: Uint8Array): number;
  asked(request: Uint8Array): Asked;
  reply(request: Uint8Array, random: Random): Uint8Array;
  /** Whom a reply is for; "failure": weir says that there is none. */
  answered(reply: Uint8Array): Asked | "failure";
  /** The same reply, and the target says that it looks at nothing behind it. */
  spent?(reply: Uint8Array): Uint8Array;
  /** What is no message at all; undefined where everything is one. */
  readonly garbage: Uint8Array | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const bytesOf = (text: string) => encoder.encode(text);
const textOf = (bytes: Uint8Array) => decoder.decode(bytes);

/** `scale`: bytes of a message, about. */
export function makeCodec(random: Random, scale: number): Codec {
  return random.pick(CODECS)(random, scale);
}

const CODECS: readonly ((random: Random, scale: number) => Codec)[] = [
  (random, scale) => echo(random.pick(["\n", "\r\n", "--end--"]), scale),
  (_, scale) => prefixed("mpu", 4, (length) => String(length).padStart(4, "0"), Number, scale, "12x4junk"),
  (_, scale) => iso(scale),
  stan,
  (random, scale) => lengths(random, scale),
  modbus,
  (_, scale) => redis(scale),
  (_, scale) => redis(scale),
  (_, scale) => http(scale),
  (_, scale) => http(scale),
];

/** `client:n:` and something behind it, which the reply brings back. */
function body({ client, n }: Asked, scale: number, random: Random): string {
  return `${client}:${n}:${"x".repeat(random.size(0, scale))}`;
}

function parse(text: string): Asked {
  const [client, n] = text.split(":").map(Number);
  return { client: client as number, n: n as number };
}

function echo(delimiter: string, scale: number): Codec {
  const cut = (bytes: Uint8Array) => {
    const at = textOf(bytes).indexOf(delimiter);
    return at < 0 ? 0 : at + delimiter.length;
  };
  return {
    settings: { protocol: "echo", delimiter },
    ordered: true,
    request: (asked, random) => bytesOf(body(asked, scale, random) + delimiter),
    cutRequest: cut,
    cutReply: cut,
    asked: (request) => parse(textOf(request)),
    reply: (request) => request.slice(),
    answered: (reply) => parse(textOf(reply)),
    garbage: undefined,
  };
}

function prefixed(
  protocol: "mpu",
  width: number,
  write: (length: number) => string,
  read: (text: string) => number,
  scale: number,
  garbage: string,
): Codec {
  const cut = (bytes: Uint8Array) => {
    if (bytes.length < width) return 0;
    const size = width + read(textOf(bytes.subarray(0, width)));
    return bytes.length < size ? 0 : size;
  };
  const inside = (message: Uint8Array) => parse(textOf(message.subarray(width)));
  return {
    settings: { protocol },
    ordered: true,
    request(asked, random) {
      const text = body(asked, Math.min(scale, 9_000), random);
      return bytesOf(write(text.length) + text);
    },
    cutRequest: cut,
    cutReply: cut,
    asked: inside,
    reply: (request) => request.slice(),
    answered: inside,
    garbage: bytesOf(garbage),
  };
}

/** A number in front of text. */
function binary(field: LengthField, head: Uint8Array, scale: number): Omit<Codec, "settings" | "garbage"> {
  const { offset, width, byteOrder, adjust, includes } = field;
  const prefix = offset + width;
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const place = (at: number) => offset + (byteOrder === "big" ? width - 1 - at : at);
  const cut = (bytes: Uint8Array) => {
    if (bytes.length < prefix) return 0;
    let value = 0;
    for (let at = width - 1; at >= 0; at--) value = value * 256 + view(bytes).getUint8(place(at));
    const size = value + adjust + (includes === "all" ? 0 : prefix);
    return bytes.length < size ? 0 : size;
  };
  const inside = (message: Uint8Array) => parse(textOf(message.subarray(prefix)));
  return {
    ordered: true,
    request(asked, random) {
      const text = bytesOf(body(asked, scale, random));
      const bytes = new Uint8Array(prefix + text.length);
      bytes.set(head.subarray(0, offset));
      let value = (includes === "all" ? bytes.length : text.length) - adjust;
      for (let at = 0; at < width; at++, value = Math.floor(value / 256)) bytes[place(at)] = value % 256;
      bytes.set(text, prefix);
      return bytes;
    },
    cutRequest: cut,
    cutReply: cut,
    asked: inside,
    reply: (request) => request.slice(),
    answered: inside,
  };
}

function iso(scale: number): Codec {
  const field = { offset: 0, width: 2, byteOrder: "big", adjust: 0, includes: "rest" } as const;
  const plain = binary(field, new Uint8Array(), Math.min(scale, 60_000));
  return { ...plain, settings: { protocol: "iso8583" }, garbage: new Uint8Array(2) };
}

function lengths(random: Random, scale: number): Codec {
  const length = {
    offset: random.pick([0, 0, 3]),
    width: random.pick([2, 3, 4, 8]),
    byteOrder: random.pick(["big", "little"] as const),
    adjust: random.pick([0, 0, -1, 1]),
    includes: random.pick(["all", "rest"] as const),
  };
  const plain = binary(length, bytesOf("abc"), Math.min(scale, 60_000));
  return { ...plain, settings: { protocol: "length", length }, garbage: undefined };
}

/**
 * ISO 8583 with fields 11 and 41, by which replies find who asked, and 42, which nobody looks at but us: several clients
 * say that they are the same terminal.
 */
function stan(chance: Random): Codec {
  const hex = chance.chance(0.3);
  const bitmap = () => (hex ? "0020000000C00000" : "\x00\x20\x00\x00\x00\xc0\x00\x00");
  const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const framed = (text: string) => latin(String.fromCharCode(text.length >> 8, text.length & 255) + text);
  const cut = (bytes: Uint8Array) => {
    const size = bytes.length < 2 ? 0 : 2 + (bytes[0] as number) * 256 + (bytes[1] as number);
    return bytes.length < size ? 0 : size;
  };
  const inside = (message: Uint8Array) => {
    const text = Array.from(message, (byte) => String.fromCharCode(byte)).join("");
    const at = 2 + 4 + bitmap().length;
    return { n: Number(text.slice(at, at + 6)), client: Number(text.slice(at + 14, at + 29)) };
  };
  return {
    settings: { protocol: "iso8583", match: "stan" },
    ordered: false,
    request({ client, n }) {
      const fields = `${String(n).padStart(6, "0")}${String(client % 3).padStart(8, "0")}${String(client).padStart(15)}`;
      return framed(`0200${bitmap()}${fields}`);
    },
    cutRequest: cut,
    cutReply: cut,
    asked: inside,
    reply(request) {
      const reply = request.slice();
      reply[4] = 0x31;
      return reply;
    },
    answered: inside,
    garbage: new Uint8Array(2),
  };
}

/** Transaction ids that clients choose without knowing of each other: all begin at 1. */
function modbus(): Codec {
  const cut = (bytes: Uint8Array) => {
    const size = bytes.length < 6 ? 0 : 6 + (bytes[4] as number) * 256 + (bytes[5] as number);
    return bytes.length < size ? 0 : size;
  };
  const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset);
  /** Function 3 has 4 bytes in which to say it, 16 as many as there are registers. */
  const inside = (message: Uint8Array) => {
    const view = viewOf(message);
    if (message[7] === 3) return { client: view.getUint16(8), n: view.getUint16(10) };
    return { client: view.getUint32(13), n: view.getUint32(17) };
  };
  const frame = ({ client, n }: Asked, code: number, size: number) => {
    const bytes = new Uint8Array(8 + size);
    const view = viewOf(bytes);
    view.setUint16(0, n);
    view.setUint16(4, 2 + size);
    view.setUint8(6, client % 200);
    view.setUint8(7, code);
    return { bytes, view };
  };
  return {
    settings: { protocol: "modbus" },
    ordered: false,
    request(asked, random) {
      if (asked.n % 2 === 0) {
        const { bytes, view } = frame(asked, 3, 4);
        view.setUint16(8, asked.client);
        view.setUint16(10, asked.n);
        return bytes;
      }
      const registers = random.between(4, 100);
      const { bytes, view } = frame(asked, 16, 5 + 2 * registers);
      view.setUint16(10, registers);
      view.setUint8(12, 2 * registers);
      view.setUint32(13, asked.client);
      view.setUint32(17, asked.n);
      return bytes;
    },
    cutRequest: cut,
    cutReply: cut,
    asked: inside,
    reply: (request) => request.slice(),
    answered(reply) {
      const { client, n } = inside(reply);
      const transaction = (reply[0] as number) * 256 + (reply[1] as number);
      // What weir calls it must not show.
      return (reply[7] as number) >= 0x80 ? "failure" : { client, n: transaction === n ? n : -transaction };
    },
    garbage: Uint8Array.from([0, 1, 9, 9, 0, 6, 1, 3, 0, 0, 0, 0]),
  };
}

function redis(scale: number): Codec {
  const number = (text: string) => Number(/^[$*](-?\d+)\r\n/.exec(text)?.[1] ?? Number.NaN);
  const bulk = (text: string, at: number) => {
    const head = text.indexOf("\r\n", at);
    if (head < 0) return 0;
    const end = head + 2 + number(text.slice(at, head + 2)) + 2;
    return text.length < end ? 0 : end;
  };
  return {
    settings: { protocol: "redis" },
    ordered: true,
    request(asked, random) {
      const text = body(asked, scale, random);
      return bytesOf(`*2\r\n$4\r\nECHO\r\n$${text.length}\r\n${text}\r\n`);
    },
    cutRequest(bytes) {
      const text = textOf(bytes);
      const first = text.startsWith("*2\r\n") ? bulk(text, 4) : 0;
      return first === 0 ? 0 : bulk(text, first);
    },
    cutReply(bytes) {
      const text = textOf(bytes);
      return text.startsWith("-") ? text.indexOf("\r\n") + 2 - (text.includes("\r\n") ? 0 : 1) : bulk(text, 0);
    },
    asked: (request) => parse(textOf(request).split("\r\n")[4] as string),
    reply: (request) => bytesOf(textOf(request).split("\r\n").slice(3).join("\r\n")),
    answered: (reply) => (reply[0] === 0x2d ? "failure" : parse(textOf(reply).split("\r\n")[1] as string)),
    garbage: bytesOf("*1\r\n!\r\n"),
  };
}

function http(scale: number): Codec {
  const cut = (bytes: Uint8Array) => {
    const text = textOf(bytes);
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return 0;
    const start = head + 4;
    const length = /content-length: (\d+)/i.exec(text.slice(0, start))?.[1];
    if (length !== undefined) return text.length < start + Number(length) ? 0 : start + Number(length);
    if (!/transfer-encoding: chunked/i.test(text.slice(0, start))) return start;
    const end = text.indexOf("0\r\n\r\n", start);
    return end < 0 ? 0 : end + 5;
  };
  const inside = (message: Uint8Array) => parse(/X-Who: (.*)\r\n/.exec(textOf(message))?.[1] ?? "");
  /** A body without a 0 in it, so that the last chunk is easy to find. */
  const withBody = (head: string, random: Random) => {
    const text = "y".repeat(random.size(0, scale));
    if (random.chance(0.5)) return bytesOf(`${head}Content-Length: ${text.length}\r\n\r\n${text}`);
    const middle = random.between(0, text.length);
    const parts = [text.slice(0, middle), text.slice(middle)].filter((part) => part !== "");
    const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
    return bytesOf(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
  };
  return {
    settings: { protocol: "http" },
    ordered: true,
    request({ client, n }, random) {
      const head = (method: string) => `${method} /${client} HTTP/1.1\r\nHost: storm\r\nX-Who: ${client}:${n}\r\n`;
      return random.chance(0.5) ? bytesOf(`${head("GET")}\r\n`) : withBody(head("POST"), random);
    },
    cutRequest: cut,
    cutReply: cut,
    asked: inside,
    reply(request, random) {
      const { client, n } = inside(request);
      return withBody(`HTTP/1.1 200 OK\r\nX-Who: ${client}:${n}\r\n`, random);
    },
    spent: (reply) => bytesOf(textOf(reply).replace("\r\n", "\r\nConnection: close\r\n")),
    answered: (reply) => (/^HTTP\/1.1 [45]/.test(textOf(reply)) ? "failure" : inside(reply)),
    garbage: bytesOf("HTTQ\r\n\r\n"),
  };
}
