/** A client of Toxiproxy drives weir as it is: proxies made, listed, changed, switched off and on, and removed. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Proxy as ToxicProxy, Toxiproxy, ToxiproxyError } from "toxiproxy-node-client";
import type { Probe } from "../contract/probe.ts";
import { roundTrip, toxic, world } from "./toxiproxy-world.ts";

const KINDS = [
  ["bun", "native"],
  ["bun", "portable"],
  ["deno", "native"],
  ["deno", "portable"],
  ["node", "portable"],
] as const;

const LATENCY = toxic("latency", { latency: 60_000, jitter: 0 });

/** The error of a client that may have been connected before weir knew better. */
async function refusal(connecting: Promise<Probe>): Promise<string | undefined> {
  return await connecting.then(
    (client) => client.untilClose(),
    (error: { code?: string }) => error.code,
  );
}

test.each(KINDS)("under %s, %s, a client does all that it can do", async (runtime, engine) => {
  await using it = await world({ runtime, engine });
  expect(JSON.parse(await it.api.getVersion())).toHaveProperty("version");
  expect(await it.api.getAll()).toEqual({});
  const proxy = await it.create();
  expect(proxy.listen).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  const client = await it.client(proxy);
  await roundTrip(client);

  const added = await proxy.addToxic(LATENCY);
  expect(added.toJson()).toEqual(LATENCY);
  client.write(100);
  const changed = await added.update({ ...LATENCY, attributes: { latency: 5, jitter: 1 } });
  expect(changed.attributes).toEqual({ latency: 5, jitter: 1 });
  await client.until(() => client.received === 200, "the echo");
  expect((await proxy.getToxic("latency")).attributes).toEqual({ latency: 5, jitter: 1 });
  await changed.remove();
  await expect(proxy.getToxic("latency")).rejects.toBeInstanceOf(ToxiproxyError);

  const found = await it.api.get("echo");
  expect(found.toJson()).toEqual(proxy.toJson());
  const moved = await found.update({ enabled: true, listen: found.listen, upstream: "localhost:9" });
  expect([moved.listen, moved.upstream]).toEqual([proxy.listen, "localhost:9"]);
  expect(await client.untilClose()).toBe("ECONNRESET");
  await moved.update({ enabled: true, listen: moved.listen, upstream: it.target });
  await roundTrip(await it.client(proxy));

  const wishes = ["echo", "b", "c"].map((name) => ({ name, listen: "127.0.0.1:0", upstream: it.target }));
  expect(Object.keys(await it.api.populate(wishes))).toEqual(["echo", "b", "c"]);
  for (const each of Object.values(await it.api.getAll())) await roundTrip(await it.client(each));
  await it.api.reset();
  await proxy.remove();
  expect(Object.keys(await it.api.getAll()).sort()).toEqual(["b", "c"]);
  expect(await refusal(it.client(proxy))).toBe("ECONNREFUSED");
});

test("no configuration file is needed", async () => {
  await using it = await world({ text: null });
  const client = await it.client(await it.create());
  await roundTrip(client);
  client.finish();
  await client.untilClose();
  it.weir.signal("SIGTERM");
  expect(await it.weir.exit()).toBe(0);
});

test.each(["bun", "deno", "node"] as const)(
  "under %s, it ends when it is told to, whatever clients do",
  async (runtime) => {
    await using it = await world({ runtime });
    const proxy = await it.create();
    const client = await it.client(proxy);
    await roundTrip(client);
    // The rest of this request never comes.
    const slow = await it.client({ listen: new URL(it.url).host });
    slow.writeText("POST /proxies HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{");
    it.weir.signal("SIGTERM");
    await it.weir.stdout.next((line) => line.startsWith("weir: stopping"));
    // Nothing new begins.
    await expect(it.create({ name: "late" })).rejects.toThrow("500");
    client.finish();
    await client.untilClose();
    expect(await it.weir.exit()).toBe(0);
  },
);

test("what is wrong is refused, and changes nothing", async () => {
  await using it = await world();
  const proxy = await it.create();
  const failing = [
    it.create(),
    it.create({ name: "" }),
    it.create({ name: "b", upstream: "nowhere" }),
    it.create({ name: "b", listen: it.target }),
    it.create({ name: "b", listen: "weir.invalid:0" }),
    it.api.get("b"),
    proxy.addToxic(toxic("latency", { latency: -1 })),
    proxy.addToxic(toxic("down", {})),
    proxy.getToxic("latency"),
    new Toxiproxy(`${it.url}/nowhere`).getAll(),
  ];
  const failures = await Promise.all(failing.map((each) => each.catch((error: unknown) => error)));
  expect(failures.map((error) => (error instanceof ToxiproxyError ? error.message.slice(-3) : error))).toEqual([
    "409",
    "400",
    "400",
    "500",
    "500",
    "404",
    "400",
    "400",
    "404",
    "404",
  ]);
  expect(Object.keys(await it.api.getAll())).toEqual(["echo"]);
  await roundTrip(await it.client(proxy));
});

test("a page in a browser may change nothing", async () => {
  await using it = await world();
  const proxy = await it.create();
  for (const headers of [{ origin: "https://example.com" }, { "sec-fetch-site": "cross-site" }]) {
    for (const [method, path] of [
      ["POST", "/reset"],
      ["DELETE", "/proxies/echo"],
    ] as const) {
      expect((await fetch(`${it.url}${path}`, { method, headers })).status).toBe(403);
    }
  }
  await roundTrip(await it.client(proxy));
});

