/** The targets of one proxy: who may be chosen when, and what they share between threads. The clock is the test's. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Choice, Pool } from "../../src/balance/pool.ts";
import { countersOf, Target, type TargetShare, targetMemory } from "../../src/balance/target.ts";
import { BALANCES, type TargetConfig } from "../../src/config/config.ts";
import { CELL } from "../../src/metrics/counters.ts";

const NOW = 1_800_000_000_000;
const WORKERS = 3;

type Settings = ConstructorParameters<typeof Pool>[1];

function share(host: string, config: Partial<Omit<TargetConfig, "address">> = {}): TargetShare {
  const { weight = 1, backup = false, maxConnections = 0 } = config;
  return {
    address: { kind: "tcp", host, port: 80 },
    config: { weight, backup, maxConnections },
    memory: targetMemory(WORKERS, weight),
  };
}

/** A pool of targets `a`, `b`, … as one thread has them, and a clock. */
function world(configs: readonly Partial<TargetConfig>[], settings: Partial<Settings> = {}) {
  const clock = { now: NOW };
  const shares = configs.map((config, n) => share("abcdefgh".charAt(n), config));
  const all: Settings = { balance: "first", slowStart: 0, noneHealthy: "refuse", ...settings };
  const pool = new Pool("db", all, 0, () => clock.now);
  pool.replace(shares);
  return {
    clock,
    pool,
    shares,
    targets: pool.targets as [Target, Target, Target, Target],
    choose: (tried: readonly Target[] = [], source = "192.0.2.1") => pool.choose({ host: source }, tried),
    /** The names of those that are chosen one after the other; each connection ends at once. */
    sequence(count: number): string {
      return Array.from({ length: count }, () => {
        const choice = pool.choose({ host: "192.0.2.1" }, []);
        if (typeof choice !== "string") choice.give();
        return nameOf(choice);
      }).join(" ");
    },
  };
}

function nameOf(choice: Choice): string {
  return typeof choice === "string" ? choice : choice.name.replace(":80", "");
}

function fail(target: Target, now: number, times = 3): void {
  for (let n = 0; n < times; n++) target.failed(now);
}

describe("who comes first", () => {
  test.each(["refuse", "try_all"] as const)("the well, backups, those left alone, and with %p…", (noneHealthy) => {
    const it = world([{}, {}, { backup: true }, {}], { noneHealthy });
    const [well, alone, backup, ill] = it.targets;
    fail(alone, NOW);
    ill.judged(false, NOW);
    const order = [it.choose(), it.choose([well]), it.choose([well, backup]), it.choose([well, backup, alone])];
    expect(order.map(nameOf)).toEqual(["a", "c", "b", noneHealthy === "try_all" ? "d" : "none"]);
    expect(it.choose(it.targets)).toBe("none");
  });

  test("a target that is ill is not tried for want of others, one that is left alone is", () => {
    const it = world([{}, { backup: true }]);
    it.targets[0].judged(false, NOW);
    fail(it.targets[1], NOW);
    expect(nameOf(it.choose())).toBe("b");
    it.targets[1].judged(false, NOW);
    expect(it.choose()).toBe("none");
    it.targets[0].judged(true, NOW);
    expect(nameOf(it.choose())).toBe("a");
  });

  test("when all that could be chosen are full the answer is busy, and backups stay what they are", () => {
    const it = world([{ maxConnections: 1 }, { maxConnections: 2 }, { backup: true }]);
    expect([it.choose(), it.choose(), it.choose()].map(nameOf)).toEqual(["a", "b", "b"]);
    expect(it.choose()).toBe("busy");
    it.targets[1].give();
    expect(nameOf(it.choose())).toBe("b");
    it.targets[0].judged(false, NOW);
    it.targets[1].judged(false, NOW);
    expect(nameOf(it.choose())).toBe("c");
  });

  test("a client that has tried in vain goes past those that are full, as far as somebody has room", () => {
    const one = { maxConnections: 1 };
    for (const noneHealthy of ["refuse", "try_all"] as const) {
      const it = world([{}, one, { ...one, backup: true }, one, one], { noneHealthy });
      const [tried, full, , alone] = it.targets;
      const ill = it.pool.targets[4] as Target;
      full.take();
      fail(alone, NOW);
      ill.judged(false, NOW);
      const order = Array.from({ length: 4 }, () => nameOf(it.choose([tried])));
      expect(order).toEqual(noneHealthy === "try_all" ? ["c", "d", "e", "busy"] : ["c", "d", "busy", "busy"]);
      expect(nameOf(it.choose())).toBe("a");
      expect(it.choose(it.pool.targets)).toBe("none");
    }
  });

  test("weight 0, drain and disabled are never chosen, not even when nobody else is left", () => {
    const it = world([{ weight: 0 }, {}, {}], { noneHealthy: "try_all" });
    const [none, drained, disabled] = it.targets;
    drained.state = "drain";
    disabled.state = "disabled";
    expect(it.choose()).toBe("none");
    none.weight = 2;
    expect(nameOf(it.choose())).toBe("a");
    none.weight = 0;
    drained.state = "ready";
    expect(nameOf(it.choose())).toBe("b");
  });

  test("whatever becomes of targets, the choice is the best there is", () => {
    const state = fc.record({
      backup: fc.boolean(),
      ill: fc.boolean(),
      alone: fc.boolean(),
      full: fc.boolean(),
      closed: fc.constantFrom("no", "weight", "drain", "disabled"),
      tried: fc.boolean(),
    });
    const balance = fc.constantFrom(...BALANCES);
    fc.assert(
      fc.property(fc.array(state, { maxLength: 6 }), balance, fc.boolean(), (states, balance, tryAll) => {
        const configs = states.map(({ backup }) => ({ backup, maxConnections: 1 }));
        const it = world(configs, { balance, noneHealthy: tryAll ? "try_all" : "refuse" });
        const ranks = states.map(({ backup, ill, alone, full, closed, tried }, n) => {
          const target = it.targets[n] as Target;
          if (ill) target.judged(false, NOW);
          if (alone) fail(target, NOW);
          if (full) target.take();
          if (closed === "weight") target.weight = 0;
          else if (closed !== "no") target.state = closed;
          if (closed !== "no" || tried || (ill && !tryAll)) return 4;
          return ill ? 3 : alone ? 2 : backup ? 1 : 0;
        });
        const tried = it.targets.filter((_, n) => states[n]?.tried);
        const full = (n: number) => states[n]?.full === true;
        const best = Math.min(4, ...ranks);
        // Whoever has tried in vain looks at those behind the full ones as well.
        const level = tried.length > 0 ? Math.min(...ranks.filter((_, n) => !full(n))) : best;
        const room = it.targets.filter((_, n) => level < 4 && ranks[n] === level && !full(n));
        const choice = it.choose(tried);
        if (best === 4) expect(choice).toBe("none");
        else if (room.length === 0) expect(choice).toBe("busy");
        else expect(room).toContain(choice as Target);
      }),
      { numRuns: 500 },
    );
  });
});

