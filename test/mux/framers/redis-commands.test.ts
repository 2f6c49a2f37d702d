/** Commands of Redis that a shared connection cannot do. */
import { describe, expect, test } from "bun:test";
import { PROTOCOLS } from "../../../src/mux/protocols.ts";
import { bytesOf, FRAMING, readRequests } from "../reading.ts";

const array = (line: string) => {
  const words = line.split(" ");
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
};
const read = (...lines: string[]) =>
  readRequests(PROTOCOLS.redis, FRAMING, [bytesOf(lines.map((line) => array(line)).join(""))]);
const refusal = (what: string, code = "ERR") => `<-${code} weir: ${what} is not possible over a shared connection\r\n`;
const passes = (line: string) => expect(read(line).messages).toEqual([array(line)]);
const refused = (line: string, what = line.split(" ")[0] ?? "") =>
  expect(read(line, "PING")).toMatchObject({ messages: [refusal(what), array("PING")], last: false });
const ended = (line: string, what: string) =>
  expect(read(line, "PING")).toMatchObject({ messages: [refusal(what)], last: true, waiting: 0 });

test("most commands pass", () => {
  const lines = ["GET a", "SET a b", "COMMAND DOCS", "PUBLISH a b", "PUBSUB CHANNELS", "EVAL x 0", "SCRIPT LOAD x"];
  for (const line of [...lines, "INFO", "KEYS *", "CLIENT LIST", "CLIENT ID", "client getname", "CLIENT"]) passes(line);
});

test("what leaves something behind, waits or is not answered once is refused, in its turn", () => {
  const lines = [
    "SUBSCRIBE a",
    "PSUBSCRIBE a",
    "SSUBSCRIBE a",
    "UNSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SUNSUBSCRIBE",
    "MONITOR",
  ];
  lines.push("EXEC", "DISCARD", "WATCH a", "UNWATCH", "AUTH a", "RESET", "SYNC", "PSYNC ? -1", "REPLCONF x y");
  lines.push("DEBUG SLEEP 9", "SHUTDOWN", "READONLY", "READWRITE", "ASKING", "WAIT 1 0", "WAITAOF 1 0 0");
  // All that Redis 8 flags as blocking.
  lines.push("BLPOP a 0", "BRPOP a 0", "BRPOPLPUSH a b 0", "BLMOVE a b LEFT LEFT 0", "BLMPOP 0 1 a LEFT");
  lines.push("BZPOPMIN a 0", "BZPOPMAX a 0", "BZMPOP 0 1 a MIN");
  for (const line of lines) {
    refused(line);
    expect(read("GET a", line.toLowerCase(), "GET b").messages).toEqual([
      array("GET a"),
      refusal(line.split(" ")[0] ?? ""),
      array("GET b"),
    ]);
  }
  refused("SCRIPT DEBUG YES", "SCRIPT DEBUG");
});

test("it does not matter how they are written", () => {
  const inline = (line: string) => readRequests(PROTOCOLS.redis, FRAMING, [bytesOf(line)]).messages;
  expect(inline("mOnItOr\r\n")).toEqual([refusal("MONITOR")]);
  expect(inline('"\\x4d\\x4fNITOR"\r\n')).toEqual([refusal("MONITOR")]);
  expect(inline(" 'MON'\r\n")).toEqual([array("MON")]);
});

