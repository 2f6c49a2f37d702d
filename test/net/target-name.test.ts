/** Targets: addresses and names of DNS, how they are read, written, compared and refused. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { UsageError } from "../../src/net/errors.ts";
import { type DnsName, formatTarget, isAddress, parseTarget, sameTarget } from "../../src/net/target-name.ts";

describe("parseTarget", () => {
  test.each<[string, DnsName]>([
    ["dns://db.internal:5432", { kind: "dns", host: "db.internal", port: 5432 }],
    ["DNS://db:1", { kind: "dns", host: "db", port: 1 }],
    ["dns://_db.internal.:65535", { kind: "dns", host: "_db.internal.", port: 65_535 }],
    ["dns+srv://_pg._tcp.db.internal", { kind: "dns+srv", name: "_pg._tcp.db.internal" }],
    ["Dns+Srv://_pg._tcp.db.", { kind: "dns+srv", name: "_pg._tcp.db" }],
  ])("reads %p", (text, target) => {
    expect(parseTarget(text)).toEqual(target);
    expect(isAddress(parseTarget(text))).toBeFalse();
  });

  test.each(["8080", ":80", "[::1]:80", "example.com:80", "tcp://10.0.0.1:80", "unix:/run/x", "dns:53"])(
    "reads %p as parseAddress does",
    (text) => {
      expect(parseTarget(text)).toEqual(parseAddress(text, "target"));
      expect(isAddress(parseTarget(text))).toBeTrue();
    },
  );

  const dns = "write a name and a port, such as dns://db.internal:5432";
  const srv = "write a service, a protocol and a domain, without a port, such as dns+srv://_pg._tcp.db.internal";
  const long = "a".repeat(63);
  test.each([
    ["dns://", dns],
    ["dns://db.internal", dns],
    ["dns://8080", dns],
    ["dns://:80", dns],
    ["dns://unix:/run/x", dns],
    ["dns://db:", "the port is missing after the colon"],
    ["dns://db:0", "port 0 cannot be connected to; use 1 to 65535"],
    ["dns://db:65536", "the port 65536 is out of range; use 1 to 65535"],
    ["dns://d b:1", '"d b" is not a host name'],
    ["dns://db/x:1", '"db/x" is not a host name'],
    ["dns://1.2.3:1", '"1.2.3" is not an IPv4 address'],
    ["dns://10.0.0.1:80", '"10.0.0.1" is an address already; leave "dns://" out'],
    ["dns://[::1]:80", '"::1" is an address already; leave "dns://" out'],
    ["dns+srv://", srv],
    ["dns+srv://db.internal", srv],
    ["dns+srv://_pg._tcp", srv],
    ["dns+srv://_pg._tcp.", srv],
    ["dns+srv://_pg.tcp.db", srv],
    ["dns+srv://_pg._tcp.db:5432", srv],
    ["dns+srv://_pg._tcp.db..internal", srv],
    [`dns+srv://_pg._tcp.a${long}`, srv],
    [`dns+srv://_pg._tcp.${Array(4).fill(long).join(".")}`, srv],
    ["srv://a:1", 'unknown scheme "srv://"; use tcp:// or unix:'],
  ])("refuses %p and says why", (text, why) => {
    const message = `Cannot parse address "${text}": ${why}`;
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ name: "UsageError", code: "EADDRESS", message }));
  });

  test("throws nothing but UsageError, whatever the text", () => {
    const piece = fc.constantFrom("dns://", "dns+srv://", "_", ".", ":", "a", "1", "[", "]", "::", "/", "\n", "é");
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: piece })), (text) => {
        try {
          const target = parseTarget(text);
          expect(parseTarget(formatTarget(target))).toEqual(target);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("reads back what formatTarget writes", () => {
    fc.assert(fc.property(targets(), (target) => expect(parseTarget(formatTarget(target))).toEqual(target)));
  });
});

describe("sameTarget", () => {
  test.each([
    ["dns://Db:1", "dns://dB:1"],
    ["dns+srv://_A._tcp.b", "dns+srv://_a._tcp.B."],
    ["[::1]:80", "[0::1]:80"],
    ["unix:/x", "unix:/x"],
  ])("takes %p and %p for one", (a, b) => {
    expect(sameTarget(parseTarget(a), parseTarget(b))).toBeTrue();
  });

  test.each([
    ["dns://a:1", "a:1"],
    ["dns://a:1", "dns://a:2"],
    ["dns://a:1", "dns://b:1"],
    ["dns+srv://_a._tcp.b", "dns+srv://_a._udp.b"],
    ["unix:/x", "unix:/X"],
  ])("tells %p from %p", (a, b) => {
    expect(sameTarget(parseTarget(a), parseTarget(b))).toBeFalse();
    expect(sameTarget(parseTarget(b), parseTarget(a))).toBeFalse();
  });
});

function targets(): fc.Arbitrary<Address | DnsName> {
  const port = fc.integer({ min: 1, max: 65_535 });
  const name = fc.tuple(fc.domain(), port).map(([host, at]): DnsName => ({ kind: "dns", host, port: at }));
  const service = fc.domain().map((domain): DnsName => ({ kind: "dns+srv", name: `_pg._tcp.${domain}` }));
  const address = fc.tuple(fc.ipV6(), port).map(([host, at]): Address => ({ kind: "tcp", host, port: at }));
  return fc.oneof(
    name,
    // The name has to leave room for the service.
    service.filter((each) => formatTarget(each).length <= 253),
    address,
  );
}
