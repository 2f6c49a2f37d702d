/** Reads a configuration file, with an error that says which file and what to do. */
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { UsageError } from "../net/errors.ts";
import type { Host } from "./host.ts";

const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory; name the file in it",
  ENOENT: "there is no such file",
};

export async function readConfig(host: Host, path: string): Promise<Config> {
  const text = await host.readFile(path).catch((error: { code?: string; message?: string }) => {
    const why = WHY[error.code ?? ""] ?? error.message;
    throw new UsageError("ECONFIG", `Cannot read configuration "${path}": ${why}`);
  });
  return loadConfig(text, path);
}
