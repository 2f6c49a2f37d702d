/** Targets behind names of DNS, in virtual time: who is found, who is kept when there is no answer, and what is told. */
import { expect, test } from "bun:test";
import { settings, started, target } from "./group-world.ts";
import { World } from "./world.ts";

const NAME = "dns://db.internal:5432";
const SERVICE = "dns+srv://_pg._tcp.db.internal";

/** A world whose DNS knows these addresses of `db.internal`. */
function worldWith(...addresses: readonly string[]): World {
  const world = new World();
  world.network.names.set("db.internal", addresses);
  return world;
}

test("the targets behind a name are there when the group has started, among others in their order", async () => {
  const it = await started(settings(["10.0.0.1:80", NAME, "10.0.0.2:80"]), worldWith("10.1.0.2", "10.1.0.1"));
  expect(it.names()).toEqual(["10.0.0.1:80", "10.1.0.1:5432", "10.1.0.2:5432", "10.0.0.2:80"]);
  expect(it.told()).toEqual(["changed", "changed", "+10.1.0.1:5432 +10.1.0.2:5432"]);
  it.group.stop();
  expect(it.world.left).toEqual([]);
});

test("whoever comes and goes is told, and an answer in another order is no news", async () => {
  const world = worldWith("10.1.0.1", "10.1.0.2");
  const it = await started(settings([target(NAME, { weight: 5, maxConnections: 9 })]), world);
  const stays = it.target("10.1.0.2:5432");
  stays.take();
  it.told();
  world.network.names.set("db.internal", ["10.1.0.2", "10.1.0.1"]);
  await world.run(5_000);
  expect(it.told()).toEqual([]);
  world.network.names.set("db.internal", ["10.1.0.3", "10.1.0.2"]);
  await world.run(2_000);
  expect(it.told()).toEqual(["changed", "+10.1.0.3:5432 -10.1.0.1:5432"]);
  expect(it.view("10.1.0.2:5432")).toMatchObject({ active: 1, weight: 5, maxConnections: 9 });
  expect(it.given()).toEqual([
    ["10.1.0.2:5432", 1],
    ["10.1.0.3:5432", 0],
    ["10.1.0.1:5432", 0],
  ]);
  it.group.stop();
});

test("without an answer the last one holds, which is told once, and once when there is one again", async () => {
  const world = worldWith("10.1.0.1");
  const it = await started(settings([NAME]), world);
  it.told();
  for (const [answer, code] of [
    ["EAI_AGAIN", "EAI_AGAIN"],
    ["silence", "EAI_AGAIN"],
    [[], "ENOTFOUND"],
  ] as const) {
    world.network.names.set("db.internal", answer);
    await world.run(10_000);
    expect(it.told()).toEqual([`${NAME}: ${code}`]);
    expect(it.names()).toEqual(["10.1.0.1:5432"]);
    world.network.names.set("db.internal", ["10.1.0.1"]);
    await world.run(5_000);
    expect(it.told()).toEqual([`${NAME}: found again`]);
  }
  it.group.stop();
});

test("a name that is unknown at first has its targets when it is known", async () => {
  const it = await started(settings([NAME, "10.0.0.1:80"]));
  expect(it.told()).toEqual(["changed", `${NAME}: ENOTFOUND`]);
  it.world.network.names.set("db.internal", ["10.1.0.1"]);
  await it.world.run(2_000);
  expect(it.told().sort()).toEqual(["+10.1.0.1:5432", "changed", `${NAME}: found again`]);
  expect(it.names()).toEqual(["10.1.0.1:5432", "10.0.0.1:80"]);
  it.group.stop();
});

