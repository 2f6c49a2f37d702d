/** Reads a configuration file, and those it names, with errors that say which file and what to do. */
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { visible } from "../config/problem.ts";
import { type ReadFile, withRangeFiles } from "../config/range-files.ts";
import { UsageError } from "../net/errors.ts";
import type { Host } from "./host.ts";

const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory; name the file in it",
  ENOENT: "there is no such file",
};

export async function readConfig(host: Host, path: string): Promise<Config> {
  const config = loadConfig(await reader(host, "configuration")(path), path);
  // What a configuration names lies beside it, wherever weir was started.
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return await withRangeFiles(config, rangeReader(host), folder);
}

export function rangeReader(host: Host): ReadFile {
  return reader(host, "ranges");
}

function reader(host: Host, what: string): ReadFile {
  return async (path) => {
    try {
      return await host.readFile(path);
    } catch (error) {
      const { code = "", message } = error as { code?: string; message?: string };
      throw new UsageError("ECONFIG", visible(`Cannot read ${what} "${path}": ${WHY[code] ?? message}`));
    }
  };
}
