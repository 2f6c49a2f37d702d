/** A contender in a test, with a target behind it: fresh processes, until it is closed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender } from "./contenders.ts";
import { serve } from "./loader.ts";
import { freePort, listening, type Program, start, usage } from "./process.ts";
import type { Row } from "./report.ts";
import type { Bed, Test } from "./tests.ts";

/** Milliseconds for the tails of the load before: data in flight, connections being closed. */
export const SETTLE = 200;

export class Stand {
  readonly #test: Test;
  readonly #started: Program[];
  readonly #bed: Omit<Bed, "seconds">;

  private constructor(test: Test, started: Program[], bed: Omit<Bed, "seconds">) {
    this.#test = test;
    this.#started = started;
    this.#bed = bed;
  }

  /** Rejects when one of the processes does not do its part. */
  static async open(test: Test, contender: Contender, limits: Pick<Bed, "loader" | "idle">): Promise<Stand> {
    const started: Program[] = [];
    try {
      const target = await serve(limits.loader, test.target);
      started.push(target.program);
      const [to, tally] = [target.answer("port"), target.answer("tally")];
      const listen = await freePort();
      const observer = contender.observer && (await serve(limits.loader, contender.observer));
      if (observer) started.push(observer.program);
      const argv = contender.command(listen, to, observer?.answer("port") ?? 0);
      if (argv === undefined) return new Stand(test, started, { ...limits, port: to, tally, cost: () => undefined });

      const relay = await start(argv, contender.cwd);
      started.push(relay);
      await listening(listen, relay);
      const cost = () => {
        const used = usage(relay.pid);
        // A relay that has died was measured only in part.
        if (used.rssBytes === 0) throw new Error(`${contender.name} has ended while it was measured`);
        return used;
      };
      return new Stand(test, started, { ...limits, port: listen, tally, cost });
    } catch (error) {
      await stopAll(started);
      throw error;
    }
  }

  /** What goes through in so many seconds, and what it costs. Rejects when a process does not do its part. */
  async measure(seconds: number): Promise<Row> {
    await sleep(SETTLE);
    return await this.#test.measure({ ...this.#bed, seconds });
  }

  close(): Promise<void> {
    return stopAll(this.#started);
  }
}

async function stopAll(started: readonly Program[]): Promise<void> {
  for (const program of started.toReversed()) await program.stop();
}
