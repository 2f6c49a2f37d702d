/** `[[mux]]` in files: what it becomes, and what is said about mistakes. */
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { MUX, PROTOCOL_NAMES } from "../../src/mux/mux-config.ts";
import { problems } from "./problems.ts";

/** Lines 1 to 3 of each file. */
const TABLE = '[[mux]]\nlisten = 8080\ntarget = "10.0.0.1:80"\n';

function load(text: string) {
  return loadConfig(text, "weir.toml").proxies;
}

describe("[[mux]]", () => {
  test("alone is a proxy with the defaults of both", () => {
    const [proxy] = load(TABLE.replace("[[mux]]", "[[proxy]]"));
    expect(load(TABLE)).toEqual([{ ...proxy, name: "mux-1", mux: { ...MUX, protocol: "echo" } } as never]);
    expect(proxy?.mux).toBeNull();
  });

  test("has every key of its own", () => {
    const text = `${TABLE}
      protocol = "length"
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
      idle = "10m"
      close_with_last_client = true
      `;
    expect(load(text)[0]?.mux).toEqual({
      ...MUX,
      protocol: "length",
      length: { offset: 4, width: 3, byteOrder: "little", adjust: -4, includes: "all" },
      maxMessage: 4_194_304,
      connections: 5,
      warm: 2,
      inFlight: 16,
      inFlightPerClient: 4,
      queuePerClient: 10,
      timeout: 5_000,
      messageTimeout: 0,
      requestRetries: 3,
      maxAge: 3_600_000,
      idle: 600_000,
      closeWithLast: true,
    });
    expect(load(`${TABLE}delimiter = "\\u0003\\u00ff"`)[0]?.mux?.delimiter).toBe("\x03\xff");
    expect(load(`${TABLE}protocol = "iso8583"\nmatch = "stan"`)[0]?.mux?.match).toBe("stan");
  });

  test("has every key of a proxy, tables in it included", () => {
    const keys = `name = "plc"
      balance = "first"
      allow = ["10.0.0.0/8"]
      timeouts.connect = "1s"
      max_connections = 7`;
    const tables = (list: string) => `
      [[${list}.observer]]
      address = "127.0.0.1:6000"
      [[${list}.inspect]]
      path = "x"
      [[${list}.filter]]
      type = "drop"
      find = "x"
      [[${list}.fault]]
      type = "down"`;
    const [mux] = load(`${TABLE}${keys}${tables("mux")}`);
    const [proxy] = load(`${TABLE.replace("mux", "proxy")}${keys}${tables("proxy")}`);
    expect(mux).toEqual({ ...proxy, mux: { ...MUX, protocol: "echo" } } as never);
  });

  test.each([...PROTOCOL_NAMES])("speaks %s", (protocol) => {
    expect(load(`${TABLE}protocol = "${protocol}"`)[0]?.mux?.protocol).toBe(protocol);
  });

  test("comes behind the proxies, and is named by its place among its like", () => {
    const text = ["[[mux]]", "[[proxy]]", "[[mux]]\nname = 'b'", "[[mux]]"].map((head, index) => {
      return `${head}\nlisten = ${index + 1}\ntarget = 9\n`;
    });
    expect(load(text.join("")).map(({ name }) => name)).toEqual(["proxy-1", "mux-1", "b", "mux-3"]);
  });

  test("shares what DNS is asked with the proxies", () => {
    expect(load(`dns.servers = ["10.0.0.53:53"]\n${TABLE}`)[0]?.dns.servers).toEqual(["10.0.0.53:53"]);
  });
});

