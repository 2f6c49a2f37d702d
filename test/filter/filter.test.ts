/** Filters as they come from a configuration. */
import { expect, test } from "bun:test";
import { createFilter, type FilterConfig } from "../../src/filter/filter.ts";
import { DIRECTIONS } from "../../src/filter/step.ts";
import { Rig } from "./rig.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const PLACE = { session: { id: 1, client: "a:1", target: "b:1", proxy: "p" }, scripts: new Map() };

/** What each makes of "hello world" right away. */
const FILTERS: readonly [FilterConfig, string][] = [
  [
    { type: "replace", direction: "both", pattern: { kind: "literal", bytes: utf8("l") }, with: utf8("L") },
    "heLLo worLd",
  ],
  [{ type: "drop", direction: "both", pattern: { kind: "literal", bytes: utf8("o") } }, "hell wrld"],
  [{ type: "drop", direction: "both", pattern: null }, ""],
  [{ type: "limit", direction: "both", rate: 1, burst: 5 }, "hello"],
  [{ type: "reject", direction: "both", pattern: { kind: "literal", bytes: utf8(" ") }, how: "reset" }, "hello"],
];

test.each(FILTERS)("%# works as it is and as a copy that was sent to a thread", (config, expected) => {
  for (const each of [config, structuredClone(config)]) {
    const rig = new Rig((context) => [createFilter(each, PLACE)(context)].filter((step) => step !== undefined));
    rig.send("hello world");
    expect(rig.text).toBe(expected);
  }
});

test("each direction has a step of its own, where the filter is for it", () => {
  for (const direction of [...DIRECTIONS, "both"] as const) {
    const make = createFilter({ type: "drop", direction, pattern: null }, PLACE);
    const steps = DIRECTIONS.map((each) => make(new Rig(() => [], 1, each).context()));
    expect(steps.map((step) => step !== undefined)).toEqual(
      DIRECTIONS.map((each) => direction === "both" || direction === each),
    );
    expect(new Set(steps).size).toBe(2);
  }
});
