/** Files of scenarios: those of the old load tester, and what weir adds to them. */
import { describe, expect, test } from "bun:test";
import { scenarioOf } from "../../src/load/scenario.ts";
import { loadScenarios } from "../../src/load/scenario-file.ts";

test("a file of the old load tester is read as it is", () => {
  const file = loadScenarios(
    `target_addr = "127.0.0.1:8080"

[[scenarios]]
name = "baseline"
connections = 10
duration_secs = 5
message_size = 1024

[[scenarios]]
name = "big"
connections = 10
duration_secs = 2.5
message_size = 65536
`,
    "load.toml",
  );
  expect(file.target).toEqual({ kind: "tcp", host: "127.0.0.1", port: 8_080 });
  const whole = file.scenarios.map(({ name, settings }) => scenarioOf(name, { target: file.target }, settings));
  expect(
    whole.map(({ name, duration, messageSize, connections }) => [name, duration, messageSize, connections]),
  ).toEqual([
    ["baseline", 5_000, 1_024, 10],
    ["big", 2_500, 65_536, 10],
  ]);
});

test("what weir adds", () => {
  const { scenarios, assertions } = loadScenarios(
    `assert = ["errors<=0"]
[[scenarios]]
name = "steady"
target = "udp://127.0.0.1:53"
rate = "500/s"
duration = "1m"
warmup = "2s"
ramp = "3s"
message_size = "1KiB"
reconnect = true
verify = false
timeout = "250ms"
assert = ["p99<5ms", "p99.9<20ms"]
`,
    "load.toml",
  );
  const [{ name, settings, assertions: own }] = scenarios as [(typeof scenarios)[number]];
  expect(assertions.map(({ text }) => text)).toEqual(["errors<=0"]);
  expect(own.map(({ text }) => text)).toEqual(["p99<5ms", "p99.9<20ms"]);
  expect(scenarioOf(name, settings)).toEqual({
    name: "steady",
    target: { kind: "udp", host: "127.0.0.1", port: 53 },
    connections: 10,
    duration: 60_000,
    warmup: 2_000,
    ramp: 3_000,
    messageSize: 1_024,
    rate: 500,
    reconnect: true,
    verify: false,
    timeout: 250,
  });
});

describe("what is wrong is said with its place", () => {
  const one = '[[scenarios]]\nname = "a"\n';
  test.each([
    ["", '1:1: scenarios: the key "scenarios" is missing'],
    ["scenarios = []", '1:13: scenarios: there are none; write a table "[[scenarios]]" for each'],
    ["x = ", "not valid TOML"],
    [`${one}connection = 5`, '3:1: scenarios[0].connection: unknown key "connection"; did you mean "connections"?'],
    [`${one}connections = 0`, "3:15: scenarios[0].connections: expected a whole number from 1 to 1000000, found 0"],
    [`${one}duration = "0s"`, '3:12: scenarios[0].duration: Cannot parse duration "0s": it is zero'],
    [`${one}duration_secs = 0`, "3:17: scenarios[0].duration_secs: expected a number of seconds above 0"],
    [
      `${one}duration = "1s"\nduration_secs = 1`,
      '4:1: scenarios[0].duration_secs: "duration" says the same; keep one of them',
    ],
    [
      `${one}target = "1"\ntarget_addr = "1"`,
      '4:1: scenarios[0].target_addr: "target" says the same; keep one of them',
    ],
    [`${one}message_size = 0`, "3:16: scenarios[0].message_size: expected a whole number from 1 to 67108864"],
    [`${one}rate = 5`, '3:8: scenarios[0].rate: Cannot parse rate "5": the unit is missing'],
    [`${one}assert = ["p99"]`, '3:11: scenarios[0].assert[0]: Cannot parse the condition "p99"'],
    [`${one}target = "http://x"`, '3:10: scenarios[0].target: Cannot parse address "http://x"'],
  ])("%p", (text, message) => {
    expect(() => loadScenarios(text, "load.toml")).toThrow(message);
  });
});

test.each([
  [{}, 'scenario "x": there is no target; write where to ask, such as 127.0.0.1:8080, or "target" in the file'],
  [
    { target: { kind: "udp", host: "127.0.0.1", port: 9 }, messageSize: 65_508 },
    'scenario "x": a message of 65508 bytes is too big for a datagram; 65507 are the most',
  ],
] as const)("settings that make no load are refused: %p", (settings, message) => {
  expect(() => scenarioOf("x", settings)).toThrow(message);
});
