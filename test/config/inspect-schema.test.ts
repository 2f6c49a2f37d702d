/** [[proxy.inspect]]: defaults, and what is wrong. */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { inspectSchema, toInspect } from "../../src/config/inspect-schema.ts";
import { INSPECT } from "../../src/observe/inspect/inspect-config.ts";

function problem(given: object): string | undefined {
  const result = v.safeParse(inspectSchema(), given);
  return result.success ? undefined : result.issues[0].message;
}

test("without a word it is a dump of everything on standard output", () => {
  expect(toInspect(v.parse(inspectSchema(), {}))).toEqual(INSPECT);
});

test("every key is taken over", () => {
  const given = {
    format: "pcap",
    path: "{proxy}-{session}-{client}-{time}.pcap",
    max_bytes: "1MiB",
    max_size: "off",
    keep: 0,
    direction: "downstream",
  };
  expect(toInspect(v.parse(inspectSchema(), given))).toEqual({
    format: "pcap",
    path: given.path,
    maxBytes: 1_048_576,
    maxSize: 0,
    keep: 0,
    direction: "downstream",
  });
});

describe("a problem is explained", () => {
  test.each<[string, object]>([
    ['expected "hex", "jsonl" or "pcap", found "pcapng"; did you mean "pcap"?', { format: "pcapng" }],
    ["there is something else in braces than {proxy}, {session}, {client}, {time}", { path: "{sesion}.pcap" }],
    ["there is something else in braces than {proxy}, {session}, {client}, {time}", { path: "{}.pcap" }],
    ["the name is empty; write that of a file", { path: "" }],
    ['Cannot parse size "many": write a number and a unit, such as "64KiB" or "1MB"', { max_bytes: "many" }],
    ['Cannot parse size "1KiB": it is too small; use 4096B or more, or "off"', { max_size: "1KiB" }],
    ["expected a whole number from 0 to 1000, found 1001", { keep: 1_001 }],
    ['expected "both", "upstream" or "downstream", found "up"', { direction: "up" }],
  ])("%s", (message, given) => expect(problem(given)).toBe(message));
});
