/** What every command gets. */
import type { Runtime } from "../net/runtime.ts";
import type { Run } from "./command.ts";
import type { Host } from "./host.ts";

export interface Context {
  readonly runtime: Runtime;
  readonly host: Host;
  /** The command line, read and checked. */
  readonly line: Run;
}

/** Does the command's work and answers the exit code: 0 done, 1 failed while running. Wrong usage is thrown. */
export type CommandRun = (context: Context) => Promise<number>;

/** Resolves on the first SIGINT or SIGTERM; `again` on the next one. */
export async function untilSignal(host: Host): Promise<{ again: Promise<void> }> {
  let release: () => void = () => {};
  const again = new Promise<void>((resolve) => {
    release = resolve;
  });
  await new Promise<void>((first) => {
    let seen = 0;
    host.onSignal(() => {
      if (++seen === 1) first();
      else release();
    });
  });
  return { again };
}
