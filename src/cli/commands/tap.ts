/** `weir tap LISTEN TARGET`: a relay that shows, or writes down, what passes through it. */
import { STDOUT } from "../../observe/inspect/file-name.ts";
import { tapConfig } from "../config-flags.ts";
import type { CommandRun } from "../context.ts";
import { serve } from "../serve.ts";

export const tap: CommandRun = (context) => {
  const { host, line } = context;
  const config = tapConfig(line);
  // Where records go to standard output nothing else may stand among them.
  const shown = config.proxies.some(({ inspects }) => inspects.some(({ path }) => path === STDOUT));
  const quiet = shown ? { ...host, out: (text: string) => host.err(text) } : host;
  return serve({ ...context, host: quiet }, async () => config);
};
