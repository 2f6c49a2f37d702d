/** `weir run CONFIG`: everything a configuration file asks for, and what it asks for later. */
import type { Config } from "../../config/config.ts";
import { overrideConfig } from "../config-flags.ts";
import type { CommandRun } from "../context.ts";
import { readConfig } from "../read-config.ts";
import { serve } from "../serve.ts";
import { Watch } from "../watch.ts";

export const run: CommandRun = async (context) => {
  const { runtime, host, line } = context;
  const path = line.positionals[0] ?? "";
  /** All files that were read for the configuration, with what was in them. */
  const texts = new Map<string, string>();
  const remembering = {
    ...host,
    async readFile(name: string) {
      const text = await host.readFile(name);
      texts.set(name, text);
      return text;
    },
  };
  const read = async (): Promise<Config> => {
    texts.clear();
    return overrideConfig(await readConfig(remembering, path), line);
  };
  const look = async () => (await Promise.all([...texts.keys()].map((name) => host.readFile(name)))).join("\0");
  return await serve(context, read, (service) => {
    const watch = line.flags.watch ? new Watch(runtime, look, () => service.reload().catch(() => {})) : undefined;
    return () => watch?.stop();
  });
};
