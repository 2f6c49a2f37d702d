/** Strategies: what each of them has to keep to, and then what each is for. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hashOf, randomFrom } from "../../src/balance/hash.ts";
import { type Candidate, STRATEGIES } from "../../src/balance/strategies.ts";
import { BALANCES, type Balance } from "../../src/config/config.ts";

/** A target that the test gives connections to and takes them from. */
interface Lot extends Candidate {
  effective: number;
  active: number;
  readonly name: string;
}

function lots(weights: readonly number[]): Lot[] {
  return weights.map((effective, n) => {
    const name = `10.0.0.${n + 1}:80`;
    return { name, effective, active: 0, hash: hashOf(name) };
  });
}

/** A client's address, hashed. */
function client(n: number): number {
  return hashOf(`192.0.${n >> 8}.${n & 255}`);
}

function strategyOf(balance: Balance, random = randomFrom(7)) {
  return STRATEGIES[balance](random);
}

/** How often each is chosen, by `count` clients. */
function shares(balance: Balance, all: readonly Lot[], count: number): number[] {
  const choose = strategyOf(balance);
  const chosen = new Map(all.map((lot) => [lot, 0]));
  for (let n = 0; n < count; n++) {
    const lot = choose(all, client(n));
    chosen.set(lot, (chosen.get(lot) ?? 0) + 1);
  }
  return [...chosen.values()];
}

const WEIGHT = fc.oneof(
  fc.integer({ min: 1, max: 10 }),
  fc.constantFrom(0.05, 1_000),
  fc.double({ min: 0.05, max: 50 }),
);
const WEIGHTS = fc.array(WEIGHT.filter(Number.isFinite), { minLength: 1, maxLength: 8 });
const WHOLE_WEIGHTS = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });

/** One choice: which candidates there are (bits), what becomes of their connections, and who asks. */
const STEP = fc.record({ present: fc.nat(255), ends: fc.option(fc.nat()), source: fc.nat(2 ** 32 - 1) });

describe.each([...BALANCES])("%s", (balance) => {
  test("chooses one of the candidates, however they come and go, and the same for the same chance", () => {
    const chance = fc.constantFrom(
      () => randomFrom(11),
      () => () => 0,
      () => () => 1 - 2 ** -32,
    );
    fc.assert(
      fc.property(WEIGHTS, fc.array(STEP), chance, (weights, steps, random) => {
        const runs = [random(), random()].map((each) => play(strategyOf(balance, each), lots(weights), steps));
        expect(runs[0]).toEqual(runs[1] as string[]);
      }),
    );
  });
});

test.each([...BALANCES])("%s chooses a candidate while another thread changes their connections", (balance) => {
  fc.assert(
    fc.property(WEIGHTS, fc.array(fc.nat(3), { minLength: 1 }), (weights, counts) => {
      let looks = 0;
      const all = lots(weights).map((lot) =>
        Object.defineProperty(lot, "active", { get: () => counts[looks++ % counts.length] }),
      );
      const choose = strategyOf(balance);
      for (let n = 0; n < 20; n++) expect(all).toContain(choose(all, client(n)));
    }),
  );
});

/** Takes a connection with each choice; the names of whoever was chosen. */
function play(
  choose: ReturnType<typeof strategyOf>,
  all: Lot[],
  steps: readonly { present: number; ends: number | null; source: number }[],
): string[] {
  return steps.map(({ present, ends, source }) => {
    const some = all.filter((_, n) => present & (1 << n));
    const candidates = some.length > 0 ? some : all;
    const chosen = choose(Object.freeze([...candidates]), source);
    expect(candidates).toContain(chosen);
    chosen.active++;
    const busy = all.filter(({ active }) => active > 0);
    const idle = ends === null ? undefined : busy[ends % busy.length];
    if (idle) idle.active--;
    return chosen.name;
  });
}

