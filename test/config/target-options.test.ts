/** Targets as the command line has them: what follows the commas, and what is said when it is wrong. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { plainTarget } from "../../src/config/config.ts";
import { parseTargetOptions } from "../../src/config/target-options.ts";
import { UsageError } from "../../src/net/errors.ts";
import { parseTarget } from "../../src/net/target-name.ts";

test.each([
  ["10.0.0.1:80", {}],
  ["10.0.0.1:80,weight=2", { weight: 2 }],
  ["10.0.0.1:80,weight=0,backup", { weight: 0, backup: true }],
  ["unix:/run/x,backup,max_connections=100,weight=1000", { weight: 1_000, backup: true, maxConnections: 100 }],
  ["dns://db.internal:5432,max_connections=1000000", { maxConnections: 1_000_000 }],
  ["dns+srv://_pg._tcp.db.internal,backup", { backup: true }],
])("reads %p", (text, options) => {
  const [address = ""] = text.split(",");
  expect(parseTargetOptions(text)).toEqual({ ...plainTarget(parseTarget(address)), ...options });
});

const use = "use weight, backup, max_connections, sni, alpn";
test.each([
  ["1,weight", "write weight=N, with N from 0 to 1000"],
  ["1,weight=", "write weight=N, with N from 0 to 1000"],
  ["1,weight=1001", "write weight=N, with N from 0 to 1000"],
  ["1,weight=-1", "write weight=N, with N from 0 to 1000"],
  ["1,weight=1.5", "write weight=N, with N from 0 to 1000"],
  ["1,weight=1=2", "write weight=N, with N from 0 to 1000"],
  ["1,max_connections=x", "write max_connections=N, with N from 0 to 1000000"],
  ["1,backup=true", '"backup" takes no value; write it alone'],
  ["1,backup=", '"backup" takes no value; write it alone'],
  ["1,weight=1,backup,weight=1", '"weight" is given twice; keep one'],
  ["1,backup,backup", '"backup" is given twice; keep one'],
  ["1,sni=a,sni=A.", '"sni=a" is given twice; keep one'],
  ["1,alpn=h2,sni=a,alpn=h2", '"alpn=h2" is given twice; keep one'],
  ["1,wieght=2", 'unknown option "wieght"; did you mean "weight"?'],
  ["1,max-connections=2", 'unknown option "max-connections"; did you mean "max_connections"?'],
  ["1,colour=2", `unknown option "colour"; ${use}`],
  ["1, backup", 'unknown option " backup"; did you mean "backup"?'],
  ["1,", `unknown option ""; ${use}`],
  ["1,constructor", `unknown option "constructor"; ${use}`],
])("refuses %p and says why", (text, why) => {
  expect(() => parseTargetOptions(text)).toThrow(refusal("ETARGET", `Cannot parse target "${text}": ${why}`));
});

test.each([
  ["1,sni=", 'Cannot parse server name "": it is no host name; write one such as "example.com" or "*.example.com"'],
  ["1,sni", 'Cannot parse server name "": it is no host name; write one such as "example.com" or "*.example.com"'],
  ["1,sni=*", 'Cannot parse server name "*": leave sni out for a target that takes every name'],
  [
    "1,sni=a.*.b",
    'Cannot parse server name "a.*.b": a wildcard stands for whole labels at the beginning, such as "*.example.com"',
  ],
  ["1,sni=10.0.0.1", 'Cannot parse server name "10.0.0.1": clients send no IP address or port here; write a host name'],
  ["1,sni=a:443", 'Cannot parse server name "a:443": clients send no IP address or port here; write a host name'],
  [
    "1,alpn=",
    'Cannot parse ALPN protocol "": a protocol has 1 to 255 visible ASCII characters and no comma, such as "h2" or "http/1.1"',
  ],
])("refuses %p as well", (text, message) => {
  expect(() => parseTargetOptions(text)).toThrow(refusal("EADDRESS", message));
});

test("says what is wrong with the address first", () => {
  expect(() => parseTargetOptions("db,weight=x")).toThrow(
    refusal("EADDRESS", 'Cannot parse address "db": the port is missing; write "db:PORT"'),
  );
});

test("throws nothing but UsageError, whatever the text", () => {
  const piece = fc.constantFrom(
    "1",
    ",",
    "=",
    "weight",
    "backup",
    "max_connections",
    "sni",
    "alpn",
    "*",
    "a:1",
    "dns://",
    " ",
    "é",
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: piece })), (text) => {
      try {
        parseTargetOptions(text);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
    }),
    { numRuns: 500 },
  );
});

function refusal(code: string, message: string) {
  return expect.objectContaining({ name: "UsageError", code, message });
}
