/**
 * Runs the tests in which chance plays a part (properties, storms) again and again, each time with another seed, until one
 * fails.
 *
 *   bun scripts/fuzz.ts [--rounds N]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { failureReports } from "./failure-reports.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "10" } } });
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(`--rounds ${values.rounds}: write how many, 1 or more`);
  process.exit(2);
}

const files: string[] = [];
for await (const path of new Bun.Glob("test/**/*.test.ts").scan()) {
  if (/from "fast-check"|\/seed\.ts"/.test(await Bun.file(path).text())) files.push(path);
}

for (let round = 1; round <= rounds; round++) {
  const seed = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  const env = { ...process.env, WEIR_TEST_SEED: seed };
  const child = Bun.spawn([process.execPath, "test", "--timeout=120000", ...files], {
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [report] = await Promise.all([new Response(child.stderr).text(), new Response(child.stdout).text()]);
  if ((await child.exited) !== 0) {
    console.log(failureReports(report).join("\n"));
    console.log(`round ${round} failed: WEIR_TEST_SEED=${seed} bun test FILE repeats it`);
    process.exit(1);
  }
  console.log(`round ${round} of ${rounds}, seed ${seed}: ${/^\s*(\d+) pass$/m.exec(report)?.[1]} passed`);
}