describe("round_robin", () => {
  test("a round of as many connections as all weights together gives each target its weight", () => {
    fc.assert(
      fc.property(WHOLE_WEIGHTS, fc.integer({ min: 1, max: 5 }), (weights, rounds) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        expect(shares("round_robin", lots(weights), rounds * total)).toEqual(weights.map((weight) => rounds * weight));
      }),
    );
  });

  /**
   * Ahead: whoever is chosen has at least the mean of what all are owed, 1/n, and pays 1. Behind: let m(k) be the most
   * that k of n targets are owed on average. A choice from outside the k was owed more than each of them, so that
   * m(k) ≤ m(k + 1) + 1 / (k + 1), and m(n) = 0.
   */
  test("at no time is a target 1 - 1/n connections ahead of its share, or 1/2 + 1/3 + … + 1/n behind it", () => {
    fc.assert(
      fc.property(WEIGHTS, fc.integer({ min: 1, max: 200 }), (weights, count) => {
        const all = lots(weights);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const behind = all.reduce((sum, _, n) => sum + 1 / (n + 1), -1);
        const choose = strategyOf("round_robin");
        const had = new Map<Lot, number>();
        for (let n = 1; n <= count; n++) {
          const chosen = choose(all, 0);
          had.set(chosen, (had.get(chosen) ?? 0) + 1);
          for (const lot of all) {
            const ahead = (had.get(lot) ?? 0) - (n * lot.effective) / total;
            expect(ahead).toBeLessThanOrEqual(1 - 1 / all.length + 1e-9);
            expect(ahead).toBeGreaterThanOrEqual(-behind - 1e-9);
          }
        }
      }),
    );
  });

  test("a target that was away gets its share from then on, not what it has missed", () => {
    const all = lots([1, 1, 1]);
    const choose = strategyOf("round_robin");
    for (let n = 0; n < 1_000; n++) choose(all.slice(0, 2), 0);
    const chosen = Array.from({ length: 9 }, () => choose(all, 0));
    expect(chosen.filter((lot) => lot === all[2])).toHaveLength(3);
  });
});

describe("least_connections", () => {
  test("nobody is passed over who has fewer connections for its weight", () => {
    fc.assert(
      fc.property(WEIGHTS, fc.array(fc.option(fc.nat()), { maxLength: 200 }), (weights, ends) => {
        const all = lots(weights);
        const choose = strategyOf("least_connections");
        const open: Lot[] = [];
        for (const end of ends) {
          const loads = all.map(({ active, effective }) => active / effective);
          const chosen = choose(all, 0);
          expect(chosen.active / chosen.effective).toBe(Math.min(...loads));
          chosen.active++;
          open.push(chosen);
          if (end === null) continue;
          for (const left of open.splice(end % open.length, 1)) left.active--;
        }
      }),
    );
  });

  test("equals take turns", () => {
    const [first, second, third] = lots([2, 2, 2]);
    const all = [first, second, third] as Lot[];
    const choose = strategyOf("least_connections");
    for (const active of [0, 5]) {
      for (const lot of all) lot.active = active;
      const chosen = Array.from({ length: 6 }, () => choose(all, 0));
      expect(new Set(chosen.slice(0, 3)).size).toBe(3);
      expect(chosen.slice(3)).toEqual(chosen.slice(0, 3));
    }
  });

  test("connections that are over at once are shared by weight", () => {
    expect(shares("least_connections", lots([1, 2]), 300)).toEqual([100, 200]);
    fc.assert(
      fc.property(WHOLE_WEIGHTS, fc.integer({ min: 1, max: 5 }), (weights, rounds) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const had = shares("least_connections", lots(weights), rounds * total);
        expect(had).toEqual(weights.map((weight) => rounds * weight));
      }),
    );
  });
});

