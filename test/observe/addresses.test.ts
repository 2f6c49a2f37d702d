/** Where observers can be: what is read, and what is said about the rest. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { UsageError } from "../../src/net/errors.ts";
import { formatObserverAddress, parseObserverAddress } from "../../src/observe/observer-address.ts";

test.each([
  ["6000", { kind: "tcp", host: "127.0.0.1", port: 6_000 }, "127.0.0.1:6000"],
  ["tcp://db.internal:6000", { kind: "tcp", host: "db.internal", port: 6_000 }, "db.internal:6000"],
  ["unix:/run/x.sock", { kind: "unix", path: "/run/x.sock" }, "unix:/run/x.sock"],
  ["unix:@x", { kind: "unix", path: "@x" }, "unix:@x"],
  ["tcp://unix:1", { kind: "tcp", host: "unix", port: 1 }, "tcp://unix:1"],
  ["tcp://File:1", { kind: "tcp", host: "File", port: 1 }, "tcp://File:1"],
  ["udp://unix:1", { kind: "udp", host: "unix", port: 1 }, "udp://unix:1"],
  ["udp://10.0.0.5:9000", { kind: "udp", host: "10.0.0.5", port: 9_000 }, "udp://10.0.0.5:9000"],
  ["UDP://[fd00::1]:9000", { kind: "udp", host: "fd00::1", port: 9_000 }, "udp://[fd00::1]:9000"],
  ["udp://collector:9000", { kind: "udp", host: "collector", port: 9_000 }, "udp://collector:9000"],
  ["file:/var/log/a", { kind: "file", path: "/var/log/a" }, "file:/var/log/a"],
  ["file:///var/log/a", { kind: "file", path: "/var/log/a" }, "file:/var/log/a"],
  ["file:./{session}.bin", { kind: "file", path: "./{session}.bin" }, "file:./{session}.bin"],
] as const)("reads %p", (text, address, formatted) => {
  expect<unknown>(parseObserverAddress(text)).toEqual(address);
  expect(formatObserverAddress(parseObserverAddress(text))).toBe(formatted);
  expect(parseObserverAddress(formatted)).toEqual(parseObserverAddress(text));
});

const kinds = "use tcp://, unix:, udp:// or file:";
test.each([
  ["", 'it is empty; write "host:port" or "unix:/path"'],
  ["tls://10.0.0.1:443", `observers over TLS are not supported yet; ${kinds}`],
  ["http://10.0.0.1:80", `unknown scheme "http://"; ${kinds}`],
  ["dns://db:80", 'a name needs no scheme here; write "db:80"'],
  ["udp://10.0.0.1", 'the port is missing; write "10.0.0.1:PORT"'],
  ["udp://10.0.0.1:0", "port 0 cannot be connected to; use 1 to 65535"],
  ["/tmp/x", 'a unix socket is written "unix:/tmp/x", a file "file:/tmp/x"'],
  ["./x", 'a unix socket is written "unix:./x", a file "file:./x"'],
  ["file:", 'the path is missing; write "file:/path"'],
  ["file:/tmp/", "it names a directory; write the path of a file"],
  ["file://host/x", 'a file is on this machine; write "file:/path"'],
  ["file:/a\0b", "a path cannot hold a NUL byte"],
  ["file:/{client}", 'unknown placeholder "{client}"; only "{session}" is known'],
])("refuses %p and says why", (text, why) => {
  const error = { name: "UsageError", code: "EADDRESS", message: `Cannot parse address "${text}": ${why}` };
  expect(() => parseObserverAddress(text)).toThrow(expect.objectContaining(error));
});

test("throws nothing but UsageError, and reads back what it formats", () => {
  const piece = fc.constantFrom(
    "udp://",
    "file:",
    "tcp://",
    "unix:",
    "1",
    ":",
    "/",
    "{",
    "}",
    "session",
    "a",
    " ",
    "[::1]",
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: piece })), (text) => {
      try {
        const address = parseObserverAddress(text);
        expect(parseObserverAddress(formatObserverAddress(address))).toEqual(address);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
    }),
    { numRuns: 1_000 },
  );
});
