/** `weir run CONFIG`: everything a configuration file asks for, and what it asks for later. */
import type { Config } from "../../config/config.ts";
import { UsageError } from "../../net/errors.ts";
import { NO_FILE, overrideConfig } from "../config-flags.ts";
import type { CommandRun } from "../context.ts";
import { readConfig } from "../read-config.ts";
import { serve } from "../serve.ts";
import { Watch } from "../watch.ts";

export const run: CommandRun = async (context) => {
  const { runtime, host, line } = context;
  const path = line.positionals[0] ?? "";
  /** All files of the configuration, those that could not be read included: they may come back. */
  let texts = new Map<string, string>();
  const remembering = {
    ...host,
    async readFile(name: string) {
      texts.set(name, "");
      const text = await host.readFile(name);
      texts.set(name, text);
      return text;
    },
  };
  const read = async (): Promise<Config> => {
    texts = new Map();
    if (path === "" && !line.flags.toxiproxy) {
      throw new UsageError("EUSAGE", "weir run: CONFIG is missing; write the path of a file, or --toxiproxy ADDRESS");
    }
    return overrideConfig(path === "" ? NO_FILE : await readConfig(remembering, path), line);
  };
  const look = async () => joined(await Promise.all([...texts.keys()].map((name) => host.readFile(name))));
  return await serve(context, read, (service) => {
    if (!line.flags.watch) return () => {};
    const watch = new Watch(runtime, joined(texts.values()), look, () => service.reload().catch(() => {}));
    return () => watch.stop();
  });
};

function joined(texts: Iterable<string>): string {
  return [...texts].join("\0");
}
