/** Dropping: what is found, or everything. */
import { expect, test } from "bun:test";
import { createDrop } from "../../src/filter/drop.ts";
import type { Pattern } from "../../src/filter/pattern.ts";
import { latin1Bytes } from "../../src/net/latin1.ts";
import { Rig } from "./rig.ts";

function dropping(pattern: Pattern | null): Rig {
  return new Rig((context) => [createDrop({ type: "drop", direction: "both", pattern }, context)]);
}

test("every occurrence goes, across the borders of chunks as well", () => {
  const rig = dropping({ kind: "literal", bytes: latin1Bytes("\r\n") });
  rig.send("a\r", "\nb\r\n", "\r", "c");
  rig.finish();
  expect([rig.text, rig.fins]).toEqual(["ab\rc", 1]);
});

test("so does what a regular expression finds in a line", () => {
  const [delimiter, flags] = [latin1Bytes("\n"), ""];
  const rig = dropping({ kind: "regex", source: "\\d", flags, delimiter, window: 1_024, wait: 0 });
  rig.send("a1b", "22c\n3");
  rig.finish();
  expect([rig.text, rig.fins]).toEqual(["abc\n", 1]);
});

test("without a pattern nothing passes but the FIN, and the source is never held back", () => {
  const rig = dropping(null);
  rig.stall(true);
  rig.send("a".repeat(1_000_000), "b");
  rig.finish();
  expect([rig.text, rig.fins, rig.path.held, rig.waiting]).toEqual(["", 1, 0, 0]);
});
