/** The addresses of bridges: what they mean, what is said about mistakes, and that they can be written again. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Direction,
  formatRoute,
  parseRoute,
  type SinkAddress,
  type SourceAddress,
} from "../../../src/datagram/bridge/route-address.ts";
import { leadsTo, sameRoute } from "../../../src/datagram/bridge/route-relations.ts";
import type { Address } from "../../../src/net/address.ts";
import { UsageError } from "../../../src/net/errors.ts";
import { isMulticast } from "../../../src/net/multicast.ts";

function parse(text: string, direction: Direction): SourceAddress | SinkAddress {
  return direction === "from" ? parseRoute(text, "from") : parseRoute(text, "to");
}

function tcp(host: string, port: number): Address {
  return { kind: "tcp", host, port };
}

describe("parseRoute", () => {
  test.each<[string, Direction, SourceAddress | SinkAddress, string]>([
    ["9920", "from", { kind: "udp", host: "127.0.0.1", port: 9920 }, "udp://127.0.0.1:9920"],
    [":9920", "from", { kind: "udp", host: "::", port: 9920 }, "udp://[::]:9920"],
    [":9920", "to", { kind: "udp", host: "127.0.0.1", port: 9920 }, "udp://127.0.0.1:9920"],
    ["udp://0.0.0.0:0", "from", { kind: "udp", host: "0.0.0.0", port: 0 }, "udp://0.0.0.0:0"],
    ["UDP://localhost:9920", "to", { kind: "udp", host: "localhost", port: 9920 }, "udp://localhost:9920"],
    ["udp://[fe80::1%eth0]:1", "to", { kind: "udp", host: "fe80::1%eth0", port: 1 }, "udp://[fe80::1%eth0]:1"],
    ["udp://239.1.2.3:9920", "from", { kind: "udp", host: "239.1.2.3", port: 9920 }, "udp://239.1.2.3:9920"],
    [
      "udp://[ff02::1]:9920%eth0",
      "to",
      { kind: "udp", host: "ff02::1", port: 9920, interface: "eth0" },
      "udp://[ff02::1]:9920%eth0",
    ],
    [
      "[ff02::1%eth0]:9920",
      "from",
      { kind: "udp", host: "ff02::1", port: 9920, interface: "eth0" },
      "udp://[ff02::1]:9920%eth0",
    ],
    [
      "239.1.2.3:9920%10.0.0.1",
      "from",
      { kind: "udp", host: "239.1.2.3", port: 9920, interface: "10.0.0.1" },
      "udp://239.1.2.3:9920%10.0.0.1",
    ],
    ["239.1.2.3:1%*", "from", { kind: "udp", host: "239.1.2.3", port: 1, interface: "*" }, "udp://239.1.2.3:1%*"],
    [
      "10.0.0.5@232.1.2.3:9920%eth0",
      "from",
      { kind: "udp", host: "232.1.2.3", port: 9920, source: "10.0.0.5", interface: "eth0" },
      "udp://10.0.0.5@232.1.2.3:9920%eth0",
    ],
    [
      "udp://[fd00::5]@[ff3e::1]:1",
      "from",
      { kind: "udp", host: "ff3e::1", port: 1, source: "fd00::5" },
      "udp://[fd00::5]@[ff3e::1]:1",
    ],
    [
      "udp://fd00::5@[ff3e::1]:1",
      "from",
      { kind: "udp", host: "ff3e::1", port: 1, source: "fd00::5" },
      "udp://[fd00::5]@[ff3e::1]:1",
    ],
    ["tcp://a:1", "from", { kind: "stream", address: tcp("a", 1), tls: false }, "tcp://a:1"],
    ["TLS://[::1]:1", "from", { kind: "stream", address: tcp("::1", 1), tls: true }, "tls://[::1]:1"],
    ["unix:/run/x", "from", { kind: "stream", address: { kind: "unix", path: "/run/x" }, tls: false }, "unix:/run/x"],
    ["listen://:1", "to", { kind: "listen", address: tcp("::", 1) }, "listen://[::]:1"],
    ["listen://0", "from", { kind: "listen", address: tcp("127.0.0.1", 0) }, "listen://127.0.0.1:0"],
    ["listen://unix:@x", "from", { kind: "listen", address: { kind: "unix", path: "@x" } }, "listen://unix:@x"],
    ["file:a b", "to", { kind: "file", path: "a b" }, "file:a b"],
    ["FILE:///var/log/x", "from", { kind: "file", path: "/var/log/x" }, "file:/var/log/x"],
    ["file:C:\\x", "from", { kind: "file", path: "C:\\x" }, "file:C:\\x"],
    ["fd:3", "from", { kind: "descriptor", descriptor: 3 }, "fd:3"],
    ["fd:2", "to", { kind: "descriptor", descriptor: 2 }, "fd:2"],
    ["-", "from", { kind: "descriptor", descriptor: 0 }, "-"],
    ["-", "to", { kind: "descriptor", descriptor: 1 }, "-"],
    ["fd:0", "from", { kind: "descriptor", descriptor: 0 }, "-"],
    ["fd:1", "to", { kind: "descriptor", descriptor: 1 }, "-"],
  ])("reads %p %s", (text, direction, route, written) => {
    expect(parse(text, direction)).toEqual(route);
    expect(formatRoute(route)).toBe(written);
    expect(parse(written, direction)).toEqual(route);
  });

  const none = "is for multicast groups, and 10.0.0.1 is none";
  test.each<[string, Direction, string]>([
    ["", "from", "it is empty; use udp://, tcp://, tls://, listen://, unix:, file:, fd: or -"],
    ["", "to", "it is empty; use udp://, listen://, file:, fd: or -"],
    ["/a", "to", 'a file is written "file:/a", a unix socket "unix:/a"'],
    ["./a", "to", 'a file is written "file:./a", a unix socket "unix:./a"'],
    ["http://a:1", "to", 'unknown scheme "http://"; use udp://, listen://, file:, fd: or -'],
    ["a", "from", 'the port is missing; write "a:PORT"'],
    ["udp://", "from", 'the port is missing; write ":PORT"'],
    ["udp://10.0.0.1:0", "to", "port 0 cannot be connected to; use 1 to 65535"],
    ["10.0.0.1:1%eth0", "from", `"%eth0" ${none}`],
    ["9920%", "from", 'the interface is missing behind "%"'],
    ["239.1.2.3:1%", "to", 'the interface is missing behind "%"'],
    ["[ff02::1%a]:1%b", "to", 'the interface is named twice, "a" and "b"'],
    ["10.0.0.5@232.1.2.3:1", "to", "a source is for groups that are read"],
    ["10.0.0.5@10.0.0.1:1", "from", `"10.0.0.5@" ${none}`],
    ["@232.1.2.3:1", "from", 'the source is missing before "@"; leave "@" out to hear every source'],
    ["239.1.1.1@232.1.2.3:1", "from", '"239.1.1.1" is not an address that could send to 232.1.2.3'],
    ["::1@232.1.2.3:1", "from", '"::1" is not an address that could send to 232.1.2.3'],
    ["10.0.0.5@[ff3e::1]:1", "from", '"10.0.0.5" is not an address that could send to ff3e::1'],
    ["a.b@232.1.2.3:1", "from", '"a.b" is not an IP address'],
    ["10.0.0@232.1.2.3:1", "from", '"10.0.0" is not an IPv4 address'],
    ["tcp://a", "from", 'the port is missing; write "a:PORT"'],
    ["tcp://a:0", "from", "port 0 cannot be connected to; use 1 to 65535"],
    ["tls://a:1", "to", 'weir connects to sources alone; write "listen://…" for those who want the stream'],
    ["unix:/x", "to", 'weir connects to sources alone; write "listen://…" for those who want the stream'],
    ["tcp://239.1.2.3:1", "from", "239.1.2.3 is a multicast group, which has no connections; use udp://"],
    ["listen://[ff02::1]:1", "to", "ff02::1 is a multicast group, which has no connections; use udp://"],
    ["file:", "from", 'the path is missing; write "file:/path"'],
    ["file:a/", "from", "it names a directory; write the path of a file"],
    ["file:a\0b", "from", "a path cannot hold a NUL byte"],
    ["file://host/x", "from", 'a file is on this machine; write "file:/path"'],
    ["fd:", "from", '"" is not a descriptor; write a number such as fd:3'],
    ["fd:-1", "from", '"-1" is not a descriptor; write a number such as fd:3'],
    ["fd:0", "to", 'descriptor 0 is standard input; write "-" for standard output'],
    ["fd:1", "from", 'descriptor 1 is for what weir prints; write "-" for standard input'],
  ])("refuses %p %s", (text, direction, why) => {
    expect(() => parse(text, direction)).toThrow(new UsageError("EADDRESS", `Cannot parse address "${text}": ${why}`));
  });

  test("takes an address of any kind again that was written by formatRoute", () => {
    fc.assert(
      fc.property(routes(), ([route, direction]) => {
        expect(parse(formatRoute(route), direction)).toEqual(route);
      }),
    );
  });

  test("says of any text what it is, or what is wrong with it", () => {
    const piece = fc.constantFrom(
      "udp://",
      "tcp://",
      "listen://",
      "239.1.2.3",
      "[ff02::1]",
      "10.0.0.5",
      "@",
      "%",
      ":",
      "1",
    );
    const odd = fc.oneof(piece, fc.string({ maxLength: 2 }), fc.constantFrom("file:", "fd:", "-", "eth0", "*"));
    const text = fc.array(odd, { maxLength: 6 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, fc.constantFrom<Direction>("from", "to"), (written, direction) => {
        let route: SourceAddress | SinkAddress;
        try {
          route = parse(written, direction);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          expect((error as UsageError).code).toBe("EADDRESS");
          return;
        }
        expect(parse(formatRoute(route), direction)).toEqual(route);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Anything that can be parsed, with where it can stand. */
