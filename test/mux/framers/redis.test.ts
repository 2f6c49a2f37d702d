/** RESP, as Redis 7 reads and writes it: what it takes, what it ignores, and where it sees an error. */
import { describe, expect, test } from "bun:test";
import { BadMessage } from "../../../src/mux/message.ts";
import { PROTOCOLS } from "../../../src/mux/protocols.ts";
import { bytesOf, FRAMING, readReplies, readRequests } from "../reading.ts";

const { redis } = PROTOCOLS;
const PING = "*1\r\n$4\r\nPING\r\n";
const requests = (text: string, framing = FRAMING) => readRequests(redis, framing, [bytesOf(text)]);
const replies = (text: string, framing = FRAMING) => readReplies(redis, framing, [bytesOf(text)]);
/** What a sink is given before anything is wrong, if it is. */
function pieces(...chunks: Uint8Array[]): { parts: string[]; done: number } {
  const parts: string[] = [];
  let done = 0;
  const reader = redis.replies(FRAMING);
  const sink = {
    context: undefined,
    unasked: false,
    part(bytes: Uint8Array) {
      // Nothing is copied.
      expect(chunks.map(({ buffer }) => buffer)).toContain(bytes.buffer);
      parts.push(Buffer.from(bytes).toString("latin1"));
    },
    done: () => void done++,
  };
  try {
    for (const chunk of chunks) reader.read(chunk, sink);
  } catch (error) {
    expect(error).toBeInstanceOf(BadMessage);
  }
  expect(reader.waiting).toBe(0);
  return { parts, done };
}

const array = (...words: string[]) =>
  `*${words.length}\r\n${words.map((one) => `$${one.length}\r\n${one}\r\n`).join("")}`;

describe("requests", () => {
  test("arrays go on as they are", () => {
    const set = array("SET", "a\r\nb", "\0\xff*1\r\n");
    expect(requests(set + PING)).toMatchObject({ messages: [set, PING], error: undefined, waiting: 0 });
    expect(requests(array("")).messages).toEqual([array("")]);
    expect(requests(`*2000\r\n${"$0\r\n\r\n".repeat(2_000)}`).messages).toHaveLength(1);
  });

  test("what Redis does not answer is no request", () => {
    for (const nothing of ["*0\r\n", "*-1\r\n", "*-10\r\n", "\r\n", "\n", "   \r\n", "\t\n"]) {
      expect(requests(nothing + PING)).toMatchObject({ messages: [PING], waiting: 0 });
    }
  });

  test("inline commands go on as arrays", () => {
    const inline = (line: string, ...words: string[]) => expect(requests(line).messages).toEqual([array(...words)]);
    inline("PING\r\n", "PING");
    inline("PING\n", "PING");
    inline("PING\r\r\n", "PING");
    inline("\t\v ping  hello \r\n", "ping", "hello");
    inline("ECHO PING\f\r\n", "ECHO", "PING\f");
    inline("ECHO \xa0PING\r\n", "ECHO", "\xa0PING");
    inline('echo "a b\\n\\x41\\"\\q"\r\n', "echo", 'a b\nA"q');
    inline("echo 'a\\'b\\n' \r\n", "echo", "a'b\\n");
    inline("set a'b' \"\"\r\n", "set", "ab", "");
    inline("set a'b'\v'c'\r\n", "set", "ab", "c");
    inline("''\r\n", "");
    expect(requests(`PING\r\n${PING}`).messages).toEqual([PING, PING]);
  });

  test("what Redis would understand otherwise, or not at all, is refused", () => {
    const refused = (text: string, error: string) => {
      const reading = requests(`${PING}${text}`);
      expect(reading).toMatchObject({ messages: [PING], error, reply: `-ERR weir: ${error}\r\n` });
    };
    refused("*01\r\n", '"01" in place of a number'.replace('"01"', "0x30310d0a"));
    refused("*+1\r\n", "0x2b31 in place of a number".replace("0x2b31", '"+1"'));
    refused("*-0\r\n", "0x2d300d0a in place of a number");
    refused("*\r\n", "0x0d0a in place of a number");
    refused("*1\n", "0x310a in place of a number");
    refused("*1\rX", "0x310d58 in place of a number");
    refused("*11111111111\r\n", "0x31313131313131313131310d0a in place of a number");
    refused("*1\r\n$04\r\nPING\r\n", "0x30340d0a in place of a number");
    refused("*1\r\n$-1\r\n", "an argument of -1 bytes");
    refused("*1\r\n:4\r\n", '":" where an argument begins with "$"');
    refused("*1\r\n$4\r\nPINGxx", '"xx" behind a string, where there has to be CR LF');
    refused('"PING\r\n', "quotes that are not closed in an inline command");
    refused('"PING\\\r\n', "quotes that are not closed in an inline command");
    refused('echo "a"b\r\n', "quotes that are closed within a word of an inline command");
    refused("PI\0NG\r\n", "an inline command with a NUL byte");
    refused(`${"a".repeat(65_536)}\n`, "an inline command of more than 65536 bytes");
    refused("POST / HTTP/1.1\r\n", "a request of HTTP");
    refused("host: a\r\n", "a request of HTTP");
    refused("\x16\x03\x01\0\xf4\x01\r\n", "an inline command with a NUL byte");
  });

  test("a number of arguments that cannot fit is refused before they come", () => {
    const small = { ...FRAMING, maxMessage: 600 };
    expect(requests("*100\r\n", small).error).toBe("a message of 606 bytes or more, where max_message is 600");
    expect(requests("*50\r\n$400\r\n", small).error).toBe("a message of 707 bytes or more, where max_message is 600");
    expect(requests("*9999999999\r\n").error).toInclude("max_message");
  });
});

