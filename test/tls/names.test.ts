/** Names in certificates (RFC 9525), and the choice of one by SNI. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chooseByName, nameMatches, parseName, parseServerName } from "../../src/tls/names.ts";

const YES: readonly [name: string, host: string][] = [
  ["a.test", "a.test"],
  ["A.test", "a.TEST"],
  ["a.test", "a.test."],
  ["*.b.test", "www.b.test"],
  ["*.b.test", "WWW.b.test"],
  ["127.0.0.1", "127.0.0.1"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["FD00:0:0:0:0:0:0:5", "fd00::5"],
];

const NO: readonly [name: string, host: string][] = [
  ["a.test", "b.test"],
  ["a.test", "x.a.test"],
  ["*.b.test", "b.test"],
  ["*.b.test", "x.www.b.test"],
  ["*.b.test", ".b.test"],
  ["*.test", "b.test"],
  ["*", "test"],
  ["w*.b.test", "www.b.test"],
  ["www.*.test", "www.b.test"],
  ["*.0.0.1", "127.0.0.1"],
  ["127.0.0.1", "127.0.0.2"],
  ["::1", "::2"],
  ["", ""],
  ["", "a.test"],
];

describe("a name of a certificate", () => {
  test.each(YES)("%p stands for %p", (name, host) => expect(nameMatches(name, host)).toBe(true));
  test.each(NO)("%p does not stand for %p", (name, host) => expect(nameMatches(name, host)).toBe(false));

  test("with a wildcard stands for one label in place of it, whatever it is", () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(label, label, label, (one, two, three) => {
        expect(nameMatches(`*.${two}.test`, `${one}.${two}.test`)).toBe(true);
        expect(nameMatches(`*.${two}.test`, `${three}.${one}.${two}.test`)).toBe(false);
        expect(nameMatches(`*.${two}.test`, `${two}.test`)).toBe(false);
      }),
    );
  });
});

test("a certificate is chosen by its very name before one with a wildcard, and the first of two alike", () => {
  const lists = [["a.test"], ["*.b.test"], ["www.b.test", "b.test"], ["b.test", "*.b.test"]];
  const chosen = (name: string) => chooseByName(lists, name);
  expect(["a.test", "www.b.test", "x.b.test", "b.test", "c.test", ""].map(chosen)).toEqual([
    ...[0, 2, 1, 2, undefined, undefined],
  ]);
});

test.each(["*", "*.test", "w*.b.test", "*.*.test", "", " ", "a\nb"])("%p is no name to ask for", (text) => {
  expect(() => parseName(text)).toThrow("Cannot use the name");
});

test.each(["*.corp.example", "alice", "Alice Smith", "10.0.0.1"])("%p is one", (text) => {
  expect(parseName(text)).toBe(text);
});

test.each(["a.test", "10.0.0.1", "::1", "[::1]", "a_b.test", "a.test."])("%p is the name of a server", (text) => {
  expect(parseServerName(text)).toBe(text.replace(/[[\]]/g, ""));
});

test.each(["a.test:443", "https://a.test", "*.test", "", "a b"])("%p is none", (text) => {
  expect(() => parseServerName(text)).toThrow("write a host name or an IP address alone");
});