describe.each(["portable", "native"] as const)("on the %s engine", (engine) => {
  test("a proxy that is switched off refuses who comes and resets who is there, until it is on again", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    await proxy.addToxic(toxic("latency", { latency: 1, jitter: 0 }));
    const clients = await Promise.all(Array.from({ length: 10 }, () => it.client(proxy)));
    await Promise.all(clients.map(roundTrip));
    const { listen, upstream } = proxy;
    for (const round of [1, 2, 3]) {
      const off = await proxy.update({ enabled: false, listen, upstream });
      expect([off.enabled, off.listen]).toEqual([false, listen]);
      expect(await refusal(it.client(proxy))).toBe("ECONNREFUSED");
      if (round === 1) for (const client of clients) expect(await client.untilClose()).toBe("ECONNRESET");
      const on = await proxy.update({ enabled: true, listen, upstream });
      expect([on.enabled, on.listen]).toEqual([true, listen]);
      await roundTrip(await it.client(proxy));
    }
    expect((await proxy.getToxic("latency")).attributes).toEqual({ latency: 1, jitter: 0 });
  });

  test("a proxy that cannot have its address is there, switched off, and may have another", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const [taken, upstream] = [it.target, it.target];
    await expect(proxy.update({ enabled: true, listen: taken, upstream })).rejects.toThrow("500");
    expect((await it.api.get("echo")).toJson()).toMatchObject({ enabled: false, listen: taken });
    await expect(it.api.reset()).rejects.toThrow("500");
    const back = await proxy.update({ enabled: true, listen: proxy.listen, upstream });
    await roundTrip(await it.client(back));
  });

  test("populate leaves alone what is as it should be, with its connections and toxics", async () => {
    await using it = await world({ engine });
    const wish = { name: "echo", listen: "127.0.0.1:0", upstream: it.target };
    const { echo } = await it.api.populate([wish]);
    const proxy = echo ?? (await it.create());
    await proxy.addToxic(toxic("latency", { latency: 1, jitter: 0 }));
    const client = await it.client(proxy);
    await roundTrip(client);
    for (const listen of [proxy.listen, wish.listen]) {
      expect((await it.api.populate([{ ...wish, listen }]))["echo"]?.listen).toBe(proxy.listen);
    }
    await roundTrip(client);
    await proxy.getToxic("latency");
    await it.api.populate([{ ...wish, upstream: "localhost:9" }]);
    expect(await client.untilClose()).toBe("ECONNRESET");
    await expect(proxy.getToxic("latency")).rejects.toThrow("404");
  });

  test("reset frees what toxics hold, and leaves connections alone", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const off = await it.create({ name: "off", enabled: false });
    const client = await it.client(proxy);
    await roundTrip(client);
    await proxy.addToxic(LATENCY);
    client.write(100);
    await it.api.reset();
    await roundTrip(client);
    await roundTrip(await it.client(await it.api.get(off.name)));
    await expect(proxy.getToxic("latency")).rejects.toThrow("404");
  });

  test("hosts may be names", async () => {
    await using it = await world({ engine });
    const upstream = it.target.replace("127.0.0.1", "localhost");
    const proxy = await it.create({ listen: "localhost:0", upstream });
    expect(proxy.listen).toMatch(/^localhost:[1-9]\d*$/);
    await roundTrip(await it.client(proxy));
  });

  test("proxies of clients outlive a reload, and those of the file can be changed by clients", async () => {
    const file = (retries: number) => (echo: string) =>
      `[[proxy]]\nname = "file"\nlisten = "127.0.0.1:0"\ntarget = "${echo}"\nretries = ${retries}\n`;
    await using it = await world({ engine, text: file(0) });
    const proxy = await it.create();
    const { file: filed = proxy } = await it.api.getAll();
    expect(filed.name).toBe("file");
    const clients = [await it.client(proxy), await it.client(filed)];
    for (const client of clients) await roundTrip(client);
    await proxy.addToxic(LATENCY);
    await filed.addToxic(LATENCY);
    for (const client of clients) client.write(100);
    for (const retries of [0, 1]) {
      it.write(file(retries)(it.target));
      await it.reload();
    }
    for (const each of [proxy, filed]) await (await each.getToxic("latency")).remove();
    for (const client of clients) await roundTrip(client);
    expect(Object.keys(await it.api.getAll()).sort()).toEqual(["echo", "file"]);
    const { listen } = filed;
    await filed.update({ enabled: false, listen, upstream: it.target });
    expect(await refusal(it.client(filed))).toBe("ECONNREFUSED");
    await filed.update({ enabled: true, listen, upstream: it.target });
    await roundTrip(await it.client(filed));
  });

  test("what clients made of a proxy of the file holds until the file has something else", async () => {
    const directory = mkdtempSync(join(tmpdir(), "weir-toxiproxy-"));
    const file = (retries: number) => (echo: string) =>
      `[[proxy]]\nname = "file"\nlisten = "unix:${directory}/s"\ntarget = "${echo}"\nretries = ${retries}\n`;
    await using it = await world({ engine, text: file(0) });
    const { file: proxy } = (await it.api.getAll()) as { file: ToxicProxy };
    const { listen } = proxy;
    const set = (enabled: boolean, upstream: string) => proxy.update({ enabled, listen, upstream });
    await set(false, it.target);
    await it.reload();
    expect((await it.api.get("file")).enabled).toBe(false);
    await set(true, "localhost:9");
    await it.reload();
    expect((await it.api.get("file")).upstream).toBe("localhost:9");
    it.write(file(1)(it.target));
    await it.reload();
    expect((await it.api.get("file")).toJson()).toEqual(proxy.toJson());
    await roundTrip(await it.client(proxy));
    // From here on it is the file's again.
    it.write(file(2)(it.target));
    await it.reload();
    expect(Object.keys(await it.api.getAll())).toEqual(["file"]);
    await roundTrip(await it.client(proxy));
    rmSync(directory, { recursive: true });
  });
});
