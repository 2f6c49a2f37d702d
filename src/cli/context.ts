/** What every command gets. */
import type { OpenThreads } from "../engine/threads.ts";
import type { Runtime } from "../net/runtime.ts";
import type { Run } from "./command.ts";
import type { Host } from "./host.ts";

export interface Context {
  readonly runtime: Runtime;
  /** The native engine's threads, for who wants them. */
  readonly openThreads: OpenThreads;
  readonly host: Host;
  /** The command line, read and checked. */
  readonly line: Run;
}

/** Does the command's work and answers the exit code: 0 done, 1 failed while running. Wrong usage is thrown. */
export type CommandRun = (context: Context) => Promise<number>;

/** The signals that end a program: the first asks it to stop, the next one to hurry. */
export interface StopSignals {
  readonly first: Promise<void>;
  readonly again: Promise<void>;
}

/** To be called before anything listens: a signal must never find the program without its handlers. */
export function stopSignals(host: Host): StopSignals {
  const resolvers: (() => void)[] = [];
  const next = () => new Promise<void>((resolve) => resolvers.push(resolve));
  const signals = { first: next(), again: next() };
  host.onSignal(() => resolvers.shift()?.());
  return signals;
}
