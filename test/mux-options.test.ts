/** How clients share connections, as an option of the library: the same as in files, and what is wrong with it. */
import { expect, test } from "bun:test";
import type { ProxyConfig } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import type { MuxOptions } from "../src/index.ts";
import { type ProxyOptions, toProxyConfig } from "../src/options.ts";

/** What a file with this at the end of its only mux becomes. */
function fromFile(text: string) {
  const file = `[[mux]]\nname = "127.0.0.1:8080"\nlisten = 8080\ntarget = "example.com:80"\n${text}`;
  return loadConfig(file, "weir.toml").proxies[0] as ProxyConfig;
}

test.each<[MuxOptions, string]>([
  [{}, ""],
  [
    { protocol: "modbus", connections: 2, inFlight: 16, timeout: "5s" },
    'protocol = "modbus"\nconnections = 2\nin_flight = 16\ntimeout = "5s"',
  ],
  [
    {
      protocol: "length",
      length: { offset: 4, width: 3, byteOrder: "little", adjust: -4, includes: "all" },
      maxMessage: 4_194_304,
      connections: 5,
      warm: 2,
      inFlight: 16,
      maxInFlightPerClient: 4,
      queuePerClient: 10,
      timeout: 5_000,
      messageTimeout: 0,
      requestRetries: 3,
      maxAge: "1h",
      idle: 250,
      closeWithLastClient: true,
    },
    `protocol = "length"
    length = { offset = 4, width = 3, byte_order = "little", adjust = -4, includes = "all" }
    max_message = "4MiB"
    connections = 5
    warm = 2
    in_flight = 16
    max_in_flight_per_client = 4
    queue_per_client = 10
    timeout = "5s"
    message_timeout = "off"
    request_retries = 3
    max_age = "1h"
    idle = "250ms"
    close_with_last_client = true`,
  ],
  [{ protocol: "length", length: { byteOrder: "little" } }, 'protocol = "length"\nlength.byte_order = "little"'],
  [{ delimiter: "\r\n\xff" }, 'delimiter = "\\r\\n\\u00ff"'],
  [{ protocol: "iso8583", match: "stan" }, 'protocol = "iso8583"\nmatch = "stan"'],
])("%j is the same as in a file", (mux, text) => {
  expect(toProxyConfig("8080", "example.com:80", { mux })).toEqual(fromFile(text));
});

const keys =
  "protocol, delimiter, length, match, maxMessage, connections, warm, inFlight, maxInFlightPerClient, queuePerClient, timeout, messageTimeout, requestRetries, maxAge, idle, closeWithLastClient";
test.each<[unknown, string]>([
  [5, "mux: expected an object, found 5"],
  [
    { protocol: "htpp" },
    'mux.protocol: expected "echo", "http", "iso8583", "mpu", "modbus", "redis" or "length", found "htpp"; did you mean "http"?',
  ],
  [{ inflight: 2 }, 'mux.inflight: unknown key "inflight"; did you mean "inFlight"?'],
  [{ colour: 2 }, `mux.colour: unknown key "colour"; the keys here are ${keys}`],
  [{ inFlight: 0 }, "mux.inFlight: expected a whole number from 1 to 10000, found 0"],
  [{ maxMessage: 1 }, 'mux.maxMessage: Cannot parse size "1": it is too small for a message; use 64B to 256MiB'],
  [{ delimiter: "" }, "mux.delimiter: it has 0 bytes; write 1 to 64"],
  [{ length: 5 }, "mux.length: expected an object, found 5"],
  [{ length: { byteOrder: "x" } }, 'mux.length.byteOrder: expected "big" or "little", found "x"'],
  [{ timeout: -1 }, 'mux.timeout: Cannot parse duration "-1ms": it is negative'],
  [{ maxAge: 1.5 }, 'mux.maxAge: Cannot parse duration "1.5ms": it is not a whole number of milliseconds'],
  [{ length: { width: 4 } }, "mux.length: length is for the protocol length alone, and this is echo; leave it out"],
  [
    { inFlight: 2, maxInFlightPerClient: 3 },
    "mux.maxInFlightPerClient: maxInFlightPerClient is 3, more than the 2 of inFlight; lower it, or raise inFlight",
  ],
])("%j is refused", (mux, message) => {
  refuses({ mux: mux as MuxOptions }, message);
});

test("what stands for one client alone is refused", () => {
  const shared = "clients share connections to the target";
  refuses(
    { mux: {}, proxyProtocol: { send: "v1" } },
    `proxyProtocol.send: ${shared}s, and a PROXY header speaks for one of them alone; leave send out, or use a proxy instead`,
  );
  refuses(
    { mux: {} },
    `targets[0].max_connections: ${shared}; limit these with connections, and leave max_connections out`,
    "example.com:80,max_connections=5",
  );
  refuses(
    { mux: {} },
    `targets[0].alpn: ${shared}, and a TLS connection is one client's alone; leave alpn out, or use a proxy instead`,
    "example.com:80,alpn=h2",
  );
});

function refuses(options: ProxyOptions, message: string, target = "example.com:80"): void {
  expect(() => toProxyConfig("8080", target, options)).toThrow(
    expect.objectContaining({
      name: "UsageError",
      code: "EOPTION",
      message: `Cannot use the option ${message}`,
    }),
  );
}
