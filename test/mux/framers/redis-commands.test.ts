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
