/** What loadConfig says about bad files. */
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";

/** Each problem of a file, without the name of the file. */
export function problems(text: string): string[] {
  const { message } = errorOf(() => loadConfig(text, "weir.toml"));
  return message.split("\n").map((line) => line.replace(/^weir\.toml:/, ""));
}

export function errorOf(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("nothing was wrong with it");
}
