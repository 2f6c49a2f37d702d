/** Proxies as clients of Toxiproxy make, change and remove them, one change after the other. */
import { describe, expect, test } from "bun:test";
import { type ProxyWish, ToxicProxies } from "../../src/admin/toxic-proxies.ts";
import { plainTarget } from "../../src/config/config.ts";
import { parseAddress } from "../../src/net/address.ts";
import { deferred, LOOPBACK } from "../contract/kit.ts";
import { fault } from "../filter/faults/rig.ts";
import { FakeProxies, FIRST_PORT } from "./fake-proxies.ts";

const UPSTREAM = "127.0.0.1:6379";
const REDIS = { name: "redis", listen: "127.0.0.1:26379", upstream: UPSTREAM };
const LATENCY = fault("latency", { latency: 100 });

function world() {
  const host = new FakeProxies();
  return { host, proxies: new ToxicProxies(host) };
}

/** One that has a fault. */
async function faulty(wish: ProxyWish = REDIS) {
  const it = world();
  await it.proxies.create(wish);
  await it.proxies.faults("redis", () => [LATENCY]);
  it.host.told.length = 0;
  return it;
}

function refusal(status: number, message: string) {
  return expect.objectContaining({ name: "ToxicError", status, message: expect.stringContaining(message) });
}

describe("a proxy that is created", () => {
  test("runs as it is wished for, with the defaults of the rest", async () => {
    const { host, proxies } = world();
    const view = { ...REDIS, enabled: true, faults: [] };
    expect(await proxies.create(REDIS)).toEqual(view);
    expect(proxies.find("redis")).toEqual(view);
    expect(host.running[0]?.config).toEqual({
      ...host.defaults,
      name: "redis",
      listen: parseAddress(REDIS.listen, "listen"),
      targets: [plainTarget(parseAddress(UPSTREAM, "target"))],
    });
  });

  test.each([
    ["127.0.0.1:0", `127.0.0.1:${FIRST_PORT}`],
    [":0", `[::]:${FIRST_PORT}`],
    ["0.0.0.0:26379", "0.0.0.0:26379"],
    ["localhost:0", `localhost:${FIRST_PORT}`],
    ["weir.test:26379", "weir.test:26379"],
    ["26379", "127.0.0.1:26379"],
    ["[::1]:26379", "[::1]:26379"],
    ["unix:/run/weir.sock", "unix:/run/weir.sock"],
    ["", `127.0.0.1:${FIRST_PORT}`],
    [undefined, `127.0.0.1:${FIRST_PORT}`],
  ])("and listens on %p says that it listens on %s", async (listen, bound) => {
    const { proxies } = world();
    expect(await proxies.create({ ...REDIS, listen })).toMatchObject({ listen: bound });
    expect(proxies.find("redis").listen).toBe(bound);
  });

  test.each(["redis:6379", "redis.internal.test:6379", "[::1]:6379", "unix:/run/redis.sock", "dns://redis.test:6379"])(
    "may have %s behind it",
    async (upstream) => {
      expect(await world().proxies.create({ ...REDIS, upstream })).toMatchObject({ upstream });
    },
  );

  test("and switched off is there and does not run", async () => {
    const { host, proxies } = world();
    const view = { ...REDIS, enabled: false, faults: [] };
    expect(await proxies.create({ ...REDIS, enabled: false })).toEqual(view);
    expect(proxies.all).toEqual([view]);
    expect(host.running).toEqual([]);
  });

  test.each<[ProxyWish, string]>([
    [{ upstream: UPSTREAM }, "missing required field: name"],
    [{ name: "", upstream: UPSTREAM }, "missing required field: name"],
    [{ name: "redis", listen: REDIS.listen }, "missing required field: upstream"],
    [{ ...REDIS, upstream: "" }, "missing required field: upstream"],
    [{ ...REDIS, upstream: "redis" }, 'Cannot parse address "redis": the port is missing'],
    [{ ...REDIS, upstream: "redis:0" }, "port 0 cannot be connected to"],
    [{ ...REDIS, listen: "127.0.0.1:99999" }, "the port 99999 is out of range"],
    [{ ...REDIS, name: "a\nb" }, "bad request body: a name has 1 to 100 characters"],
  ])("is refused if something is wrong with it: %j", async (wish, message) => {
    const { proxies } = world();
    await expect(proxies.create(wish)).rejects.toEqual(refusal(400, message));
    expect(proxies.all).toEqual([]);
  });

  test.each([true, false])("needs a name of its own, whether the other is enabled (%p) or not", async (enabled) => {
    const { proxies } = world();
    await proxies.create({ ...REDIS, enabled });
    // Before its addresses are read.
    const wish = { ...REDIS, listen: "nowhere" };
    await expect(proxies.create(wish)).rejects.toEqual(refusal(409, "proxy already exists"));
  });

  test("and cannot listen is not there", async () => {
    const { host, proxies } = world();
    host.taken.add(REDIS.listen);
    await expect(proxies.create(REDIS)).rejects.toEqual(refusal(500, `Cannot listen on ${REDIS.listen}`));
    expect(proxies.all).toEqual([]);
  });
});

