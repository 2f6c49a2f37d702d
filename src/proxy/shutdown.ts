/** The orderly end of proxies and bridges: no new connections, time for the live ones, and an end to that time. */
import type { Runtime } from "../net/runtime.ts";

/** A proxy, or a bridge. */
export interface Stoppable {
  drain(): Promise<void>;
  cut(): void;
}

/**
 * Stops listening and lets connections finish for `grace` milliseconds; then, or when `hurry` resolves, they are
 * cut. Resolves when the last connection is gone.
 */
export async function shutDown(
  runtime: Runtime,
  all: readonly Stoppable[],
  grace: number,
  hurry?: Promise<unknown>,
): Promise<void> {
  const drained = Promise.all(all.map((each) => each.drain()));
  const cut = () => {
    for (const each of all) each.cut();
  };
  const timer = grace > 0 ? runtime.after(grace, cut) : undefined;
  if (!timer) cut();
  hurry?.then(cut);
  await drained;
  timer?.cancel();
}
