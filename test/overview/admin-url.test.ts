/** Where people say that a weir is. */
import { expect, test } from "bun:test";
import { formatAddress } from "../../src/net/address.ts";
import { parseAdminUrl } from "../../src/overview/admin-url.ts";

test.each([
  ["8998", "127.0.0.1:8998"],
  ["127.0.0.1:8998", "127.0.0.1:8998"],
  ["http://127.0.0.1:8998", "127.0.0.1:8998"],
  ["HTTP://localhost:9000/", "localhost:9000"],
  ["http://weir.internal", "weir.internal:80"],
  ["http://[::1]", "[::1]:80"],
  ["http://[::1]:8998/", "[::1]:8998"],
  ["unix:/run/weir.sock", "unix:/run/weir.sock"],
  ["unix:@weir", "unix:@weir"],
])("%s is %s", (text, address) => {
  expect(formatAddress(parseAdminUrl(text))).toBe(address);
});

test.each([
  ["https://127.0.0.1:8998", "the admin API speaks no TLS"],
  ["http://127.0.0.1:8998/metrics", "Cannot parse address"],
  ["http://:x", 'the port "x" is not a number'],
  ["localhost", "the port is missing"],
])("%s is refused", (text, why) => {
  expect(() => parseAdminUrl(text)).toThrow(why);
});