describe("a proxy that is updated", () => {
  test.each<[string, ProxyWish]>([
    ["nothing", {}],
    ["its own fields", { ...REDIS, enabled: true }],
    ["another name", { name: "other" }],
    ["any port", { listen: "127.0.0.1:0" }],
    ["no address", { listen: "", upstream: "" }],
    ["other words for the same", { listen: "tcp://127.0.0.1:26379", upstream: "6379" }],
  ])("goes on if it is to have %s", async (_, wish) => {
    const { host, proxies } = await faulty();
    expect(await proxies.update("redis", wish)).toEqual({ ...REDIS, enabled: true, faults: [LATENCY] });
    expect(host.told).toEqual([]);
  });

  test.each<[string, Partial<typeof REDIS>, string]>([
    ["listen", { listen: "127.0.0.1:26380" }, "127.0.0.1:26380"],
    ["the host it listens on", { listen: "0.0.0.0:0" }, "0.0.0.0:26379"],
    ["upstream", { upstream: "redis:6380" }, "127.0.0.1:26379"],
  ])("begins anew with another %s, and keeps its faults", async (_, wish, listen) => {
    const { host, proxies } = await faulty();
    const view = { ...REDIS, ...wish, listen, enabled: true, faults: [LATENCY] };
    expect(await proxies.update("redis", wish)).toEqual(view);
    expect(proxies.all).toEqual([view]);
    expect(host.told).toEqual(["remove redis", `add redis ${listen}`]);
  });

  test("and switched off keeps its port and its faults until it is switched on", async () => {
    const { host, proxies } = await faulty({ ...REDIS, listen: "127.0.0.1:0" });
    const listen = `127.0.0.1:${FIRST_PORT}`;
    const off = { ...REDIS, listen, enabled: false, faults: [LATENCY] };
    expect(host.running[0]?.config.listen).toEqual(LOOPBACK);
    expect(await proxies.update("redis", { enabled: false })).toEqual(off);
    expect(await proxies.update("redis", { enabled: false, listen: "127.0.0.1:0" })).toEqual(off);
    expect(proxies.all).toEqual([off]);
    expect(host.told).toEqual(["remove redis"]);
    expect(await proxies.update("redis", { enabled: true })).toEqual({ ...off, enabled: true });
    expect(host.told).toEqual(["remove redis", `add redis ${listen}`]);
    for (const running of host.running) running.draining = true;
    expect(proxies.all).toEqual([]);
  });

  test("while it is switched off may get other addresses", async () => {
    const { host, proxies } = await faulty();
    await proxies.update("redis", { enabled: false });
    expect(await proxies.update("redis", { listen: "127.0.0.1:1", upstream: "127.0.0.1:2" })).toMatchObject({
      listen: "127.0.0.1:1",
      upstream: "127.0.0.1:2",
      enabled: false,
    });
    expect(host.told).toEqual(["remove redis"]);
  });

  test("and cannot listen is there, switched off, as it was to be", async () => {
    const { host, proxies } = await faulty();
    host.taken.add("127.0.0.1:80");
    await expect(proxies.update("redis", { listen: "127.0.0.1:80" })).rejects.toEqual(
      refusal(500, "the address is in use"),
    );
    expect(proxies.all).toEqual([{ ...REDIS, listen: "127.0.0.1:80", enabled: false, faults: [LATENCY] }]);
    host.taken.clear();
    expect(await proxies.update("redis", { enabled: true })).toMatchObject({ listen: "127.0.0.1:80", enabled: true });
  });

  test("stays as it was if an address is none", async () => {
    const { host, proxies } = await faulty();
    for (const wish of [{ listen: "x" }, { upstream: "x" }, { upstream: "x", enabled: false }]) {
      await expect(proxies.update("redis", wish)).rejects.toEqual(refusal(400, 'Cannot parse address "x"'));
    }
    await proxies.update("redis", {});
    expect(host.told).toEqual([]);
  });

  test("and unknown is not found", async () => {
    await expect(world().proxies.update("redis", {})).rejects.toEqual(refusal(404, "proxy not found"));
  });

  test("is never missing from the list meanwhile", async () => {
    const { host, proxies } = await faulty();
    const going = deferred<void>();
    host.pace = going.promise;
    const update = proxies.update("redis", { upstream: "127.0.0.1:2" });
    while (host.told.length === 0) await Promise.resolve();
    expect(proxies.find("redis")).toMatchObject({ enabled: false, upstream: "127.0.0.1:2" });
    going.resolve();
    expect(await update).toMatchObject({ enabled: true });
  });
});

