/** Every adapter, in its own runtime, against the whole suite: one test per case and runtime. */
import { afterAll, describe, expect, test } from "bun:test";
import type { Outcome } from "./run.ts";
import { command, RUNTIMES, type RuntimeName } from "./runtimes.ts";

const outcomes = new Map<RuntimeName, Outcome[]>();
const names = await listCases();

for (const runtime of RUNTIMES) {
  describe(runtime, () => {
    test("runs the whole suite", async () => expect((await suite(runtime)).length).toBe(names.length), 300_000);
    for (const name of names) {
      test(name, async () => {
        const outcome = (await suite(runtime)).find((each) => each.name === name);
        if (outcome?.result === "skipped") console.log(`${runtime} skips "${name}": ${outcome.why}`);
        else expect(outcome?.why ?? outcome?.result).toBe("passed");
      });
    }
  });
}

afterAll(async () => {
  const { WEIR_CONTRACT_JSON: path } = process.env;
  if (path) await Bun.write(path, JSON.stringify(Object.fromEntries(outcomes), null, 1));
});

async function suite(runtime: RuntimeName): Promise<Outcome[]> {
  const known = outcomes.get(runtime);
  if (known) return known;
  const results = (await lines([...(await command(runtime, "test/contract/run.ts"))])).map((line) => JSON.parse(line));
  outcomes.set(runtime, results);
  return results;
}

async function listCases(): Promise<string[]> {
  return await lines([...(await command("bun", "test/contract/run.ts")), "--list"]);
}

async function lines(argv: string[]): Promise<string[]> {
  const child = Bun.spawn(argv, { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  await child.exited;
  return text.trim().split("\n");
}
