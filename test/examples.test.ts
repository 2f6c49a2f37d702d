/** The examples run, under every runtime that runs TypeScript, and print what the README shows. */
import { expect, test } from "bun:test";
import { command } from "./contract/runtimes.ts";
import { run } from "./e2e/weir.ts";

test.each(["bun", "deno", "node"] as const)("examples/library.ts under %s", async (runtime) => {
  const { code, out, err } = await run(await command(runtime, "examples/library.ts"));
  expect(err).toBe("");
  expect(out.trim().split("\n").sort()).toEqual([
    "answer: hello",
    "closed: target_closed",
    "connections so far: 1",
    "failed: connect_refused",
    "the client was reset",
  ]);
  expect(code).toBe(0);
});
