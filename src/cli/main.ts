/** Reads the command line, runs the command, and turns what is thrown into one line and an exit code. */
import type { OpenThreads } from "../engine/threads.ts";
import { UsageError } from "../net/errors.ts";
import type { Runtime } from "../net/runtime.ts";
import type { Parsed, Run } from "./command.ts";
import type { CommandRun } from "./context.ts";
import { commandHelp, familyHelp, programHelp } from "./help.ts";
import type { Host } from "./host.ts";
import { translated } from "./old-names.ts";
import { parseCommandLine } from "./parse.ts";
import { program } from "./program.ts";

/** Each is loaded when it is called for: `weir tcp` needs no parser of files in its memory. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandRun>>> = {
  check: async () => (await import("./commands/check.ts")).check,
  completions: async () => (await import("./commands/completions.ts")).completions,
  demo: async () => (await import("./commands/demo.ts")).demo,
  echo: async () => (await import("./commands/echo.ts")).echo,
  explain: async () => (await import("./commands/explain.ts")).explain,
  "install-links": async () => (await import("./commands/install-links.ts")).installLinks,
  load: async () => (await import("./commands/load.ts")).load,
  man: async () => (await import("./commands/man.ts")).man,
  mux: async () => (await import("./commands/mux.ts")).mux,
  "mux list": async () => (await import("./commands/mux-list.ts")).muxList,
  "mux server": async () => (await import("./commands/mux.ts")).muxServer,
  replay: async () => (await import("./commands/replay.ts")).replay,
  run: async () => (await import("./commands/run.ts")).run,
  schema: async () => (await import("./commands/schema.ts")).schema,
  status: async () => (await import("./commands/status.ts")).status,
  tap: async () => (await import("./commands/tap.ts")).tap,
  tcp: async () => (await import("./commands/tcp.ts")).tcp,
  top: async () => (await import("./commands/top.ts")).top,
  "udp send": async () => (await import("./commands/udp.ts")).udp,
  "udp recv": async () => (await import("./commands/udp.ts")).udp,
  "udp forward": async () => (await import("./commands/udp.ts")).udp,
  "udp reverse": async () => (await import("./commands/udp.ts")).udp,
  version: async () => (await import("./commands/version.ts")).version,
};

function helpFor({ command, family }: Exclude<Parsed, Run>): string[] {
  if (command) return commandHelp(command);
  return family ? familyHelp(family, program) : programHelp(program);
}

/** Exit codes: 0 done, 1 failed while running, 2 wrong usage or configuration. */
export async function main(runtime: Runtime, openThreads: OpenThreads, host: Host): Promise<number> {
  try {
    const line = parseCommandLine(translated(host.name, host.args), program);
    if (line.kind === "help") {
      for (const text of helpFor(line)) host.out(text);
      return 0;
    }
    const command = await COMMANDS[line.command.name]?.();
    if (!command) throw new Error(`the command ${line.command.name} has no implementation`);
    return await command({ runtime, openThreads, host, line });
  } catch (error) {
    if (error instanceof UsageError) {
      for (const text of error.message.split("\n")) host.err(text.startsWith("weir ") ? text : `weir: ${text}`);
      return 2;
    }
    host.err(`weir: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