describe("random_two", () => {
  /** How many connections each gets of `count`, of which `stay` are open at a time: then one ends, any of them. */
  function crowd(weights: readonly number[], count: number, stay: number): { had: number[]; all: Lot[] } {
    const all = lots(weights);
    const choose = strategyOf("random_two");
    const chance = randomFrom(99);
    const had = weights.map(() => 0);
    const open: Lot[] = [];
    for (let n = 0; n < count; n++) {
      const chosen = choose(all, 0);
      had[all.indexOf(chosen)] = (had[all.indexOf(chosen)] ?? 0) + 1;
      chosen.active++;
      open.push(chosen);
      if (open.length <= stay) continue;
      for (const left of open.splice(Math.floor(chance() * open.length), 1)) left.active--;
    }
    return { had, all };
  }

  test.each([[[1, 1, 1, 1]], [[1, 2, 3, 4]], [[1, 10]], [[5, 5, 1, 1, 8]]])(
    "with many connections open, weights %p have their shares",
    (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const { had } = crowd(weights, 50_000, 1_000);
      for (const [n, weight] of weights.entries()) {
        expect(had[n]).toBeGreaterThan((0.95 * 50_000 * weight) / total);
        expect(had[n]).toBeLessThan((1.05 * 50_000 * weight) / total);
      }
    },
  );

  test("the busiest of 100 targets has hardly more than the mean, far from what pure chance does", () => {
    const targets = Array.from({ length: 100 }, () => 1);
    const { all } = crowd(targets, 10_000, 10_000);
    const chance = randomFrom(99);
    const blind = targets.map(() => 0);
    for (let n = 0; n < 10_000; n++) {
      const at = Math.floor(chance() * 100);
      blind[at] = (blind[at] ?? 0) + 1;
    }
    // The mean is 100; ln ln 100 / ln 2 is about 2, and chance alone deviates by 10.
    expect(Math.max(...all.map(({ active }) => active))).toBeLessThanOrEqual(105);
    expect(Math.max(...blind)).toBeGreaterThan(115);
  });

  test("the second of the two is any of the others, by weight", () => {
    const all = lots([1, 2, 1]);
    const choose = strategyOf("random_two");
    for (const lot of all.slice(1)) lot.active = 10;
    let idle = 0;
    for (let n = 0; n < 20_000; n++) if (choose(all, 0) === all[0]) idle++;
    // The first of them in 1/4, the second in 1/2 · 1/2 + 1/4 · 1/3; the bounds are four standard deviations.
    expect(Math.abs(idle / 20_000 - 7 / 12)).toBeLessThan(0.014);
  });

  test("the less busy of the two is chosen, by weight", () => {
    const [light, heavy] = lots([1, 4]) as [Lot, Lot];
    const choose = strategyOf("random_two");
    light.active = 1;
    heavy.active = 3;
    for (let n = 0; n < 20; n++) expect(choose([light, heavy], 0)).toBe(heavy);
    heavy.active = 5;
    for (let n = 0; n < 20; n++) expect(choose([light, heavy], 0)).toBe(light);
  });

  test.each([[[1, 4]], [[1, 2, 3]]])("connections that are over at once are shared by weight: %p", (weights) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [n, had] of shares("random_two", lots(weights), 20_000).entries()) {
      const part = (weights[n] as number) / total;
      // Four standard deviations of the binomial distribution.
      expect(Math.abs(had / 20_000 - part)).toBeLessThan(4 * Math.sqrt((part * (1 - part)) / 20_000));
    }
  });
});

describe("source_hash", () => {
  const SOURCES = 20_000;
  const choose = strategyOf("source_hash");
  const where = (all: readonly Lot[]) => Array.from({ length: SOURCES }, (_, n) => choose(all, client(n)));

  test("each target has its weight's share of the sources", () => {
    for (const weights of [[1, 1], [1, 2, 3, 4], [1, 100], Array.from({ length: 30 }, () => 1)]) {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [n, had] of shares("source_hash", lots(weights), SOURCES).entries()) {
        const part = (weights[n] as number) / total;
        // Four standard deviations of the binomial distribution.
        const bound = 4 * Math.sqrt(SOURCES * part * (1 - part));
        expect(Math.abs(had - SOURCES * part)).toBeLessThan(bound);
      }
    }
  });

  test("a target that goes gives up its own sources, and no other source moves", () => {
    const all = lots([1, 2, 3, 1]);
    const before = where(all);
    for (const gone of all) {
      const after = where(all.filter((lot) => lot !== gone));
      expect(before.filter((lot, n) => lot !== gone && lot !== after[n])).toEqual([]);
    }
  });

  test("a target that comes, or gets a higher weight, takes sources, and none moves elsewhere", () => {
    const all = lots([1, 2, 3, 1]);
    const fourth = all[3] as Lot;
    const steps = [where(all.slice(0, 3)), where(all)];
    fourth.effective = 5;
    steps.push(where(all));
    for (const [n, after] of steps.slice(1).entries()) {
      const moved = after.filter((lot, source) => lot !== steps[n]?.[source]);
      expect(moved.length).toBeGreaterThan(1_000);
      expect(new Set(moved)).toEqual(new Set([fourth]));
    }
  });

  test("the order of the targets does not matter, nor what was chosen before", () => {
    fc.assert(
      fc.property(WEIGHTS, fc.nat(2 ** 32 - 1), fc.infiniteStream(fc.nat(1_000)), (weights, source, keys) => {
        const all = lots(weights);
        const sorted = all.map((lot) => ({ lot, key: keys.next().value })).sort((a, b) => a.key - b.key);
        const shuffled = sorted.map(({ lot }) => lot);
        expect(choose(shuffled, source)).toBe(choose(all, source));
      }),
    );
  });
});

test("first fills targets in their order", () => {
  const all = lots([1, 9, 1]);
  const choose = strategyOf("first");
  const order = Array.from({ length: 9 }, () => {
    const chosen = choose(
      all.filter(({ active }) => active < 3),
      0,
    );
    chosen.active++;
    return all.indexOf(chosen);
  });
  expect(order).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
});
