/** Guesses at what a mistyped word was meant to be. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { editDistance, nearest } from "../../src/config/nearest.ts";

const KEYS = ["name", "listen", "target", "targets", "buffer", "timeouts", "log"];

describe("nearest", () => {
  test.each([
    ["timeuot", "timeouts"],
    ["lisetn", "listen"],
    ["LISTEN", "listen"],
    ["taget", "target"],
    ["targetss", "targets"],
    ["lo", "log"],
  ])("takes %p for %p", (word, meant) => {
    expect(nearest(word, KEYS)).toBe(meant);
  });

  test.each(["", "x", "xy", "colour", "listeners_of_mine"])("does not guess at %p", (word) => {
    expect(nearest(word, KEYS)).toBeUndefined();
  });

  test("takes the first of two equally near", () => {
    expect(nearest("cat", ["bat", "car"])).toBe("bat");
    expect(nearest("cat", ["car", "bat"])).toBe("car");
  });

  test("finds every word that is a candidate itself", () => {
    fc.assert(
      fc.property(fc.array(lowerCase(), { minLength: 1 }), fc.nat(), (candidates, pick) => {
        const word = candidates[pick % candidates.length] ?? "";
        expect(nearest(word, candidates)).toBe(word);
      }),
    );
  });

  test("guesses nothing that shares no letter with the word", () => {
    fc.assert(
      fc.property(letters("abcdef"), fc.array(letters("uvwxyz")), (word, candidates) => {
        expect(nearest(word, candidates)).toBeUndefined();
      }),
    );
  });
});

describe("editDistance", () => {
  test.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["abcd", "badc", 2],
    ["kitten", "sitting", 3],
    ["timeuot", "timeouts", 2],
  ])("from %p to %p is %p", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test("is symmetric, zero only for equal words, and bounded by their lengths", () => {
    fc.assert(
      fc.property(letters("abc", 0), letters("abc", 0), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  test("is one for any single typing error", () => {
    fc.assert(
      fc.property(letters("abcdef"), fc.nat(), (word, pick) => {
        const at = pick % word.length;
        const [head, letter, tail] = [word.slice(0, at), word[at] ?? "", word.slice(at + 1)];
        expect(editDistance(word, head + tail)).toBe(1);
        expect(editDistance(word, `${head}x${letter}${tail}`)).toBe(1);
        expect(editDistance(word, `${head}x${tail}`)).toBe(1);
        const swapped = head + (tail[0] ?? "") + letter + tail.slice(1);
        expect(editDistance(word, swapped)).toBe(swapped === word ? 0 : 1);
      }),
    );
  });
});

function letters(alphabet: string, minLength = 1): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength: 12 });
}

/** Two letters at least: a guess at a single letter would be no more than another letter. */
function lowerCase(): fc.Arbitrary<string> {
  return letters("abcdefghij", 2);
}