test("a proxy of the configuration keeps what clients know nothing of", async () => {
  const { host, proxies } = world();
  const targets = ["127.0.0.1:1", "127.0.0.1:2"].map((text) => plainTarget(parseAddress(text, "target")));
  host.configured("web", { targets, retries: 3 });
  const view = { name: "web", listen: "127.0.0.1:1000", upstream: "127.0.0.1:1, 127.0.0.1:2", faults: [] };
  expect(proxies.all).toEqual([{ ...view, enabled: true }]);
  expect(await proxies.update("web", { ...view, enabled: false })).toEqual({ ...view, enabled: false });
  expect(await proxies.populate([{ ...view, enabled: true }])).toEqual([{ ...view, enabled: true }]);
  expect(host.running.at(-1)?.config).toMatchObject({ targets, retries: 3 });
});

test("a proxy that a reload has started again is there once", async () => {
  const { host, proxies } = world();
  host.configured("web");
  await proxies.update("web", { enabled: false });
  host.configured("web");
  expect(proxies.all).toHaveLength(1);
  expect(proxies.find("web").enabled).toBe(true);
  await proxies.remove("web");
  expect(proxies.all).toEqual([]);
});

describe("populate", () => {
  const MYSQL = { name: "mysql", listen: "127.0.0.1:23306", upstream: "127.0.0.1:3306" };

  test("makes what is not there, enabled unless it is to be off, in order", async () => {
    const { proxies } = world();
    const made = await proxies.populate([REDIS, { ...MYSQL, enabled: false }]);
    expect(made.map(({ name, enabled }) => [name, enabled])).toEqual([
      ["redis", true],
      ["mysql", false],
    ]);
    expect(proxies.all).toHaveLength(2);
  });

  test.each<[string, ProxyWish]>([
    ["the same", REDIS],
    ["the same and enabled", { ...REDIS, enabled: true }],
    ["any port", { ...REDIS, listen: "127.0.0.1:0" }],
    ["no address to listen on", { name: "redis", upstream: UPSTREAM }],
  ])("lets one go on that is to have %s", async (_, wish) => {
    const { host, proxies } = await faulty();
    expect(await proxies.populate([wish])).toEqual([{ ...REDIS, enabled: true, faults: [LATENCY] }]);
    expect(host.told).toEqual([]);
  });

  test("leaves off what is off unless it is to be enabled", async () => {
    const { proxies } = await faulty();
    await proxies.update("redis", { enabled: false });
    expect(await proxies.populate([REDIS])).toMatchObject([{ enabled: false, faults: [LATENCY] }]);
    expect(await proxies.populate([{ ...REDIS, enabled: true }])).toMatchObject([{ enabled: true, faults: [LATENCY] }]);
  });

  test("makes one anew, enabled and without faults, that is to have other addresses", async () => {
    const { proxies } = await faulty();
    await proxies.update("redis", { enabled: false });
    const upstream = "127.0.0.1:6380";
    const view = { ...REDIS, upstream, enabled: true, faults: [] };
    expect(await proxies.populate([{ ...REDIS, upstream }])).toEqual([view]);
    expect(proxies.all).toEqual([view]);
  });

  test.each<[ProxyWish, string]>([
    [{ upstream: UPSTREAM }, "missing required field: name at proxy 2"],
    [{ name: "mysql" }, "missing required field: upstream at proxy 2"],
    [{ ...MYSQL, listen: "x" }, 'Cannot parse address "x"'],
  ])("makes none of them if something is wrong with one: %j", async (wish, message) => {
    const { host, proxies } = world();
    await expect(proxies.populate([REDIS, wish])).rejects.toEqual(refusal(400, message));
    expect(proxies.all).toEqual([]);
    expect(host.told).toEqual([]);
  });

  test("keeps those that run when one cannot listen", async () => {
    const { host, proxies } = world();
    host.taken.add(MYSQL.listen);
    await expect(proxies.populate([REDIS, MYSQL])).rejects.toEqual(refusal(500, "the address is in use"));
    expect(proxies.all.map(({ name }) => name)).toEqual(["redis"]);
  });
});

