/**
 * Executables compiled by Deno. It puts the program behind a base executable, `denort`, which it downloads from its own site
 * for each target; `DENORT_BIN` names one that is there already, for this machine's target alone.
 */
import { join } from "node:path";
import { ROOT } from "./stamp.ts";
import type { Target } from "./targets.ts";

/** What weir needs to be allowed. */
const PERMISSIONS = ["net", "read", "write", "env", "sys", "ffi"].map((name) => `--allow-${name}`);

/** Writes the executable for `target`. Resolves with one line that says why there is none, if there is none. */
export async function compileWithDeno(target: Target, outfile: string): Promise<string | undefined> {
  const deno = join(ROOT, "node_modules/deno", process.platform === "win32" ? "deno.exe" : "deno");
  const flags = ["--quiet", "--no-check", ...PERMISSIONS, "--include", "adapters/linux/worker.ts"];
  const child = Bun.spawn(
    [deno, "compile", ...flags, "--target", target.deno ?? "", "--output", outfile, "src/main.ts"],
    { cwd: ROOT, stdin: "ignore", stdout: "ignore", stderr: "pipe", env: { ...process.env, NO_COLOR: "1" } },
  );
  const [code, said] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (code === 0) return undefined;
  return `deno compile needs its base executable for ${target.deno}, from its site or named by DENORT_BIN: ${causeIn(said)}`;
}

/** Of an error with its causes and a stack, the last cause that says something of its own. */
function causeIn(text: string): string {
  const [before = ""] = text.split("Stack backtrace:");
  const causes = before.split("\n").map((line) => line.trim().replace(/^(?:\d+: |error: )/, ""));
  return causes.filter((line) => line !== "").at(-1) ?? "it does not say why not";
}
