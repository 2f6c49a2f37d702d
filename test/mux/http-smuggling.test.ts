/** Ambiguous requests: refused whole and in pieces, and nothing behind them comes out. */
import { describe, expect, test } from "bun:test";
import { Asking, halves, lines, singly } from "./http-rig.ts";
import { SMUGGLED } from "./smuggling.ts";

const BEFORE = lines("GET /before HTTP/1.1", "Host: a");
const BEHIND = lines("GET /behind HTTP/1.1", "Host: a");

describe("is refused, however it is cut:", () => {
  test.each(SMUGGLED.map((one) => [one.name, one] as const))("%s", (_, { bytes, status }) => {
    const text = bytes + BEHIND;
    const outcome = (...pieces: readonly string[]) => {
      const asking = new Asking().send(...pieces);
      return [asking.status, asking.texts.join()];
    };
    expect(outcome(text)).toEqual([status, ""]);
    expect(outcome(...singly(text))).toEqual([status, ""]);
    for (const [one, other] of halves(text)) {
      // Compared by hand: expect() for each of thousands of cuts is what would take the time.
      const [got, requests] = outcome(one, other);
      if (got !== status || requests !== "") expect([one, other, got, requests]).toEqual([one, other, status, ""]);
    }
  });
});

test("what came before one of them comes out", () => {
  for (const { name, bytes, status } of SMUGGLED) {
    const asking = new Asking().send(BEFORE + bytes + BEHIND);
    expect([name, asking.status, asking.texts]).toEqual([name, status, [BEFORE]]);
  }
});

test("no two of them are the same", () => {
  expect(new Set(SMUGGLED.map(({ bytes }) => bytes)).size).toBe(SMUGGLED.length);
  expect(new Set(SMUGGLED.map(({ name }) => name)).size).toBe(SMUGGLED.length);
});

test("nothing of a request is shown in its refusal", () => {
  for (const { bytes } of SMUGGLED) {
    const [refusal] = new Asking().send(bytes.replaceAll("a", "<script>") + BEHIND).refusals;
    expect(refusal?.message ?? "").not.toContain("<");
  }
});