describe("a bad [[mux]] is explained:", () => {
  const names = '"echo", "http", "iso8583", "mpu", "modbus", "redis" or "length"';
  const byte = "each character stands for one byte, \\u0000 to \\u00ff";
  const many = "expected a whole number from 1 to 10000";
  const some = "expected a whole number from 0 to 10000";
  const shared = "clients share connections to the target; limit these with connections, and leave max_connections out";

  test.each<[string, string]>([
    ['protocol = "htpp"', `4:12: mux[0].protocol: expected ${names}, found "htpp"; did you mean "http"?`],
    ["protocol = 1", `4:12: mux[0].protocol: expected ${names}, found 1`],
    ["delimiter = 10", "4:13: mux[0].delimiter: expected a string, found 10"],
    ['delimiter = ""', "4:13: mux[0].delimiter: it has 0 bytes; write 1 to 64"],
    [`delimiter = "${"x".repeat(65)}"`, "4:13: mux[0].delimiter: it has 65 bytes; write 1 to 64"],
    ['delimiter = "€"', `4:13: mux[0].delimiter: ${byte}, and "€" is none`],
    ['delimiter = "🙂"', `4:13: mux[0].delimiter: ${byte}, and "🙂" is none`],
    ["length = 2", "4:10: mux[0].length: expected a table, found 2"],
    ["length.width = 5", "4:16: mux[0].length.width: expected 1, 2, 3, 4 or 8 bytes, found 5"],
    ["length.offset = -1", "4:17: mux[0].length.offset: expected a whole number from 0 to 65535, found -1"],
    [
      "length.adjust = 1e9",
      "4:17: mux[0].length.adjust: expected a whole number from -1000000 to 1000000, found 1000000000",
    ],
    ['length.byte_order = "network"', '4:21: mux[0].length.byte_order: expected "big" or "little", found "network"'],
    ['length.includes = "header"', '4:19: mux[0].length.includes: expected "all" or "rest", found "header"'],
    ["length.witdh = 4", '4:8: mux[0].length.witdh: unknown key "witdh"; did you mean "width"?'],
    ['match = "key"', '4:9: mux[0].match: expected "order" or "stan", found "key"'],
    [
      'max_message = "63B"',
      '4:15: mux[0].max_message: Cannot parse size "63B": it is too small for a message; use 64B to 256MiB',
    ],
    [
      'max_message = "257MiB"',
      '4:15: mux[0].max_message: Cannot parse size "257MiB": it is too large for a message; use 64B to 256MiB',
    ],
    ["connections = 0", `4:15: mux[0].connections: ${many}, found 0`],
    ["warm = -1", `4:8: mux[0].warm: ${some}, found -1`],
    ["in_flight = 10001", `4:13: mux[0].in_flight: ${many}, found 10001`],
    ["max_in_flight_per_client = 1.5", `4:28: mux[0].max_in_flight_per_client: ${some}, found 1.5`],
    ["queue_per_client = 0", `4:20: mux[0].queue_per_client: ${many}, found 0`],
    ["timeout = 5", '4:11: mux[0].timeout: Cannot parse duration "5": the unit is missing; write "5s" or "5ms"'],
    ["message_timeout = true", '4:19: mux[0].message_timeout: expected a duration such as "5s", or "off", found true'],
    ["request_retries = 11", "4:19: mux[0].request_retries: expected a whole number from 0 to 10, found 11"],
    ["max_age = []", '4:11: mux[0].max_age: expected a duration such as "5s", or "off", found an array'],
    ['idle = "-1s"', '4:8: mux[0].idle: Cannot parse duration "-1s": it is negative'],
    ["close_with_last_client = 1", "4:26: mux[0].close_with_last_client: expected true or false, found 1"],
    ["in_fligth = 2", '4:1: mux[0].in_fligth: unknown key "in_fligth"; did you mean "in_flight"?'],
    ["[mux.observer]", "4:1: mux[0].observer: expected tables written [[mux.observer]], found a table"],
    // what cannot be together
    [
      'protocol = "http"\ndelimiter = ";"',
      "5:13: mux[0].delimiter: delimiter is for the protocol echo alone, and this is http; leave it out",
    ],
    ["length.width = 4", "4:1: mux[0].length: length is for the protocol length alone, and this is echo; leave it out"],
    [
      'protocol = "modbus"\nmatch = "stan"',
      '5:9: mux[0].match: match "stan" is for the protocol iso8583 alone, and this is modbus; leave it out',
    ],
    [
      'protocol = "length"\nlength.offset = 63\nmax_message = "64B"',
      "5:1: mux[0].length: the length ends at byte 65, and max_message is 64; raise max_message",
    ],
    ["warm = 2", "4:8: mux[0].warm: warm is 2, more than the 1 of connections; lower it, or raise connections"],
    [
      "in_flight = 3\nmax_in_flight_per_client = 4",
      "5:28: mux[0].max_in_flight_per_client: max_in_flight_per_client is 4, more than the 3 of in_flight; lower it, or raise in_flight",
    ],
    [
      'proxy_protocol.send = "v2"',
      "4:23: mux[0].proxy_protocol.send: clients share connections to the targets, and a PROXY header speaks for one of them alone; leave send out, or use a proxy instead",
    ],
  ])("%s", (lines, message) => {
    expect(problems(`${TABLE}${lines}`)).toEqual([message]);
  });

  test.each<[string, string, string]>([
    ["no target", "[[mux]]\nlisten = 8080\n", '1:1: mux[0].target: the key "target" is missing'],
    ["both", `${TABLE}targets = ["a:1"]`, '4:11: mux[0].targets: write either "target" or "targets", not both'],
    ["no table", "mux = 1", "1:7: mux: expected tables written [[mux]], found 1"],
    [
      "a name that a target is for",
      '[[mux]]\nlisten = 8080\ntargets = ["a:1", { address = "b:1", sni = ["c.d"] }]',
      "3:44: mux[0].targets[1].sni: clients share connections to the target, and a TLS connection is one client's alone; leave sni out, or use a proxy instead",
    ],
    [
      "a limit of a target",
      '[[mux]]\nlisten = 8080\ntargets = ["a:1", { address = "b:1", max_connections = 2 }]',
      `3:56: mux[0].targets[1].max_connections: ${shared}`,
    ],
    [
      "a name that a proxy has",
      `[[proxy]]\nname = "x"\nlisten = 1\ntarget = 2\n${TABLE}name = "x"`,
      '8:8: mux[0].name: the name "x" is already that of proxy[0]; choose another',
    ],
    [
      "an address that a proxy has",
      `[[proxy]]\nlisten = ":8080"\ntarget = 2\n${TABLE}`,
      '5:10: mux[0].listen: 127.0.0.1:8080 is taken: proxy "proxy-1" already listens on [::]:8080; use another address or port 0',
    ],
    [
      "itself for a target",
      TABLE.replace("10.0.0.1:80", "localhost:8080"),
      "3:10: mux[0].target: the target localhost:8080 leads back to the proxy itself, which listens on 127.0.0.1:8080; change one of them",
    ],
    [
      "one target twice",
      '[[proxy]]\nlisten = 1\ntarget = 2\n[[mux]]\nlisten = 3\ntargets = [4, "127.0.0.1:4"]',
      "6:15: mux[0].targets[1]: the target 127.0.0.1:4 is there twice; give it a weight instead",
    ],
    [
      "a fault twice",
      `${TABLE}[[mux.fault]]\ntype = "down"\n[[mux.fault]]\ntype = "down"`,
      '6:1: mux[0].fault[1].name: there is another fault "down_downstream"; give one of them another name',
    ],
  ])("%s", (_, text, message) => {
    expect(problems(text)).toEqual([message]);
  });
});
