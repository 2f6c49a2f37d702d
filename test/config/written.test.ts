/** Whatever a parser reads fits what JSON Schema says of how its text is written. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRate } from "../../src/admit/rate.ts";
import { parsePlainTarget } from "../../src/config/config.ts";
import { parseMilliseconds } from "../../src/config/fault-values.ts";
import {
  parseDuration,
  parseDurationOrOff,
  parsePeriod,
  parseSize,
  parseSizeOrOff,
  parseWorkers,
} from "../../src/config/units.ts";
import * as w from "../../src/config/written.ts";
import { parseRoute } from "../../src/datagram/bridge/route-address.ts";
import { parseByteRate } from "../../src/filter/limit.ts";
import { parseHex } from "../../src/filter/pattern.ts";
import { parseAddress, parseEndpoint, parseIp, parseListen } from "../../src/net/address.ts";
import { parseCidr } from "../../src/net/cidr.ts";
import { parseObserverAddress } from "../../src/observe/observer-address.ts";

const ADDRESSES = [
  ...[
    "tcp://",
    "TCP://",
    "tls://",
    "Udp://",
    "dns://",
    "dns+srv://",
    "DNS+SRV://",
    "listen://",
    "unix:",
    "file:",
    "FILE:",
  ],
  ...[
    "fd:",
    "-",
    "@",
    "@x",
    ":",
    "0",
    "80",
    "8080",
    "65535",
    "127.0.0.1",
    "10.0.0.5@",
    "232.1.2.3",
    "[::1]",
    "[fe80::1%eth0]",
  ],
  ...[
    "::1",
    "::ffff:1.2.3.4",
    "fd00::",
    "%eth0",
    "%*",
    "localhost",
    "a_b.c-d.",
    "_pg._tcp.db.internal",
    "/run/x y",
    "./x",
  ],
  ...["/8", "/128", "é", "{session}", " "],
];
const AMOUNTS = [
  ...[
    "0",
    "00",
    "1",
    "10",
    "1.5",
    "0.5",
    "256",
    "4096",
    ".",
    "-",
    "ms",
    "s",
    "m",
    "h",
    "d",
    "S",
    "B",
    "KB",
    "MB",
    "GB",
  ],
  ...["KiB", "MiB", "GiB", "kb", "/s", "/m", "/h", "off", "auto", " ", "0d", "0A", "ff"],
];

test.each<[string, w.Json, (text: string) => unknown, readonly string[]]>([
  ["an address to listen on", w.ADDRESS_TEXT, (text) => parseAddress(text, "listen"), ADDRESSES],
  ["an address to connect", w.ADDRESS_TEXT, (text) => parseAddress(text, "target"), ADDRESSES],
  ["where a proxy listens", w.PROXY_ADDRESS, parseListen, ADDRESSES],
  ["a target", w.TARGET, parsePlainTarget, ADDRESSES],
  ["an observer", w.OBSERVER, parseObserverAddress, ADDRESSES],
  ["a source of datagrams", w.ROUTE, (text) => parseRoute(text, "from"), ADDRESSES],
  ["a destination of datagrams", w.ROUTE, (text) => parseRoute(text, "to"), ADDRESSES],
  ["an IP address and a port", w.ENDPOINT, parseEndpoint, ADDRESSES],
  ["an IP address", w.IP, parseIp, ADDRESSES],
  ["a range", w.CIDR, parseCidr, ADDRESSES],
  ["a rate", w.RATE, parseRate, AMOUNTS],
  ["a duration", w.DURATION_TEXT, parseDuration, AMOUNTS],
  ["a period", w.PERIOD, parsePeriod, AMOUNTS],
  ["a duration or off", w.DURATION_OR_OFF, parseDurationOrOff, AMOUNTS],
  ["milliseconds", w.MILLISECONDS, parseMilliseconds, AMOUNTS],
  ["a size", w.SIZE_TEXT, parseSize, AMOUNTS],
  ["a size or off", w.SIZE_OR_OFF, (text) => parseSizeOrOff(text), AMOUNTS],
  ["bytes in a second", w.BYTE_RATE, parseByteRate, AMOUNTS],
  ["a number of workers", w.WORKERS, parseWorkers, AMOUNTS],
  ["bytes", w.HEX, parseHex, AMOUNTS],
])("%s", (_, { pattern }, parse, pieces) => {
  // As validators have it.
  const form = new RegExp(String(pattern), "u");
  let taken = 0;
  const text = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (written) => {
      if (!takes(parse, written)) return;
      taken++;
      expect(written).toMatch(form);
    }),
    { numRuns: 10_000 },
  );
  expect(taken).toBeGreaterThan(10);
  expect("neither this nor that").not.toMatch(form);
});

function takes(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
