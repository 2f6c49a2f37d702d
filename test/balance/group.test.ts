/** The targets of one proxy as the control plane holds them, in virtual time. */
import { describe, expect, test } from "bun:test";
import { countersOf, type TargetShare } from "../../src/balance/target.ts";
import { DEFAULTS, type ProxyProtocolConfig } from "../../src/config/config.ts";
import { CELL } from "../../src/metrics/counters.ts";
import { settings, started, target } from "./group-world.ts";
import { World } from "./world.ts";

describe("another configuration", () => {
  test("keeps targets that stay, with connections and what was said about them", async () => {
    const it = await started(settings(["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]));
    const before = it.target("10.0.0.2:80");
    before.take();
    it.group.set("10.0.0.2:80", { weight: 7, state: "drain" });
    it.told();
    it.group.configure(settings([target("10.0.0.2:80", { maxConnections: 9 }), "10.0.0.4:80"]));
    expect(it.told()).toEqual(["changed"]);
    expect(it.names()).toEqual(["10.0.0.2:80", "10.0.0.4:80"]);
    expect(it.view("10.0.0.2:80")).toMatchObject({ active: 1, weight: 7, state: "drain", maxConnections: 9 });
    before.give();
    expect(it.target("10.0.0.2:80").active).toBe(0);
    it.group.configure(settings([target("10.0.0.2:80", { weight: 3 })]));
    expect(it.view("10.0.0.2:80")).toMatchObject({ weight: 3, state: "drain" });
  });

  test("a target that goes keeps its connections and its figures, and has them when it comes back", async () => {
    const it = await started(settings(["10.0.0.1:80", "10.0.0.2:80"]));
    const gone = it.target("10.0.0.2:80", 1);
    gone.take();
    it.group.configure(settings(["10.0.0.1:80"]));
    expect(it.names()).toEqual(["10.0.0.1:80"]);
    expect(it.group.set("10.0.0.2:80", { weight: 2 })).toBe(false);
    const given: [string, number][] = [
      ["10.0.0.1:80", 0],
      ["10.0.0.2:80", 1],
    ];
    expect(it.given()).toEqual(given);
    it.group.configure(settings(["10.0.0.2:80"]));
    expect(it.view("10.0.0.2:80")?.active).toBe(1);
    gone.give();
    expect(it.view("10.0.0.2:80")?.active).toBe(0);
    expect(it.given()).toEqual(given.toReversed());
  });

  test("of thousands of targets that come and go none is forgotten with its connections, nor what it counted", async () => {
    const it = await started(settings(["10.0.0.1:80"]));
    it.target("10.0.0.1:80").take();
    for (let n = 2; n < 2_000; n++) {
      const name = `10.0.${n >> 8}.${n & 255}:80`;
      it.group.configure(settings([name]));
      const passing = it.target(name);
      passing.take();
      passing.give();
    }
    const given = it.given();
    expect(given.length).toBeLessThan(150);
    expect(given).toContainEqual(["10.0.0.1:80", 1]);
    expect(given.reduce((sum, [, count]) => sum + count, 0)).toBe(1_999);
    expect(it.group.abandon(0)).toBe(1);
  });

  test("a worker that dies leaves no connection behind, on targets that are gone neither", async () => {
    const it = await started(settings(["10.0.0.1:80", "10.0.0.2:80"]));
    for (const name of ["10.0.0.1:80", "10.0.0.2:80"]) for (const worker of [0, 1]) it.target(name, worker).take();
    const { memory, ...rest } = (it.group.shares as [unknown, TargetShare])[1];
    it.group.configure(settings(["10.0.0.1:80"]));
    expect(it.group.abandon(1)).toBe(2);
    expect(it.group.abandon(1)).toBe(0);
    expect(it.view("10.0.0.1:80")?.active).toBe(1);
    expect(countersOf({ memory, ...rest }, "db", 1).get(CELL.targetActive)).toBe(0);
  });
});

describe("what is said at run time", () => {
  test("a state or a weight holds for all threads at once, and they are told", async () => {
    const it = await started(settings(["10.0.0.1:80"]));
    const thread = it.target("10.0.0.1:80", 1);
    it.told();
    for (const state of ["drain", "disabled", "ready"] as const) {
      expect(it.group.set("10.0.0.1:80", { state })).toBe(true);
      expect([thread.state, thread.open]).toEqual([state, state === "ready"]);
    }
    it.group.set("10.0.0.1:80", { weight: 0 });
    expect([thread.weight, thread.open]).toEqual([0, false]);
    expect(it.told()).toEqual(Array(4).fill("changed"));
    expect(it.group.set("10.0.0.9:80", { weight: 1 })).toBe(false);
  });

  test("a target that is ready again, or new, starts slowly; the first ones, and those of the first answers, do not", async () => {
    const world = new World();
    world.network.names.set("db.internal", ["10.0.1.1"]);
    const it = await started(settings(["10.0.0.1:80", "dns://db.internal:80"]), world);
    const part = (name: string) => {
      const thread = it.target(name);
      thread.weigh(world.runtime.wallClock(), 60_000);
      return thread.effective;
    };
    expect(["10.0.0.1:80", "10.0.1.1:80"].map(part)).toEqual([1, 1]);
    it.group.set("10.0.0.1:80", { state: "drain" });
    it.group.set("10.0.0.1:80", { state: "ready" });
    expect(part("10.0.0.1:80")).toBe(0.05);
    it.group.configure(settings(["10.0.0.1:80", "10.0.0.2:80", "dns://db.internal:80"]));
    await world.run(30_000);
    expect(part("10.0.0.2:80")).toBeCloseTo(0.5, 2);
    it.group.stop();
  });

  test("a target that gets a weight after none, at run time or by the configuration, starts slowly as well", async () => {
    const name = "10.0.0.1:80";
    const weighing = (weight: number) => settings([target(name, { weight }), "10.0.0.2:80"]);
    const it = await started(weighing(0));
    const part = () => {
      const thread = it.target(name);
      thread.weigh(it.world.runtime.wallClock(), 60_000);
      return thread.effective / thread.weight;
    };
    it.group.set(name, { weight: 10 });
    expect(part()).toBe(0.05);
    await it.world.run(30_000);
    it.group.set(name, { weight: 20, state: "ready" });
    expect(part()).toBeCloseTo(0.5, 5);
    // Not before it is both ready and has a weight, whichever comes first.
    it.group.set(name, { weight: 0, state: "drain" });
    it.group.set(name, { weight: 10 });
    expect(part()).toBeCloseTo(0.5, 5);
    it.group.set(name, { state: "ready" });
    expect(part()).toBe(0.05);
    await it.world.run(60_000);
    expect(part()).toBe(1);
    it.group.configure(weighing(3));
    expect(part()).toBe(1);
    it.group.configure(weighing(0));
    it.group.configure(weighing(3));
    expect(part()).toBeCloseTo(0.05, 5);
  });

  test("nobody looks at a disabled target: it has no check, and counts as well", async () => {
    const it = await started(settings(["10.0.0.1:80"], {}));
    expect(it.view("10.0.0.1:80")).toMatchObject({ healthy: false, check: "connection refused" });
    it.told();
    it.group.set("10.0.0.1:80", { state: "disabled" });
    expect(it.view("10.0.0.1:80")).toMatchObject({ healthy: true, check: null });
    expect(it.world.left).toEqual([]);
    await it.world.run(10_000);
    expect(it.told()).toEqual(["changed"]);
    it.group.configure(settings(["10.0.0.1:80"], { timeout: 500 }));
    expect(it.world.left).toEqual([]);
    it.group.set("10.0.0.1:80", { state: "drain" });
    await it.world.run(100);
    expect(it.view("10.0.0.1:80")).toMatchObject({ healthy: false, check: "connection refused" });
    it.group.stop();
    expect(it.world.left).toEqual([]);
  });
});

describe("health", () => {
  test("is told when it changes, threads see it at once, and whoever waits hears of it, for better or worse", async () => {
    const world = new World();
    const it = await started(settings(["10.0.0.1:80", "10.0.0.2:80"], { rise: 1, fall: 1 }), world);
    expect(it.told().sort()).toEqual([
      "10.0.0.1:80 is connection refused",
      "10.0.0.2:80 is connection refused",
      "changed",
      "changed",
      "changed",
    ]);
    expect(it.well()).toEqual([]);
    const listener = await world.target();
    await world.run(2_000);
    expect(it.told()).toEqual(["10.0.0.1:80 is well", "changed"]);
    expect(it.well()).toEqual(["10.0.0.1:80"]);
    expect([it.target("10.0.0.1:80").healthy, it.target("10.0.0.2:80", 1).healthy]).toEqual([true, false]);
    const closed = listener.close();
    await world.run(2_000);
    await closed;
    expect(it.told()).toEqual(["10.0.0.1:80 is connection refused", "changed"]);
    expect(it.well()).toEqual([]);
    it.group.stop();
    await world.run(10);
    expect(world.left).toEqual([]);
  });

  test("of a target that stays is looked at again when the checks are others, and holds until then", async () => {
    const it = await started(settings(["10.0.0.1:80"], { fall: 9, rise: 9 }));
    await it.world.target();
    it.told();
    it.group.configure(settings(["10.0.0.1:80", "10.0.0.2:80"], { fall: 9, rise: 9, timeout: 500 }));
    expect(it.group.views.map(({ healthy }) => healthy)).toEqual([false, true]);
    await it.world.run(100);
    const news = ["10.0.0.1:80 is well", "10.0.0.2:80 is connection refused", ...Array(3).fill("changed")];
    expect(it.told().sort()).toEqual(news);
    await it.world.run(10_000);
    it.group.stop();
    await it.world.run(10);
    expect(it.world.left).toEqual([]);
  });

  test("stays what it was under another configuration, as long as the checks are the same", async () => {
    const it = await started(settings(["10.0.0.1:80"], {}));
    it.told();
    it.group.configure(settings(["10.0.0.1:80", "10.0.0.2:80"], {}));
    expect(it.view("10.0.0.1:80")?.healthy).toBe(false);
    await it.world.run(100);
    expect(it.told()).toEqual(["changed", "10.0.0.2:80 is connection refused", "changed"]);
    it.group.stop();
    expect(it.world.left).toEqual([]);
  });

  test("that nobody looks at any more is good before threads are told", async () => {
    const it = await started(settings(["10.0.0.1:80", "10.0.0.2:80"], {}));
    expect(it.well()).toEqual([]);
    it.told();
    it.group.configure(settings(["10.0.0.1:80", "10.0.0.2:80"]));
    expect(it.told()).toEqual(["changed"]);
    expect(it.well()).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
    expect(it.world.left).toEqual([]);
  });

  test("is looked at on the way that connections take, and again at once when that is another", async () => {
    const world = new World();
    await world.target();
    const ways = [
      { source: "192.0.2.1" },
      { source: "192.0.2.2", ...sending("off") },
      { source: "192.0.2.2", ...sending("v1") },
      { source: null, ...sending("v2") },
      { source: null, ...sending("v2") },
      {},
    ].map((way) => ({ ...settings(["10.0.0.1:80"], {}), ...way }));
    const [first, ...others] = ways as [(typeof ways)[number], ...typeof ways];
    const it = await started(first, world);
    for (const each of others) {
      it.group.configure(each);
      await world.run(100);
    }
    expect(world.sources).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.2", undefined, undefined]);
    const heard = ["", "", "PROXY UNKNOWN\r\n", "\r\n\r\n\0\r\nQUIT\n \0\0\0", ""];
    expect(world.peers.map(({ received }) => received)).toEqual(heard);
    it.group.stop();
  });
});

function sending(send: ProxyProtocolConfig["send"]) {
  return { proxyProtocol: { ...DEFAULTS.proxy.proxyProtocol, send } };
}
