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
  readonly #bed: Omit<Bed, "seconds">;
  readonly #started: AsyncDisposableStack;
  /** Undefined: nothing is between load and target. */
  readonly #relay: Program | undefined;

  private constructor(test: Test, bed: Omit<Bed, "seconds">, started: AsyncDisposableStack, relay?: Program) {
    this.#test = test;
    this.#bed = bed;
    this.#started = started;
    this.#relay = relay;
  }

  /** Rejects when one of the processes does not do its part. */
  static async open(test: Test, contender: Contender, limits: Pick<Bed, "loader" | "idle">): Promise<Stand> {
    await using started = new AsyncDisposableStack();
    const target = await serve(limits.loader, test.target);
    started.defer(() => target.program.stop());
    const [to, tally] = [target.answer("port"), target.answer("tally")];
    const listen = await freePort();
    const observer = contender.observer && (await serve(limits.loader, contender.observer));
    started.defer(async () => observer?.program.stop());
    const argv = contender.command(listen, to, observer?.answer("port") ?? 0);
    if (argv === undefined) {
      return new Stand(test, { ...limits, port: to, tally, cost: () => undefined }, started.move());
    }
    const relay = await start(argv, contender.cwd);
    started.defer(() => relay.stop());
    await listening(listen, relay);
    return new Stand(test, { ...limits, port: listen, tally, cost: () => usage(relay.pid) }, started.move(), relay);
  }

  /** What goes through in so many seconds, and what it costs. Rejects when a process does not do its part. */
  async measure(seconds: number): Promise<Row> {
    await sleep(SETTLE);
    const row = await this.#test.measure({ ...this.#bed, seconds });
    // A relay that has died was measured only in part.
    if (this.#relay && usage(this.#relay.pid).rssBytes === 0) throw new Error(await this.#relay.exited);
    return row;
  }

  close(): Promise<void> {
    return this.#started.disposeAsync();
  }
}
