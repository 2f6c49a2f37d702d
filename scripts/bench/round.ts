/**
 * One round of a test. All contenders are up at once and take turns of about a second, so that whatever else the machine
 * does befalls all of them; who does not have its turn has nothing to do.
 */
import type { Contender } from "./contenders.ts";
import type { Run } from "./report.ts";
import { SETTLE, Stand } from "./stand.ts";
import type { Bed, Test } from "./tests.ts";

export interface Limits extends Pick<Bed, "loader" | "idle"> {
  /** Seconds of the same load before anything is measured. */
  readonly warm: number;
  /** Seconds of load for each contender, in all its turns. */
  readonly seconds: number;
}

/** Seconds in which each has its turn: after five without a connection weir gives its compiled code back. */
const CYCLE = 4;
const TURN_LEAST = 0.25;

/** The figures of each turn of each contender, as they come, but for those that warm; of one that fails the error: it is out. */
export async function round(
  test: Test,
  contenders: readonly Contender[],
  limits: Limits,
  tell: (run: Pick<Run, "turn" | "contender" | "row" | "error">) => void,
): Promise<void> {
  const stands = new Map<string, Stand>();
  const attempt = async (name: string, turn: number, act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      tell({ turn, contender: name, error: `failed: ${error instanceof Error ? error.message : String(error)}` });
      await stands.get(name)?.close();
      stands.delete(name);
    }
  };
  try {
    for (const contender of contenders) {
      await attempt(contender.name, 0, async () => {
        stands.set(contender.name, await Stand.open(test, contender, limits));
      });
    }
    const { warm, seconds } = limits;
    const turns = test.by ? 1 : turnsFor(seconds, contenders.length);
    const before = test.by ? 0 : Math.round((warm * turns) / seconds);
    for (let turn = 1 - before; turn <= turns; turn++) {
      const order = [...stands];
      for (const [name, stand] of turn % 2 === 0 ? order.toReversed() : order) {
        await attempt(name, turn, async () => {
          if (test.by === "whole" && warm > 0) await stand.measure(warm);
          const row = await stand.measure(seconds / turns);
          if (turn > 0) tell({ turn, contender: name, row });
        });
      }
    }
  } finally {
    for (const stand of stands.values()) await stand.close();
  }
}

function turnsFor(seconds: number, contenders: number): number {
  return Math.max(1, Math.round(seconds / Math.max(TURN_LEAST, CYCLE / contenders - SETTLE / 1_000)));
}