function routes(): fc.Arbitrary<[SourceAddress | SinkAddress, Direction]> {
  const port = fc.integer({ min: 1, max: 65_535 });
  const name = fc.stringMatching(/^[a-z][a-z0-9.]{0,10}[a-z]$/).filter((text) => !text.includes(".."));
  const ip = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => !isMulticast(text));
  const host = fc.oneof(ip, name);
  const group = fc.oneof(
    fc.constantFrom("239.1.2.3", "224.0.0.1", "232.255.0.1"),
    fc.constantFrom("ff02::1", "ff3e::8000:1"),
  );
  const device = fc.constantFrom("eth0", "*", "10.0.0.1", "br-lan.5");
  const either = fc.constantFrom<Direction>("from", "to");
  const path = fc.stringMatching(/^[a-z./ %@:]{0,12}[a-z]$/).filter((text) => !text.startsWith("//"));
  const address = fc.oneof(
    fc.record({ kind: fc.constant("tcp" as const), host, port }),
    path.map((text) => ({ kind: "unix" as const, path: text })),
  );
  return fc.oneof(
    fc.tuple(fc.record({ kind: fc.constant("udp" as const), host, port }), either),
    fc.tuple(
      fc.record(
        { kind: fc.constant("udp" as const), host: group, port, interface: device },
        { requiredKeys: ["kind", "host", "port"] },
      ),
      either,
    ),
    fc.tuple(
      fc
        .record({ kind: fc.constant("udp" as const), host: fc.constant("232.1.2.3"), port, source: fc.ipV4() })
        .filter(({ source }) => !isMulticast(source)),
      fc.constant<Direction>("from"),
    ),
    fc.tuple(
      address.chain((at) => {
        const tls = at.kind === "unix" ? fc.constant(false) : fc.boolean();
        return fc.record({ kind: fc.constant("stream" as const), address: fc.constant(at), tls });
      }),
      fc.constant<Direction>("from"),
    ),
    fc.tuple(fc.record({ kind: fc.constant("listen" as const), address }), either),
    fc.tuple(fc.record({ kind: fc.constant("file" as const), path }), either),
    fc.tuple(
      fc.record({ kind: fc.constant("descriptor" as const), descriptor: fc.integer({ min: 3, max: 9_999_999 }) }),
      either,
    ),
  );
}

