/** Fingerprints, in every way in which programs print them. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseFingerprint } from "../../src/tls/fingerprint.ts";
import { clientRule, pinRule } from "../../src/tls/peer.ts";

test("a fingerprint is the same however it is written", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const hex = Buffer.from(bytes).toString("hex");
      const base64 = Buffer.from(bytes).toString("base64");
      const colons = (hex.match(/../g) ?? []).join(":").toUpperCase();
      const forms = [hex, hex.toUpperCase(), colons, `SHA256 Fingerprint=${colons}`, `sha256:${hex}`];
      for (const text of [...forms, base64, base64.slice(0, -1), `sha256/${base64}`, `sha256//${base64}`]) {
        expect(parseFingerprint(text)).toBe(hex);
      }
    }),
  );
});

test.each(["", "abc", "a".repeat(63), "a".repeat(65), `sha256//${"A".repeat(41)}`])("%p is none", (text) => {
  expect(() => parseFingerprint(text)).toThrow("write a SHA-256, 64 hexadecimal digits");
});

test("a SHA-1 is none, and says so", () => {
  expect(() => parseFingerprint("a".repeat(40))).toThrow("that is a SHA-1; use SHA-256");
});

const ALICE = { names: ["alice.corp.test"], fingerprint: "aa", publicKey: "bb" };

test("a client needs one of the names, and one of the fingerprints, of its certificate or of its key", () => {
  expect(clientRule([], [])).toBeUndefined();
  expect(clientRule(["*.corp.test"], [])?.(ALICE)).toBeUndefined();
  expect(clientRule(["bob.corp.test", "ALICE.corp.test"], ["bb"])?.(ALICE)).toBeUndefined();
  expect(clientRule([], ["aa"])?.(ALICE)).toBeUndefined();
  expect(clientRule(["bob.corp.test"], ["aa"])?.(ALICE)).toContain("alice.corp.test");
  expect(clientRule(["*.corp.test"], ["cc"])?.(ALICE)).toContain("fingerprint");
  // A certificate for everybody in a domain is not that of somebody in it.
  expect(clientRule(["alice.corp.test"], [])?.({ ...ALICE, names: ["*.corp.test"] })).toContain("*.corp.test");
  expect(clientRule(["alice.corp.test"], [])?.({ ...ALICE, names: [] })).toContain("it has none");
});

test("a target needs one of the pins", () => {
  expect(pinRule([])).toBeUndefined();
  expect(pinRule(["cc", "bb"])?.(ALICE)).toBeUndefined();
  expect(pinRule(["aa"])?.(ALICE)).toBeUndefined();
  expect(pinRule(["cc"])?.(ALICE)).toBe("its public key is not pinned: sha256 bb");
});