test("a service has the weights and ports of its records, backups behind the lowest priority", async () => {
  const world = worldWith();
  world.network.names.set("a.internal", ["10.1.0.1", "10.1.0.2"]).set("b.internal", ["10.1.0.3"]);
  world.network.services.set("_pg._tcp.db.internal", [
    { host: "b.internal", port: 7, priority: 20, weight: 0 },
    { host: "a.internal", port: 8, priority: 10, weight: 60 },
    // The same host twice: one of its addresses counts once.
    { host: "a.internal", port: 8, priority: 30, weight: 1 },
  ]);
  const it = await started(settings([SERVICE]), world);
  const views = it.group.views.map(({ address, weight, backup }) => ({ address, weight, backup }));
  expect(views).toEqual([
    { address: "10.1.0.1:8", weight: 60, backup: false },
    { address: "10.1.0.2:8", weight: 60, backup: false },
    { address: "10.1.0.3:7", weight: 1, backup: true },
  ]);
  it.group.stop();
});

test("of a service's hosts one that cannot be resolved keeps its addresses, and the others go on", async () => {
  const world = worldWith();
  world.network.names.set("a.internal", ["10.1.0.1"]).set("b.internal", ["10.1.0.2"]);
  const records = ["a.internal", "b.internal"].map((host) => ({ host, port: 8, priority: 0, weight: 1 }));
  world.network.services.set("_pg._tcp.db.internal", records);
  const it = await started(settings([SERVICE]), world);
  it.told();
  world.network.names.set("a.internal", ["10.1.0.9"]).set("b.internal", "EAI_AGAIN");
  await world.run(5_000);
  expect(it.told()).toEqual(["changed", "+10.1.0.9:8 -10.1.0.1:8", `${SERVICE}: EAI_AGAIN`]);
  expect(it.names()).toEqual(["10.1.0.2:8", "10.1.0.9:8"]);
  it.group.stop();
});

test("under another configuration a name keeps its targets until the next answer", async () => {
  const world = worldWith("10.1.0.1");
  const it = await started(settings([NAME]), world);
  // The same in other objects, as a file that is read again.
  it.group.configure(settings([NAME], {}));
  expect(it.names()).toEqual(["10.1.0.1:5432"]);
  it.group.configure(settings([target(NAME, { weight: 3 }), "10.0.0.1:80"]));
  expect(it.names()).toEqual(["10.1.0.1:5432", "10.0.0.1:80"]);
  await world.run(100);
  expect(it.view("10.1.0.1:5432")?.weight).toBe(3);
  it.group.configure(settings(["10.0.0.1:80"]));
  expect(it.names()).toEqual(["10.0.0.1:80"]);
  expect(world.left).toEqual([]);
});

test("targets that are found are checked, and no longer when they are gone", async () => {
  const world = worldWith("10.1.0.1");
  const it = await started(settings([NAME], { interval: 500 }), world);
  expect(it.view("10.1.0.1:5432")?.healthy).toBe(false);
  world.network.names.set("db.internal", ["10.1.0.2"]);
  await world.run(2_000);
  expect(it.group.views).toMatchObject([{ address: "10.1.0.2:5432", healthy: false, check: "connection refused" }]);
  // One timer for the name, and one or an attempt for the target.
  expect(world.process.timers + world.process.attempts.size).toBeLessThanOrEqual(3);
  it.group.stop();
  expect(world.left).toEqual([]);
  await world.run(10_000);
  expect(it.told().filter((line) => line.includes("is"))).toHaveLength(2);
});

test("after stop no answer is heard, whenever it comes", async () => {
  for (let ms = 0; ms <= 1_100; ms += 11) {
    const world = worldWith("10.1.0.1");
    const it = await started(settings([NAME]), world);
    world.network.names.set("db.internal", ["10.1.0.2"]);
    await world.run(ms);
    it.told();
    it.group.stop();
    await world.run(5_000);
    expect(it.told()).toEqual([]);
    expect(world.left).toEqual([]);
  }
});

test("whoever is told of targets may stop the group", async () => {
  const world = worldWith("10.1.0.1");
  const it = await started(settings([NAME], {}), world);
  it.told();
  it.onFound(() => it.group.stop());
  world.network.names.set("db.internal", ["10.1.0.2"]);
  await world.run(5_000);
  expect(it.told()).toHaveLength(2);
  expect(world.left).toEqual([]);
});