describe("sameRoute", () => {
  test.each([
    ["[::1]:9", "[0::1]:9"],
    ["LOCALHOST:9", "localhost:9"],
    ["10.0.0.5@232.1.2.3:9%eth0", "10.0.0.5@232.1.2.3:9%eth0"],
    ["tcp://a:1", "tls://A:1"],
    ["listen://:1", "listen://[::0]:1"],
    ["file:a", "file:a"],
    ["-", "fd:0"],
  ])("knows that %p is %p", (a, b) => {
    expect(sameRoute(parseRoute(a, "from"), parseRoute(b, "from"))).toBe(true);
  });

  test.each([
    ["127.0.0.1:9", "localhost:9"],
    ["239.1.2.3:9", "10.0.0.5@239.1.2.3:9"],
    ["239.1.2.3:9", "239.1.2.3:9%eth0"],
    ["tcp://a:1", "listen://a:1"],
    ["tcp://a:1", "udp://a:1"],
    ["file:a", "file:b"],
    ["file:3", "fd:3"],
    ["fd:4", "fd:3"],
  ])("knows that %p is not %p", (a, b) => {
    expect(sameRoute(parseRoute(a, "from"), parseRoute(b, "from"))).toBe(false);
  });
});

describe("leadsTo", () => {
  test.each([
    ["-", "-", false],
    ["fd:3", "fd:3", false],
    ["file:a", "-", false],
    ["listen://1", "listen://1", false],
    ["listen://unix:/x", "unix:/x", true],
    ["listen://:1", "tls://[::1]:1", true],
    ["127.0.0.1:1", "tcp://127.0.0.1:1", false],
    // Port 0 of a source is none yet.
    ["127.0.0.1:1", "0", false],
  ])("of %s to %s is %p", (sink, source, leads) => {
    expect(leadsTo(parseRoute(sink, "to"), parseRoute(source, "from"), null)).toBe(leads);
  });
});
