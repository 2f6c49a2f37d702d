import { expect, test } from "bun:test";
import { DEFAULTS } from "../../src/config/config.ts";
import { LOOPBACK } from "../contract/kit.ts";
import { Clock, sourceOf, watched } from "./dashboard-world.ts";
import { FakeProxy } from "./fake-proxies.ts";

/** Counts how often it is looked at, and can be made to say a lot. */
class Watched extends FakeProxy {
  looks = 0;

  constructor(name = "db") {
    super({ ...DEFAULTS.proxy, name, listen: LOOPBACK, targets: [] }, LOOPBACK, []);
  }

  override async connections() {
    this.looks++;
    return await super.connections();
  }
}

function rig(name?: string) {
  const clock = new Clock();
  const proxy = new Watched(name);
  return { clock, proxy, source: sourceOf(clock.runtime, [proxy]) };
}

/** Lets what was written reach who reads it: turns of the event loop, while the clock of the test stands. */
async function settled(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test("a page is told at once, then once a second", async () => {
  const { clock, source } = rig();
  await using it = await watched(source);
  const page = it.page();
  await page.until(() => page.of("sample").length === 1);
  expect(page.events.map(({ event }) => event)).toEqual(["hello", "sample"]);
  expect(page.of("sample")[0]?.data).toMatchObject({ ready: true, proxies: [{ name: "db", state: "listening" }] });
  for (let second = 2; second <= 4; second++) {
    await settled(() => clock.timers === 1);
    clock.pass(1_000);
    await page.until(() => page.of("sample").length === second);
  }
});

test("all pages share one sampler, which stops with the last of them", async () => {
  const { clock, proxy, source } = rig();
  await using it = await watched(source);
  const pages = [it.page(), it.page(), it.page()];
  for (const page of pages) await page.until(() => page.of("sample").length > 0);
  await settled(() => clock.timers === 1);
  const before = proxy.looks;
  const seen = pages.map((page) => page.of("sample").length);
  clock.pass(1_000);
  for (const [index, page] of pages.entries()) await page.until(() => page.of("sample").length > (seen[index] ?? 0));
  expect(proxy.looks).toBe(before + 1);
  for (const page of pages) page.leave();
  await settled(() => it.dashboard.viewers === 0);
  expect(clock.timers).toBe(0);
  clock.pass(60_000);
  expect(proxy.looks).toBe(before + 1);
});

test("nobody looks: nothing is done", async () => {
  const { clock, proxy, source } = rig();
  await using _ = await watched(source);
  clock.pass(60_000);
  expect([clock.timers, proxy.looks]).toEqual([0, 0]);
});

test("a seventeenth page is told to wait, and may come when another has left", async () => {
  const { source } = rig();
  await using it = await watched(source);
  const pages = Array.from({ length: 16 }, () => it.page());
  for (const page of pages) await page.until(() => page.events.length > 0);
  const refused = await fetch(it.url);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await refused.json()).toEqual({ error: "16 pages look on already; close one of them" });
  pages[0]?.leave();
  await settled(() => it.dashboard.viewers === 15);
  const another = it.page();
  await another.until(() => another.of("sample").length > 0);
});

test("a page that does not read holds two samples at most, and is let go after 30 seconds", async () => {
  // The first sample is larger than what the sockets of both sides take; the second one waits behind it.
  const { clock, proxy, source } = rig("x".repeat(32_000_000));
  await using it = await watched(source);
  it.page(false);
  await settled(() => it.dashboard.viewers === 1 && clock.timers === 1);
  proxy.config = { ...proxy.config, name: "db" };
  for (let second = 1; second <= 30; second++) {
    clock.pass(1_000);
    await settled(() => clock.timers === 1);
  }
  expect(it.dashboard.viewers).toBe(1);
  clock.pass(1_000);
  await settled(() => it.dashboard.viewers === 0);
  expect(clock.timers).toBe(0);
});

test("lines of the log come once, in order, and what was missed is counted", async () => {
  const { clock, source } = rig();
  await using it = await watched(source);
  it.tail.add(1, "info", "before\nanother line\n\nevent: forged\ndata: {}\n");
  const page = it.page();
  await page.until(() => page.of("log").length === 1);
  for (let line = 0; line < 300; line++) it.tail.add(2, "warn", `later ${line}`);
  await settled(() => clock.timers === 1);
  clock.pass(1_000);
  await page.until(() => page.of("log").length === 2);
  const [first, second] = page.of("log").map(({ data }) => data as { lost: number; lines: { text: string }[] });
  expect(first).toMatchObject({ lost: 0, lines: [{ number: 1, level: "info" }] });
  expect(first?.lines[0]?.text).toBe("before\nanother line\n\nevent: forged\ndata: {}\n");
  expect(second?.lost).toBe(100);
  expect(second?.lines.map(({ text }) => text)).toEqual(
    Array.from({ length: 200 }, (_, line) => `later ${100 + line}`),
  );
  expect(page.of("forged")).toEqual([]);
});

test("closing ends every stream with a word, and opens no more", async () => {
  const { clock, proxy, source } = rig();
  await using it = await watched(source);
  const pages = [it.page(), it.page()];
  for (const page of pages) await page.until(() => page.of("sample").length > 0);
  void it.dashboard.close();
  for (const page of pages) await page.until(() => page.of("bye").length === 1);
  const { looks } = proxy;
  clock.pass(60_000);
  expect([it.dashboard.viewers, proxy.looks]).toEqual([0, looks]);
  expect((await fetch(it.url)).status).toBe(503);
});

test("a proxy that fails to answer spoils one sample alone", async () => {
  const { clock, proxy, source } = rig();
  await using it = await watched(source);
  const page = it.page();
  await page.until(() => page.of("sample").length === 1);
  await settled(() => clock.timers === 1);
  const answers = proxy.connections;
  proxy.connections = () => Promise.reject(new Error("the thread has ended"));
  clock.pass(1_000);
  await settled(() => clock.timers === 1);
  proxy.connections = answers;
  clock.pass(1_000);
  await page.until(() => page.of("sample").length === 2);
});