describe("a name that Redis might take for another", () => {
  const NO_NAME = "<-ERR weir: a command's name is of printable ASCII, 64 bytes of it at most\r\n";
  const command = (...words: string[]) =>
    `*${words.length}\r\n${words.map((one) => `$${one.length}\r\n${one}\r\n`).join("")}`;
  const said = (...words: string[]) =>
    readRequests(PROTOCOLS.redis, FRAMING, [bytesOf(command(...words) + command("PING"))]).messages;

  test("does not get there: it is compared up to its first NUL", () => {
    for (const name of ["MULTI\x00110", "MULTI\0", "\0MULTI", "\0", "GET\0", "multi\0\r\n$4\r\nPING"]) {
      expect(said(name, "k")).toEqual([NO_NAME, command("PING")]);
    }
    for (let byte = 0; byte < 256; byte++) {
      const name = `GE${String.fromCharCode(byte)}T`;
      const printable = byte > 0x20 && byte < 0x7f;
      expect(said(name, "k")).toEqual([printable ? command(name, "k") : NO_NAME, command("PING")]);
    }
    // Where it ends is what its length says.
    for (const name of ["GET\rX\0", "GET\r\n\0", "MULTI\r\n"]) expect(said(name)[0]).toBe(NO_NAME);
    expect(readRequests(PROTOCOLS.redis, FRAMING, [bytesOf('"MULTI\\x00110"\r\n')]).messages).toEqual([NO_NAME]);
  });

  test("nor does one that is longer than any", () => {
    expect(said("a".repeat(64))[0]).toBe(command("a".repeat(64)));
    expect(said("a".repeat(65))[0]).toBe(NO_NAME);
    expect(said("a".repeat(100_000))[0]).toBe(NO_NAME);
  });

  test("words that are no data are compared up to their first NUL as well", () => {
    expect(said("SCRIPT", "debug\0x", "YES")[0]).toBe(refusal("SCRIPT DEBUG"));
    expect(said("CLIENT", "REPLY\x001", "OFF")).toEqual([refusal("CLIENT REPLY")]);
    expect(said("CLIENT", "KILL\0", "x")[0]).toBe(refusal("CLIENT KILL"));
    expect(said("SELECT", "0\0")).toEqual([refusal("SELECT of a database other than 0")]);
    for (const block of ["BLOCK\0", "block\0x"]) {
      expect(said("XREAD", block, "0", "STREAMS", "s", "$")[0]).toBe(refusal("XREAD BLOCK"));
      expect(said("XREAD", "COUNT\0", "1", block, "0", "STREAMS", "s", "$")[0]).toBe(refusal("XREAD BLOCK"));
      expect(said("XREADGROUP", "GROUP", "g", "c", "NOVEL", block, "0", "STREAMS", "s", ">")[0]).toBe(
        refusal("XREADGROUP BLOCK"),
      );
    }
    const passes = (...words: string[]) => expect(said(...words)[0]).toBe(command(...words));
    passes("XREAD", "STREAMS\0", "BLOCK\0", "0");
    passes("XREADGROUP", "GROUP", "BLOCK\0", "c\0", "STREAMS", "s\0", ">");
    // Data may hold whatever it likes.
    passes("SET", "MULTI\0", "\0\r\n\xff");
    passes("XREAD", "constructor", "STREAMS", "s", "$");
  });
});

test("a client in RESP3 is told as by an old server", () => {
  expect(read("HELLO 3").messages).toEqual([refusal("HELLO", "NOPROTO")]);
});

test("QUIT is answered here, and the last", () => {
  expect(read("GET a", "quit", "GET b", "nonsense")).toMatchObject({
    messages: [array("GET a"), "<+OK\r\n"],
    last: true,
    error: undefined,
  });
});

test("where the commands behind it would do something else, the connection ends with the refusal", () => {
  ended("MULTI", "MULTI");
  ended("SELECT 1", "SELECT of a database other than 0");
  ended("SELECT 00", "SELECT of a database other than 0");
  ended("SELECT", "SELECT of a database other than 0");
  ended("CLIENT REPLY OFF", "CLIENT REPLY");
});

test("what changes nothing here is answered here", () => {
  for (const line of ["SELECT 0", "CLIENT SETNAME a", "client setinfo LIB-NAME a"]) {
    expect(read(line, "PING")).toMatchObject({ messages: ["<+OK\r\n", array("PING")], last: false });
  }
});

test("other words of CLIENT are refused", () => {
  for (const sub of ["KILL", "TRACKING", "CACHING", "NO-EVICT", "NO-TOUCH", "PAUSE", "UNPAUSE", "UNBLOCK", "NEW"]) {
    refused(`CLIENT ${sub} x`, `CLIENT ${sub}`);
  }
  refused("CLIENT \r\n+OK", "CLIENT ??+OK");
});

describe("reading from streams", () => {
  test("passes", () => {
    passes("XREAD COUNT 2 STREAMS a 0");
    passes("XREAD STREAMS BLOCK 0");
    passes("xreadgroup GROUP BLOCK STREAMS COUNT 1 NOACK STREAMS block >");
    passes("XREADGROUP GROUP g c CLAIM 5 STREAMS BLOCK >");
    passes("XREAD");
  });

  test("is refused if it waits", () => {
    refused("XREAD BLOCK 0 STREAMS a 0", "XREAD BLOCK");
    refused("XREAD COUNT 2 block 0 STREAMS a 0", "XREAD BLOCK");
    refused("XREADGROUP GROUP STREAMS c BLOCK 0 STREAMS a >", "XREADGROUP BLOCK");
    refused("XREADGROUP GROUP g STREAMS BLOCK 0 STREAMS a >", "XREADGROUP BLOCK");
    // Whatever takes how many words: it is not known to this program.
    refused("XREAD NOVEL STREAMS BLOCK 0 STREAMS a 0", "XREAD BLOCK");
  });
});
