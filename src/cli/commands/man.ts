/** `weir man`: the manual page, made from the table of commands. */
import type { CommandRun } from "../context.ts";
import { manPage } from "../man.ts";
import { program } from "../program.ts";

export const man: CommandRun = async ({ runtime, host }) => {
  // With https://reproducible-builds.org/specs/source-date-epoch/ the same source makes the same page.
  const epoch = Number(host.env("SOURCE_DATE_EPOCH") ?? Number.NaN);
  const made = new Date(Number.isSafeInteger(epoch) ? epoch * 1_000 : runtime.wallClock());
  host.out(manPage(program, made.toISOString().slice(0, 10)).join("\n"));
  await host.printed();
  return 0;
};