test.each([...BALANCES])("%s chooses somebody even if a weight becomes 0 meanwhile", (balance) => {
  for (const nth of [0, 1]) {
    const it = world([{}, {}], { balance });
    const target = it.targets[nth] as Target;
    // Asked for when it is known that the target may be chosen: as if another thread came between.
    target.config = {
      ...target.config,
      get maxConnections() {
        target.weight = 0;
        return 0;
      },
    };
    expect(it.targets).toContain(it.choose() as Target);
    expect(it.choose()).toBe(it.targets[1 - nth] as Target);
  }
});

describe("slow start", () => {
  const SLOW = { balance: "round_robin", slowStart: 60_000 } as const;

  test("a target that has come back grows from a twentieth to its whole weight", () => {
    const it = world([{ weight: 100 }, { weight: 100 }], SLOW);
    const [back, other] = it.targets;
    back.judged(false, NOW);
    back.judged(true, NOW);
    const parts = [0, 1, 3_000, 6_000, 30_000, 59_999, 60_000, 90_000].map((age) => {
      it.clock.now = NOW + age;
      it.sequence(1);
      expect(other.effective).toBe(100);
      return back.effective;
    });
    expect(parts).toEqual([5, 5, 5, 10, 50, (100 * 59_999) / 60_000, 100, 100]);
  });

  test("its share of connections is that of its weight of the moment", () => {
    const it = world([{}, {}], SLOW);
    it.targets[0].begin(NOW);
    const share = (age: number, count: number) => {
      it.clock.now = NOW + age;
      return it.sequence(count).replaceAll(/[^a]/g, "").length;
    };
    expect(share(0, 210)).toBe(10);
    expect(share(30_000, 210)).toBe(70);
    expect(share(60_000, 210)).toBe(105);
  });

  test("a clock that was set back, or no slow start, means the whole weight", () => {
    const it = world([{ weight: 4 }, {}], SLOW);
    it.targets[0].begin(NOW);
    it.clock.now = NOW - 1;
    it.sequence(1);
    expect(it.targets[0].effective).toBe(4);
    it.clock.now = NOW;
    it.pool.configure({ ...SLOW, slowStart: 0, noneHealthy: "refuse" });
    it.sequence(1);
    expect(it.targets[0].effective).toBe(4);
  });

  test("who was there from the beginning has its whole weight", () => {
    const it = world([{ weight: 4 }, { weight: 2 }], SLOW);
    it.sequence(1);
    expect(it.targets.map(({ effective }) => effective)).toEqual([4, 2]);
  });
});

