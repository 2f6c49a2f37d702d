/** Reads a file of scenarios. That of the load tester that weir replaces is one, word for word. */
import * as v from "valibot";
import { parseRate } from "../admit/rate.ts";
import { located } from "../config/load.ts";
import { ConfigError, type Problem } from "../config/problem.ts";
import { read } from "../config/read.ts";
import { parseToml } from "../config/toml.ts";
import * as t from "../config/values.ts";
import * as w from "../config/written.ts";
import { type Assertion, parseAssertion } from "./assertion.ts";
import { parseLoadTarget } from "./load-target.ts";
import { CONNECTIONS_MAX, messageSize, type Scenario, type Settings } from "./scenario.ts";

interface FileScenario {
  readonly name: string;
  readonly settings: Settings;
  readonly assertions: readonly Assertion[];
}

/** What a file says; what it does not say is up to the reader. */
export interface ScenarioFile {
  readonly target: Scenario["target"] | undefined;
  readonly assertions: readonly Assertion[];
  readonly scenarios: readonly FileScenario[];
}

const target = t.text(
  "Where to ask.",
  'an address such as "127.0.0.1:8080" or "udp://127.0.0.1:53"',
  parseLoadTarget,
  w.PROXY_ADDRESS,
);
const conditions = t.list(
  'Conditions that have to hold, such as "p99<5ms".',
  "an array of conditions",
  t.text("A condition.", 'a condition such as "p99<5ms"', parseAssertion, w.SOME_TEXT),
);
const secondsMessage = "expected a number of seconds above 0";

const scenario = t.table("A load.", {
  name: t.label("Its name, for the report."),
  target: v.optional(target),
  target_addr: v.optional(target),
  connections: v.optional(t.wholeNumber("Clients at once.", CONNECTIONS_MAX, 1)),
  duration: v.optional(t.period("Time that is measured.")),
  duration_secs: v.optional(
    v.pipe(
      v.number(secondsMessage),
      v.minValue(0.001, secondsMessage),
      v.maxValue(86_400, "a day is the most"),
      v.description("The same in seconds."),
    ),
  ),
  warmup: v.optional(t.duration("Time before that, in which nothing is measured.")),
  ramp: v.optional(t.duration("Time in which the clients begin one after the other.")),
  message_size: v.optional(
    t.text("Bytes of a request, and of its reply.", 'a size such as "1KiB", or bytes', messageSize, w.SIZE_TEXT),
  ),
  rate: v.optional(
    t.text(
      "Requests a second of all clients together, whatever becomes of them.",
      'a rate such as "5000/s"',
      parseRate,
      w.RATE,
    ),
  ),
  reconnect: v.optional(t.flag("A connection for each request.")),
  verify: v.optional(t.flag("Compare every byte that comes back.")),
  timeout: v.optional(t.period("Time for a reply, and for connecting.")),
  assert: v.optional(conditions),
});

export const scenarioSchema = t.table("Loads to make.", {
  target: v.optional(target),
  target_addr: v.optional(target),
  assert: v.optional(conditions),
  scenarios: v.pipe(
    t.list("Loads, one after the other.", "tables written [[scenarios]]", scenario),
    v.minLength(1, 'there are none; write a table "[[scenarios]]" for each'),
  ),
});

type Entry = v.InferOutput<typeof scenario>;

/**
 * `file` is its name, for messages.
 *
 * @throws {ConfigError} `ECONFIG` with all problems, each with its line and column.
 */
export function loadScenarios(text: string, file: string): ScenarioFile {
  const toml = parseToml(text.replace(/^\ufeff/, ""));
  if (!toml.ok) {
    const { line, column, message } = toml;
    throw new ConfigError([{ file, line, column, path: "", message }]);
  }
  const result = read(scenarioSchema, toml.table);
  if (!result.ok) throw located(result.problems, text, file);
  const { value } = result;
  const problems = [...twice(value, [], "target", "target_addr"), ...value.scenarios.flatMap(contradictions)];
  if (problems.length > 0) throw located(problems, text, file);
  return {
    target: value.target ?? value.target_addr,
    assertions: value.assert ?? [],
    scenarios: value.scenarios.map(scenarioOf),
  };
}

function scenarioOf(entry: Entry): FileScenario {
  const { name, target_addr, duration_secs, message_size, rate, assert, ...rest } = entry;
  const seconds = duration_secs === undefined ? undefined : Math.round(duration_secs * 1_000);
  const settings = {
    ...rest,
    target: rest.target ?? target_addr,
    duration: rest.duration ?? seconds,
    messageSize: message_size,
    rate: rate?.perSecond,
  };
  return { name, settings, assertions: assert ?? [] };
}

function contradictions(entry: Entry, index: number): Problem[] {
  const path = ["scenarios", index];
  return [...twice(entry, path, "target", "target_addr"), ...twice(entry, path, "duration", "duration_secs")];
}

function twice(table: object, path: readonly (string | number)[], one: string, other: string): Problem[] {
  if (!(Object.hasOwn(table, one) && Object.hasOwn(table, other))) return [];
  return [{ path: [...path, other], at: "key", message: `"${one}" says the same; keep one of them` }];
}
