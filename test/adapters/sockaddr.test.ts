import { expect, test } from "bun:test";
import fc from "fast-check";
import { ffi } from "#ffi";
import { decodeEndpoint, encodeEndpoint, encodePath } from "../../adapters/linux/sockaddr.ts";
import { System } from "../../adapters/linux/system.ts";

const system = new System(ffi, true);
const bytes = new Uint8Array(128);

test("an endpoint comes back as it went in, in its canonical form (RFC 5952)", () => {
  // Bun's URL does not read "::0:0:0:0:0.0.0.0".
  const ipV6 = fc.ipV6().filter((host) => !host.includes("."));
  const port = fc.integer({ min: 0, max: 65_535 });
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), ipV6), port, (host, number) => {
      const length = encodeEndpoint(bytes, { host, port: number }, system);
      expect(length).toBe(host.includes(":") ? 28 : 16);
      const back = decodeEndpoint(bytes);
      expect(back.port).toBe(number);
      // The URL parser knows the canonical form as well, but for IPv4 in IPv6.
      const canonical = host.includes(":") ? new URL(`http://[${host}]/`).hostname.slice(1, -1) : host;
      if (canonical.startsWith("::ffff:")) expect(back.host).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      else expect(back.host).toBe(canonical);
    }),
  );
});

test("the last 32 bits may be written as IPv4", () => {
  encodeEndpoint(bytes, { host: "::1:2:10.1.2.3", port: 1 }, system);
  expect(decodeEndpoint(bytes).host).toBe("::1:2:a01:203");
  encodeEndpoint(bytes, { host: "::ffff:10.1.2.3", port: 1 }, system);
  expect(decodeEndpoint(bytes).host).toBe("10.1.2.3");
});

test("paths and abstract names have the length that the kernel wants", () => {
  expect(encodePath(bytes, { kind: "unix", path: "/run/x" })).toBe(2 + 6 + 1);
  expect(bytes[8]).toBe(0);
  expect(encodePath(bytes, { kind: "unix", path: "@name" })).toBe(2 + 5);
  expect(bytes[2]).toBe(0);
});

test("a zone is an interface, by number or by name; one that is not there is an error", () => {
  encodeEndpoint(bytes, { host: "fe80::1%1", port: 1 }, system);
  expect(decodeEndpoint(bytes).host).toBe("fe80::1%1");
  encodeEndpoint(bytes, { host: "fe80::1%lo", port: 1 }, system);
  expect(decodeEndpoint(bytes).host).toBe("fe80::1%1");
  const missing = () => encodeEndpoint(bytes, { host: "fe80::1%nowhere0", port: 1 }, system);
  expect(missing).toThrow('no network interface "nowhere0"');
});