describe("reset", () => {
  test("switches all on and takes their faults away, without a restart of those that run", async () => {
    const { host, proxies } = await faulty();
    await proxies.create({ name: "off", listen: "127.0.0.1:1", upstream: UPSTREAM, enabled: false });
    await proxies.faults("off", () => [LATENCY]);
    await proxies.reset();
    expect(proxies.all.map(({ enabled, faults }) => [enabled, faults])).toEqual([
      [true, []],
      [true, []],
    ]);
    await proxies.reset();
    expect(host.told).toEqual(["configure redis: ", "add off 127.0.0.1:1"]);
  });

  test("resets the others, too, when one cannot listen", async () => {
    const { host, proxies } = world();
    host.taken.add("127.0.0.1:1");
    await proxies.create({ name: "a", listen: "127.0.0.1:1", upstream: UPSTREAM, enabled: false });
    await proxies.create({ name: "b", listen: "127.0.0.1:2", upstream: UPSTREAM, enabled: false });
    await expect(proxies.reset()).rejects.toEqual(refusal(500, "the address is in use"));
    expect(proxies.all.map(({ name, enabled }) => [name, enabled]).sort()).toEqual([
      ["a", false],
      ["b", true],
    ]);
  });
});

test("a proxy that is removed is gone, on or off, and its name is free", async () => {
  const { host, proxies } = world();
  for (const enabled of [true, false]) {
    await proxies.create({ ...REDIS, enabled });
    await proxies.remove("redis");
    expect(proxies.all).toEqual([]);
    await expect(proxies.remove("redis")).rejects.toEqual(refusal(404, "proxy not found"));
  }
  expect(host.told).toEqual([`add redis ${REDIS.listen}`, "remove redis"]);
});

test("changes that come at once are made in turn, each on what the one before has left", async () => {
  const { host, proxies } = world();
  const going = deferred<void>();
  host.pace = going.promise;
  const results = Promise.allSettled([
    proxies.create(REDIS),
    proxies.create(REDIS),
    proxies.faults("redis", (faults) => [...faults, { ...LATENCY, name: "one" }]),
    proxies.update("redis", { enabled: false }),
    proxies.faults("redis", (faults) => [...faults, { ...LATENCY, name: "two" }]),
    proxies.update("redis", { upstream: "127.0.0.1:2", enabled: true }),
    proxies.remove("nobody"),
    proxies.create({ ...REDIS, name: "other" }),
  ]);
  going.resolve();
  expect((await results).map(({ status }) => status === "fulfilled")).toEqual([
    true,
    false,
    true,
    true,
    true,
    true,
    false,
    true,
  ]);
  expect(proxies.find("redis")).toMatchObject({ upstream: "127.0.0.1:2", faults: [{ name: "one" }, { name: "two" }] });
  expect(host.told).toEqual([
    "add redis 127.0.0.1:26379",
    "configure redis: one",
    "remove redis",
    "add redis 127.0.0.1:26379",
    "add other 127.0.0.1:26379",
  ]);
});