describe("replies", () => {
  test("of each type, nested as they like", () => {
    const deep = `${"*1\r\n".repeat(5_000)}:1\r\n`;
    const all = [
      "+OK\r\n",
      "-ERR no\r\n",
      ":-9223372036854775808\r\n",
      "$-1\r\n",
      "*-1\r\n",
      "*0\r\n",
      "$2\r\n\r\n\r\n",
    ];
    const nested = "*3\r\n*2\r\n:1\r\n*0\r\n$-1\r\n*1\r\n+\r\n";
    expect(replies([...all, nested, deep].join(""))).toMatchObject({
      messages: [...all, nested, deep],
      waiting: 0,
      error: undefined,
    });
  });

  test("anything else is refused", () => {
    expect(replies("%1\r\n").error).toBe('a reply of the type "%", which RESP2 does not have');
    expect(replies("*1\r\n_\r\n").error).toInclude('"_"');
    expect(replies("HTTP/1.1 200 OK\r\n").error).toInclude('"H"');
    expect(replies(":+5\r\n").error).toInclude("in place of a number");
    expect(replies(":\r\n").error).toInclude("in place of a number");
    expect(replies("$-2\r\n").error).toBe("a length of -2 in a reply");
    expect(replies("*-2\r\n").error).toBe("a length of -2 in a reply");
    expect(replies("+OK\rX").error).toInclude("CR LF");
    expect(replies("$1\r\nabc").error).toInclude('"bc"');
    expect(replies("*1\r\n".repeat(3) + "*9999999999\r\n".repeat(1_000_000)).error).toInclude("more elements");
  });

  test("pass as they come, in pieces, of whatever size they are", () => {
    const small = { ...FRAMING, maxMessage: 16 };
    const all = [
      "*9999999999\r\n",
      `+${"a".repeat(100_000)}\r\n`,
      `-${"a".repeat(100_000)}\r\n`,
      `$200000\r\n${"\r\n".repeat(100_000)}\r\n`,
    ];
    for (const reply of all.slice(1))
      expect(replies(reply, small)).toMatchObject({ messages: [reply], error: undefined });
    for (const reply of all) expect(pieces(bytesOf(reply))).toEqual({ parts: [reply], done: reply === all[0] ? 0 : 1 });
    const [first, second] = ["*2\r\n$3\r\na", "bc\r\n:1\r\n+OK\r\n$-"];
    expect(pieces(bytesOf(first), bytesOf(second))).toEqual({
      parts: [first, "bc\r\n:1\r\n", "+OK\r\n", "$-"],
      done: 2,
    });
  });

  test("of a chunk with something wrong in it, the reply that it belongs to is not passed on", () => {
    expect(pieces(bytesOf("+OK\r\n*2\r\n:1\r\n!"))).toEqual({ parts: ["+OK\r\n"], done: 1 });
  });
});

test("a client that gets no reply gets an error, and stays", () => {
  const told = (["timeout", "unreachable", "lost"] as const).map((kind) => redis.failure(kind, undefined));
  expect(told.map((failure) => failure?.last)).toEqual([false, false, false]);
  for (const failure of told) expect(replies(Buffer.from(failure?.bytes ?? []).toString()).messages).toHaveLength(1);
  expect(Buffer.from(told[0]?.bytes ?? []).toString()).toBe("-ERR weir: the target did not answer in time\r\n");
});
