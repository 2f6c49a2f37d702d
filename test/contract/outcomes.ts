/** Runs the contract suite in a runtime of its own and reads what it says. */
import type { Outcome } from "./run.ts";
import { command, type RuntimeName } from "./runtimes.ts";

const known = new Map<RuntimeName, Promise<Outcome[]>>();

/** Every case's outcome; the suite runs once per runtime, however often this is asked. */
export function outcomes(runtime: RuntimeName): Promise<Outcome[]> {
  const running = known.get(runtime) ?? runSuite(runtime);
  known.set(runtime, running);
  return running;
}

export async function caseNames(): Promise<string[]> {
  return await lines([...(await command("bun", "test/contract/run.ts")), "--list"]);
}

async function runSuite(runtime: RuntimeName): Promise<Outcome[]> {
  const said = await lines(await command(runtime, "test/contract/run.ts"));
  return said.map((line) => JSON.parse(line));
}

async function lines(argv: string[]): Promise<string[]> {
  const child = Bun.spawn(argv, { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  await child.exited;
  return text.trim().split("\n");
}
