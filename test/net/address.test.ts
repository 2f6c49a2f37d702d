/** Addresses: what is read, what is refused and with which words, and which of them meet. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Address,
  type AddressUse,
  covers,
  formatAddress,
  isIPv4,
  isIPv6,
  parseAddress,
  sameAddress,
} from "../../src/net/address.ts";
import { UsageError } from "../../src/net/errors.ts";

describe("parseAddress", () => {
  test.each<[string, AddressUse, Address]>([
    ["8080", "listen", tcp("127.0.0.1", 8080)],
    ["8080", "target", tcp("127.0.0.1", 8080)],
    [":8080", "listen", tcp("::", 8080)],
    [":8080", "target", tcp("127.0.0.1", 8080)],
    ["0", "listen", tcp("127.0.0.1", 0)],
    ["65535", "target", tcp("127.0.0.1", 65535)],
    ["127.0.0.1:80", "listen", tcp("127.0.0.1", 80)],
    ["[::1]:80", "listen", tcp("::1", 80)],
    ["[fe80::1%eth0]:80", "target", tcp("fe80::1%eth0", 80)],
    ["localhost:80", "listen", tcp("localhost", 80)],
    ["_db._tcp.Example.com.:80", "target", tcp("_db._tcp.Example.com.", 80)],
    ["tcp://10.0.0.1:80", "target", tcp("10.0.0.1", 80)],
    ["TCP://:80", "listen", tcp("::", 80)],
    ["tcp://80", "listen", tcp("127.0.0.1", 80)],
    ["unix:/run/x.sock", "listen", { kind: "unix", path: "/run/x.sock" }],
    ["unix:x.sock", "target", { kind: "unix", path: "x.sock" }],
    ["unix:@name", "target", { kind: "unix", path: "@name" }],
  ])("reads %p, for a %s", (text, use, address) => {
    expect(parseAddress(text, use)).toEqual(address);
  });

  const long = "x".repeat(107);
  test.each<[string, AddressUse, string]>([
    ["", "listen", 'it is empty; write "host:port" or "unix:/path"'],
    ["localhost", "listen", 'the port is missing; write "localhost:PORT"'],
    ["localhost:", "listen", "the port is missing after the colon"],
    [":", "listen", "the port is missing after the colon"],
    ["[::1]", "listen", 'the port is missing; write "[::1]:PORT"'],
    ["[::1]80", "listen", 'the port is missing; write "[::1]:PORT"'],
    ["::1", "listen", 'an IPv6 address needs brackets; write "[::1]:PORT"'],
    ["x::1:80", "listen", '"x::1" is not a host; an IPv6 address needs brackets: "[x::1]:PORT"'],
    ["[localhost]:80", "listen", '"localhost" is not an IPv6 address'],
    ["a:b", "listen", 'the port "b" is not a number'],
    ["a:-1", "listen", 'the port "-1" is not a number'],
    ["a:65536", "listen", "the port 65536 is out of range; use 0 to 65535"],
    ["a:65536", "target", "the port 65536 is out of range; use 1 to 65535"],
    ["a:0", "target", "port 0 cannot be connected to; use 1 to 65535"],
    ["256.0.0.1:80", "listen", '"256.0.0.1" is not an IPv4 address'],
    ["010.0.0.1:80", "listen", '"010.0.0.1" is not an IPv4 address'],
    ["a b:80", "listen", '"a b" is not a host name'],
    ["-a:80", "listen", '"-a" is not a host name'],
    ["a..b:80", "listen", '"a..b" is not a host name'],
    [`${"a.".repeat(127)}:80`, "listen", "a host name has at most 253 characters"],
    ["udp://a:80", "listen", "there is no UDP here; it is for what [[proxy]] listens on, its targets, and weir udp"],
    [
      "tls://a:80",
      "target",
      "there is no TLS here; it is for what [[proxy]] and [[mux]] listen on, and for their targets",
    ],
    ["http://a:80", "target", 'unknown scheme "http://"; use tcp:// or unix:'],
    ["/run/x.sock", "listen", 'a unix socket is written "unix:/run/x.sock"'],
    ["@name", "listen", 'a unix socket is written "unix:@name"'],
    ["unix:", "listen", 'the path is missing; write "unix:/run/x.sock" or "unix:@name"'],
    ["unix:/run/", "listen", "it names a directory; a unix socket is a file"],
    ["unix:a\0b", "listen", "a socket path cannot hold a NUL byte"],
    [`unix:/${long}`, "listen", "the path has 108 bytes; the kernel allows 107"],
  ])("refuses %p for a %s and says why", (text, use, why) => {
    expect(() => parseAddress(text, use)).toThrow(
      expect.objectContaining({
        name: "UsageError",
        code: "EADDRESS",
        message: `Cannot parse address "${text}": ${why}`,
      }),
    );
  });

  test("throws nothing but UsageError, whatever the text", () => {
    const pieces = fc.constantFrom(
      "[",
      "]",
      ":",
      "::",
      "/",
      "//",
      "@",
      "%",
      ".",
      "0",
      "80",
      "tcp:",
      "unix:",
      "a",
      "\0",
    );
    const text = fc.oneof(fc.string(), fc.string({ unit: pieces }), fc.webUrl());
    fc.assert(
      fc.property(text, uses(), (value, use) => {
        try {
          parseAddress(value, use);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("reads back what formatAddress writes", () => {
    fc.assert(
      fc.property(addresses(), uses(), (address, use) => {
        expect(parseAddress(formatAddress(address), use)).toEqual(address);
      }),
    );
  });

  test("makes of every text it takes one that means the same", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789:[]."), maxLength: 14 });
    fc.assert(
      fc.property(digits, uses(), (text, use) => {
        let address: Address;
        try {
          address = parseAddress(text, use);
        } catch {
          return;
        }
        expect(parseAddress(formatAddress(address), use)).toEqual(address);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("sameAddress", () => {
  test.each([
    ["127.0.0.1:80", "127.0.0.1:80"],
    ["Example.com:80", "example.COM:80"],
    ["[::1]:80", "[0:0:0:0:0:0:0:1]:80"],
    ["[FE80::1%eth0]:80", "[fe80:0::1%eth0]:80"],
    ["[::ffff:10.0.0.1]:80", "10.0.0.1:80"],
    ["unix:/run/x", "unix:/run/x"],
  ])("%p and %p are one", (a, b) => {
    expect(sameAddress(parseAddress(a, "listen"), parseAddress(b, "listen"))).toBeTrue();
  });

  test.each([
    ["127.0.0.1:80", "127.0.0.1:81"],
    ["127.0.0.1:80", "localhost:80"],
    ["[fe80::1%eth0]:80", "[fe80::1%eth1]:80"],
    ["unix:/run/x", "unix:/run/X"],
    ["unix:@x", "unix:x"],
    ["unix:80", "80"],
  ])("%p and %p are not", (a, b) => {
    expect(sameAddress(parseAddress(a, "listen"), parseAddress(b, "listen"))).toBeFalse();
  });

  test("an address is the same as itself, and the order does not matter", () => {
    fc.assert(
      fc.property(addresses(), addresses(), (a, b) => {
        expect(sameAddress(a, a)).toBeTrue();
        expect(sameAddress(a, b)).toBe(sameAddress(b, a));
      }),
    );
  });
});

describe("covers", () => {
  test.each([
    ["127.0.0.1:80", "127.0.0.1:80"],
    ["0.0.0.0:80", "127.0.0.1:80"],
    ["0.0.0.0:80", "127.9.9.9:80"],
    ["0.0.0.0:80", "localhost:80"],
    ["0.0.0.0:80", "0.0.0.0:80"],
    ["0.0.0.0:80", "[::ffff:127.0.0.1]:80"],
    ["[::]:80", "[::1]:80"],
    ["[::]:80", "127.0.0.1:80"],
    ["[0::0]:80", "0.0.0.0:80"],
    ["localhost:80", "127.0.0.1:80"],
    ["LOCALHOST:80", "[::1]:80"],
    ["127.0.0.1:80", "LocalHost:80"],
    ["127.0.0.1:80", "0.0.0.0:80"],
    ["[::1]:80", "[::]:80"],
    ["localhost:80", "0.0.0.0:80"],
    ["10.0.0.1:80", "10.0.0.1:80"],
    ["unix:/run/x", "unix:/run/x"],
  ])("a listener on %p gets what connects to %p", (listen, target) => {
    expect(covers(parseAddress(listen, "listen"), parseAddress(target, "target"))).toBeTrue();
  });

  test.each([
    ["127.0.0.1:80", "127.0.0.1:81"],
    ["127.0.0.1:80", "127.0.0.2:80"],
    ["127.0.0.2:80", "0.0.0.0:80"],
    ["127.0.0.1:80", "[::]:80"],
    ["127.0.0.1:80", "[::1]:80"],
    ["0.0.0.0:80", "[::1]:80"],
    ["0.0.0.0:80", "[::]:80"],
    ["0.0.0.0:80", "10.0.0.1:80"],
    ["10.0.0.1:80", "0.0.0.0:80"],
    ["0.0.0.0:80", "127.example.com:80"],
    ["127.0.0.1:80", "example.com:80"],
    ["127.0.0.1:80", "unix:80"],
    ["unix:/run/x", "unix:/run/X"],
  ])("a listener on %p does not get what connects to %p", (listen, target) => {
    expect(covers(parseAddress(listen, "listen"), parseAddress(target, "target"))).toBeFalse();
  });

  test("every address covers itself, except that port 0 covers nothing", () => {
    fc.assert(
      fc.property(addresses(), (address) => {
        expect(covers(address, address)).toBeTrue();
        if (address.kind === "tcp") expect(covers({ ...address, port: 0 }, { ...address, port: 0 })).toBeFalse();
      }),
    );
  });
});

describe("isIPv4 and isIPv6", () => {
  test("know every address", () => {
    fc.assert(fc.property(fc.ipV4(), (host) => expect(isIPv4(host)).toBeTrue()));
    fc.assert(fc.property(fc.ipV6(), (host) => expect(isIPv6(host)).toBeTrue()));
  });

  test.each([
    "",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "::1.2.3",
    "1.2.3.4::",
    "::1%",
    "::1%a b",
    "::1%\u001b[2J",
    "::1%a%b",
    "12345::",
    "::g",
    "::0:",
    ":0::",
    "1:2:3:4::5:6:7:8",
  ])("%p is no IPv6 address", (host) => {
    expect(isIPv6(host)).toBeFalse();
  });

  test("know every spelling of an address as the same", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const [first = "", ...others] = spellings(groups);
        for (const other of others) {
          expect(isIPv6(other)).toBeTrue();
          expect(sameAddress(tcp(first, 80), tcp(other, 80))).toBeTrue();
        }
      }),
    );
  });
});

/** The address in full, in long groups, with an IPv4 tail, and with each run of zeros left out. */
function spellings(groups: number[]): string[] {
  const hex = groups.map((group) => group.toString(16));
  const [high = 0, low = 0] = groups.slice(6);
  const tail = [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const short = hex.flatMap((_, from) => {
    const zeros = groups.slice(from).findIndex((group) => group !== 0);
    const to = zeros < 0 ? 8 : from + zeros;
    return to === from ? [] : [`${hex.slice(0, from).join(":")}::${hex.slice(to).join(":")}`];
  });
  return [
    hex.join(":"),
    hex.map((group) => group.padStart(4, "0").toUpperCase()).join(":"),
    `${hex.slice(0, 6).join(":")}:${tail}`,
    ...short,
  ];
}

function tcp(host: string, port: number): Address {
  return { kind: "tcp", host, port };
}

function uses(): fc.Arbitrary<AddressUse> {
  return fc.constantFrom("listen", "target");
}

/** Addresses that can be listened on as well as connected to. */
function addresses(): fc.Arbitrary<Address> {
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.domain(),
    fc.constantFrom("localhost", "0.0.0.0", "::", "::1", "unix"),
  );
  const path = fc.string({ minLength: 1, maxLength: 30 }).filter((text) => text !== "@" && !/\/$|\0/.test(text));
  return fc.oneof(
    fc.tuple(host, fc.integer({ min: 1, max: 65535 })).map(([name, port]) => tcp(name, port)),
    path.map((name): Address => ({ kind: "unix", path: name })),
  );
}