describe("failures to connect", () => {
  test("after three in a row a target is left alone for 1 s, then doubled, 30 s at most", () => {
    const it = world([{}, {}]);
    fail(it.targets[0], NOW, 2);
    expect(it.sequence(1)).toBe("a");
    for (const pause of [1, 2, 4, 8, 16, 30, 30, 30]) {
      it.targets[0].failed(it.clock.now);
      expect(it.sequence(1)).toBe("b");
      it.clock.now += pause * 1_000 - 1;
      expect(it.sequence(1)).toBe("b");
      it.clock.now += 1;
      expect(it.sequence(1)).toBe("a");
    }
  });

  test("attempts that were under way when it was left alone count for nothing", () => {
    const it = world([{}, {}]);
    fail(it.targets[0], NOW, 50);
    it.clock.now += 1_000;
    expect(it.sequence(1)).toBe("a");
    it.targets[0].failed(it.clock.now);
    it.clock.now += 1_999;
    expect(it.sequence(1)).toBe("b");
    it.clock.now += 1;
    expect(it.sequence(1)).toBe("a");
  });

  test("one success and it is as if nothing had been, also for one that is left alone", () => {
    const it = world([{}, {}]);
    const [target] = it.targets;
    for (let round = 0; round < 3; round++) {
      fail(target, it.clock.now, 2);
      target.connected();
      expect(it.sequence(1)).toBe("a");
    }
    fail(target, it.clock.now, 3);
    target.connected();
    expect(it.sequence(1)).toBe("a");
    fail(target, it.clock.now, 3);
    it.clock.now += 1_000;
    expect(it.sequence(1)).toBe("a");
  });

  test("a clock that is set back by a day makes no day of a second", () => {
    const it = world([{}, {}]);
    fail(it.targets[0], NOW);
    it.clock.now = NOW - 86_400_000;
    expect(it.sequence(1)).toBe("a");
  });

  test("what one thread learns, all know", () => {
    const it = world([{}, {}]);
    const [shared] = it.shares as [TargetShare];
    fail(new Target(shared, "db", 1), NOW, 3);
    expect(it.sequence(1)).toBe("b");
    new Target(shared, "db", 2).connected();
    expect(it.sequence(1)).toBe("a");
  });
});

describe("threads", () => {
  test("never take more than a target's connections, and each counts its own", () => {
    const step = fc.record({ worker: fc.nat(WORKERS - 1), what: fc.constantFrom("take", "take", "give", "die") });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.nat(5), (steps, maxConnections) => {
        const shared = share("a", { maxConnections });
        const threads = Array.from({ length: WORKERS }, (_, worker) => new Target(shared, "db", worker));
        const held = threads.map(() => 0);
        const sum = () => held.reduce((all, one) => all + one, 0);
        for (const { worker, what } of steps) {
          const thread = threads[worker] as Target;
          const [mine = 0, before] = [held[worker], sum()];
          if (what === "take") {
            const room = maxConnections === 0 || before < maxConnections;
            expect([thread.full, thread.take()]).toEqual([!room, room]);
            held[worker] = mine + (room ? 1 : 0);
          } else if (what === "die") {
            expect((threads[0] as Target).abandoned(countersOf(shared, "db", worker))).toBe(mine);
            held[worker] = 0;
          } else if (mine > 0) {
            thread.give();
            held[worker] = mine - 1;
          }
          expect(thread.active).toBe(sum());
          expect(threads.map(({ counters }) => counters.get(CELL.targetActive))).toEqual(held);
        }
      }),
    );
  });

  test("a target that stays when others come and go keeps its turn and connections, and gets its new settings", () => {
    const it = world([{}, {}, {}], { balance: "round_robin" });
    const [a, b] = it.targets;
    expect(it.choose()).toBe(a);
    // As they come to a thread: copies of everything but the memory.
    const [first, second] = it.shares.map((each) => ({ ...each, config: { ...each.config, maxConnections: 9 } }));
    it.pool.replace([share("d"), first, second] as TargetShare[]);
    expect(it.pool.targets.slice(1)).toEqual([a, b]);
    expect([a.active, a.config.maxConnections]).toEqual([1, 9]);
    // "a" has had its turn, and "d" comes first.
    expect(it.sequence(3)).toBe("b d a");
    it.pool.replace([]);
    expect(it.choose()).toBe("none");
  });
});
