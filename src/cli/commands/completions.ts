/** `weir completions SHELL`: the script that completes weir's commands, made from their table. */
import type { SHELLS } from "../command.ts";
import { bashCompletions } from "../completions/bash.ts";
import { fishCompletions } from "../completions/fish.ts";
import { type Completions, completionsOf } from "../completions/offers.ts";
import { zshCompletions } from "../completions/zsh.ts";
import type { CommandRun } from "../context.ts";
import { program } from "../program.ts";

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (completions: Completions) => string>> = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
};

export const completions: CommandRun = async ({ host, line }) => {
  const [shell = "bash"] = line.positionals as readonly (keyof typeof SCRIPTS)[];
  host.out(SCRIPTS[shell](completionsOf(program)).trimEnd());
  await host.printed();
  return 0;
};
