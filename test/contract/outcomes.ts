/** Runs the contract suite against each adapter, in a process of its own, and reads what it says. */
import { ADAPTERS, command, compile } from "./runtimes.ts";
import type { Outcome } from "./suite.ts";

const known = new Map<string, Promise<Outcome[]>>();

/** Every case's outcome for an adapter of {@link ADAPTERS}; the suite runs once, however often this is asked. */
export function outcomes(adapter: string): Promise<Outcome[]> {
  const running = known.get(adapter) ?? runSuite(adapter);
  known.set(adapter, running);
  return running;
}

export async function caseNames(): Promise<string[]> {
  return await lines([...(await command("bun", "test/contract/run.ts")), "--list"], {});
}

async function runSuite(adapter: string): Promise<Outcome[]> {
  const suite = ADAPTERS[adapter];
  if (!suite) throw new Error(`there is no adapter "${adapter}"`);
  const { runtime, file, compiled, checked } = suite;
  const argv = compiled ? [compile(file)] : await command(runtime, file);
  const said = await lines(argv, checked ? { WEIR_CHECK: "1" } : {});
  return said.map((line) => JSON.parse(line));
}

async function lines(argv: string[], env: Record<string, string>): Promise<string[]> {
  const child = Bun.spawn(argv, { stdout: "pipe", stderr: "inherit", env: { ...process.env, ...env } });
  const text = await new Response(child.stdout).text();
  await child.exited;
  return text.trim().split("\n");
}
