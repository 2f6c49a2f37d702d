/** Observers in files and on the command line: what they mean, and what is said when they are wrong. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseObserver } from "../../src/config/observer-options.ts";
import { observerSchema, toObserver } from "../../src/config/observer-schema.ts";
import { read } from "../../src/config/read.ts";
import { UsageError } from "../../src/net/errors.ts";
import { parseObserverAddress } from "../../src/observe/observer-address.ts";
import { plainObserver } from "../../src/observe/observer-config.ts";

const plain = (text: string) => plainObserver(parseObserverAddress(text));
const udp = 'is not for udp://, where nobody says that it is full; write "drop" or leave when_full out';

describe("in a file", () => {
  test("an address is enough", () => {
    const result = read(observerSchema(), { address: "10.0.0.1:6000" });
    expect(result.ok && toObserver(result.value)).toEqual({
      address: { kind: "tcp", host: "10.0.0.1", port: 6_000 },
      copies: "upstream",
      buffer: 1_048_576,
      whenFull: "drop",
      format: "raw",
    });
  });

  test("everything can be said", () => {
    const file = { address: "file:/x", copies: "both", buffer: "64KiB", when_full: "block", format: "framed" };
    const result = read(observerSchema(), file);
    expect(result.ok && toObserver(result.value)).toEqual({
      ...plain("file:/x"),
      copies: "both",
      buffer: 65_536,
      whenFull: "block",
      format: "framed",
    });
  });

  test.each([
    [{}, ["address"], 'the key "address" is missing'],
    [{ address: true }, ["address"], "expected an address such as"],
    [{ address: "tls://a:1" }, ["address"], 'Cannot parse address "tls://a:1": observers over TLS are not supported'],
    [{ address: "1", copies: "upstraem" }, ["copies"], 'expected "upstream", "downstream" or "both", found "upstraem"'],
    [{ address: "1", when_full: 1 }, ["when_full"], 'expected "drop", "disconnect" or "block", found 1'],
    [{ address: "1", format: "pcap" }, ["format"], 'expected "raw" or "framed", found "pcap"'],
    [{ address: "1", buffer: "10" }, ["buffer"], 'Cannot parse size "10": it is too small for a buffer'],
    [{ address: "1", when_ful: "drop" }, ["when_ful"], 'unknown key "when_ful"; did you mean "when_full"?'],
    [{ address: "udp://a:1", when_full: "block" }, ["when_full"], `"block" ${udp}`],
  ])("%p is refused", (file, path, message) => {
    const result = read(observerSchema(), file);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.problems).toHaveLength(1);
    expect(result.problems[0]?.path).toEqual(path);
    expect(result.problems[0]?.message).toStartWith(message);
  });
});

describe("on the command line", () => {
  test.each([
    ["10.0.0.1:6000", {}],
    ["unix:/x,copies=both", { copies: "both" }],
    ["1,buffer=64KiB,when_full=block", { buffer: 65_536, whenFull: "block" }],
    ["udp://a:1,format=framed,copies=downstream,when_full=drop", { format: "framed", copies: "downstream" }],
    ["file:/x-{session},when_full=disconnect", { whenFull: "disconnect" }],
  ])("reads %p", (text, options) => {
    const [address = ""] = text.split(",");
    expect<unknown>(parseObserver(text)).toEqual({ ...plain(address), ...options });
  });

  const known = "use copies, buffer, when_full, format";
  test.each([
    ["1,copies", "write copies=WHAT, with upstream, downstream or both"],
    ["1,copies=all", "write copies=WHAT, with upstream, downstream or both"],
    ["1,when_full=wait", "write when_full=WHAT, with drop, disconnect or block"],
    ["1,format=json", "write format=WHAT, with raw or framed"],
    ["1,buffer", "write buffer=SIZE, such as buffer=64KiB"],
    ["1,copies=both,copies=both", '"copies" is given twice; keep one'],
    ["1,when-full=drop", 'unknown option "when-full"; did you mean "when_full"?'],
    ["1,x", `unknown option "x"; ${known}`],
    ["1,", `unknown option ""; ${known}`],
    ["udp://a:1,when_full=disconnect", `"disconnect" ${udp}`],
  ])("refuses %p and says why", (text, why) => {
    expect(() => parseObserver(text)).toThrow(refusal("EOBSERVER", `Cannot parse observer "${text}": ${why}`));
  });

  test("what is wrong with a size or an address is said as everywhere", () => {
    expect(() => parseObserver("1,buffer=1kb")).toThrow(expect.objectContaining({ code: "ESIZE" }));
    expect(() => parseObserver("db,copies=x")).toThrow(
      refusal("EADDRESS", 'Cannot parse address "db": the port is missing; write "db:PORT"'),
    );
  });

  test("throws nothing but UsageError, whatever the text", () => {
    const piece = fc.constantFrom("1", ",", "=", "copies", "both", "buffer", "when_full", "udp://", "a:1", " ");
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: piece })), (text) => {
        try {
          parseObserver(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function refusal(code: string, message: string) {
  return expect.objectContaining({ name: "UsageError", code, message });
}
