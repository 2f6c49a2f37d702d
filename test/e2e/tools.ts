/** Other people's programs that some tests drive. Missing ones skip their tests, except in CI, where they must be there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./weir.ts";

export function haveTool(name: string): boolean {
  return have(name, Bun.which(name) !== null);
}

/** How nginx is told to load its module for TCP: in a line of its configuration, or, built in, not at all. */
export async function nginxStream(): Promise<{ there: boolean; line: string }> {
  if (!haveTool("nginx")) return { there: false, line: "" };
  const { err } = await run(["nginx", "-V"]);
  if (!err.includes("--with-stream=dynamic"))
    return { there: have("nginx's stream module", err.includes("--with-stream")), line: "" };
  const module = join(/--modules-path=(\S+)/.exec(err)?.[1] ?? "", "ngx_stream_module.so");
  return { there: have("nginx's stream module", existsSync(module)), line: `load_module ${module};` };
}

function have(what: string, there: boolean): boolean {
  if (there) return true;
  if (process.env["WEIR_ALL_TOOLS"]) throw new Error(`${what} is missing, and WEIR_ALL_TOOLS says it must be there`);
  console.log(`skipping what needs ${what}: it is not installed`);
  return false;
}
