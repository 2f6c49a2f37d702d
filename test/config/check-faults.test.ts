/** What is said about faults that do not go with their proxy, or with each other. */
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { problems } from "./problems.ts";

/** Lines 1 to 3 of each file. */
const PROXY = '[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:80"\n';
const MUX = PROXY.replace("proxy", "mux");

const fault = (list: "proxy" | "mux", ...lines: readonly string[]) => `[[${list}.fault]]\n${lines.join("\n")}\n`;

test.each([
  ["a mux, whose protocol it takes", `${MUX}protocol = "length"\n${fault("mux", 'type = "drop_message"')}`],
  ["a protocol of its own", PROXY + fault("proxy", 'type = "drop_message"', 'protocol = "redis"')],
  [
    "another protocol than the mux",
    `${MUX}protocol = "redis"\n${fault("mux", 'type = "drop_message"', 'protocol = "echo"')}`,
  ],
  ["requests of HTTP", PROXY + fault("proxy", 'type = "drop_message"', 'protocol = "http"', 'stream = "upstream"')],
  ["another delimiter", MUX + fault("mux", 'type = "drop_message"', 'delimiter = ";"')],
  [
    "the same in both directions",
    PROXY + fault("proxy", 'type = "down"') + fault("proxy", 'type = "down"', 'stream = "upstream"'),
  ],
])("a fault may have %s", (_, text) => {
  const config = loadConfig(text, "weir.toml");
  expect(config.proxies[0]?.faults.length).toBeGreaterThan(0);
});

describe("what is wrong is told with its place", () => {
  const name = 'the fault "drop_message_downstream"';
  const all = "echo, http, iso8583, mpu, modbus or redis";
  test.each<[string, ...string[]]>([
    [
      PROXY + fault("proxy", 'type = "drop_message"', "nth = 3"),
      `4:1: proxy[0].fault[0].protocol: ${name} has no protocol to cut messages by: the proxy is no mux, whose own it would be; use protocol ${all}`,
    ],
    [
      PROXY + fault("proxy", 'type = "drop_message"', 'protocol = "length"'),
      `6:12: proxy[0].fault[0].protocol: ${name} cannot tell where messages of protocol length end: only a mux of it says so; use ${all}`,
    ],
    [
      `${MUX}protocol = "http"\n${fault("mux", 'type = "drop_message"')}`,
      `5:1: mux[0].fault[0].stream: ${name} cannot tell where replies of protocol http end, for which it had to know the requests; use stream upstream`,
    ],
    [
      PROXY + fault("proxy", 'type = "drop_message"', 'protocol = "mpu"', 'delimiter = ";"'),
      `7:13: proxy[0].fault[0].delimiter: ${name} has a delimiter, and messages of protocol mpu do not end in one; leave it out`,
    ],
    [
      PROXY + fault("proxy", 'type = "down"') + fault("proxy", 'type = "down"'),
      '6:1: proxy[0].fault[1].name: there is another fault "down_downstream"; give one of them another name',
    ],
  ])("%j", (text, ...expected) => {
    expect(problems(text)).toEqual(expected);
  });
});
