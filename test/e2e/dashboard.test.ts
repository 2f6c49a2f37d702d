/** The dashboard in a browser: it shows what is so, and its buttons do what they say. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import type { Browser } from "playwright-core";
import { RUNTIMES } from "../contract/runtimes.ts";
import { launch, Sight } from "./browser.ts";
import { haveTool } from "./tools.ts";
import { Weir } from "./weir.ts";

const LIMIT = 60_000;

describe.skipIf(!haveTool("chromium"))("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  test.each([...RUNTIMES])(
    "shows live traffic, under %s",
    async (runtime) => {
      await using weir = await Weir.start(["demo"], runtime);
      await using sight = await Sight.open(browser, await dashboardOf(weir));
      const { page } = sight;
      const upstream = page.locator(".tile", { hasText: "Upstream" }).locator(".figure");
      await upstream.filter({ hasText: /^[1-9][\d.]* [KM]B\/s$/ }).waitFor();
      await page.locator("#connections tbody tr").nth(3).waitFor();
      await page.locator("#proxies tbody tr", { hasText: "demo" }).locator("canvas").waitFor();
      expect(await page.locator("#targets tbody tr").count()).toBe(2);
      await page.locator("#log li", { hasText: /dashboard http:/ }).waitFor();
      expect(await page.locator("#observers").isVisible()).toBe(false);
      expect(sight.wrong).toEqual([]);
    },
    LIMIT,
  );

  test(
    "closes one connection, and says so",
    async () => {
      await using it = await relay();
      const [kept, cut] = [await it.client(), await it.client()];
      await using sight = await Sight.open(browser, it.url);
      await sight.page.getByRole("searchbox").fill(`127.0.0.1:${cut.localPort}`);
      const row = sight.page.locator("#connections tbody tr");
      await sight.page
        .locator("#connections .note", { hasText: "1 of 1 that were found among 2 connections." })
        .waitFor();
      const closed = new Promise((resolve) => cut.once("close", resolve));
      await row.getByRole("button").click();
      await closed;
      await sight.said("of proxy proxy-1 is closed.");
      await sight.page
        .locator("#connections .note", { hasText: "0 of 0 that were found among 1 connections." })
        .waitFor();
      expect(kept.destroyed).toBe(false);
      expect(sight.wrong).toEqual([]);
    },
    LIMIT,
  );

  test(
    "drains a target, disables it and makes it ready again",
    async () => {
      await using it = await relay();
      await using sight = await Sight.open(browser, it.url);
      for (const [text, state] of [
        ["Drain", "drain"],
        ["Disable", "disabled"],
        ["Ready", "ready"],
      ] as const) {
        const name = `${text} target ${it.target} of proxy proxy-1`;
        await sight.button(name).click();
        await sight.said(`Target ${it.target} of proxy proxy-1 is in state ${state}.`);
        await sight.page.locator(`[aria-label="${name}"][aria-pressed="true"]`).waitFor();
        expect(await it.api("/api/proxies")).toMatchObject({ proxies: [{ targets: [{ state }] }] });
      }
      expect(sight.wrong).toEqual([]);
    },
    LIMIT,
  );

  test(
    "switches a fault on, off and on again, as it was",
    async () => {
      await using it = await relay();
      await using sight = await Sight.open(browser, it.url);
      const { page } = sight;
      const form = page.getByRole("form", { name: "Switch a fault on" });
      await form.getByLabel("Fault").selectOption("latency");
      await form.getByLabel("Direction").selectOption("upstream");
      await form.getByLabel("latency", { exact: true }).fill("nonsense");
      await form.getByLabel("% of connections").fill("50");
      await form.getByRole("button", { name: "Switch on" }).click();
      await sight.said("Not changed: latency: ");
      await form.getByLabel("latency", { exact: true }).fill("1.5s");
      await form.getByRole("button", { name: "Switch on" }).click();
      await sight.said("Fault latency of proxy proxy-1 is on.");
      const wanted = { name: "latency_upstream", toxicity: 0.5, attributes: { latency: 1_500, jitter: 0 } };
      const faults = async () => (await it.api("/api/faults/proxy-1"))["faults"] as object[];
      expect(await faults()).toMatchObject([wanted]);
      await sight.button("Switch off fault latency_upstream of proxy proxy-1").click();
      await sight.said("Fault latency_upstream of proxy proxy-1 is off.");
      expect(await faults()).toEqual([]);
      await sight.button("Switch on fault latency_upstream of proxy proxy-1").click();
      await sight.said("Fault latency_upstream of proxy proxy-1 is on.");
      expect(await faults()).toMatchObject([wanted]);
      expect(sight.wrong).toEqual([]);
    },
    LIMIT,
  );

  test(
    "can be used with the keyboard alone, and the focus stays while figures change",
    async () => {
      await using it = await relay();
      const clients = [await it.client(), await it.client()];
      await using sight = await Sight.open(browser, it.url);
      const { page } = sight;
      await page.locator("#connections tbody tr").nth(1).waitFor();
      await page.keyboard.press("Tab");
      expect(await sight.focused()).toBe("Skip to the figures");
      await page.keyboard.press("Enter");
      await sight.tabTo("Age");
      await page.keyboard.press("Enter");
      await page.locator('#connections th[aria-sort="descending"]', { hasText: "Age" }).waitFor();
      await page.keyboard.press("Space");
      await page.locator('#connections th[aria-sort="ascending"]', { hasText: "Age" }).waitFor();
      await sight.tabTo((await page.locator("#connections tbody button").first().getAttribute("aria-label")) ?? "");
      const name = await sight.focused();
      const ages = () => page.locator("#connections tbody tr").first().textContent();
      const [before, outline] = [
        await ages(),
        await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle),
      ];
      while ((await ages()) === before) await page.waitForTimeout(50);
      expect([await sight.focused(), outline]).toEqual([name, "solid"]);
      const gone = Promise.race(clients.map((client) => new Promise((resolve) => client.once("close", resolve))));
      await page.keyboard.press("Enter");
      await gone;
      await sight.said("of proxy proxy-1 is closed.");
      await page.locator("#connections .note", { hasText: "1 of 1 connections." }).waitFor();
      // The next one is at hand.
      expect(await sight.focused()).toMatch(/^Close connection \d+ of proxy proxy-1$/);
      expect(await sight.focused()).not.toBe(name);
      expect(sight.wrong).toEqual([]);
    },
    LIMIT,
  );

  test(
    "asks for the token once, and again only if it is wrong",
    async () => {
      await using it = await relay("--token-env", "WEIR_DASHBOARD_TOKEN");
      await it.client();
      await using sight = await Sight.open(browser, it.url);
      const { page } = sight;
      const dialog = page.getByRole("dialog");
      const drain = sight.button(`Drain target ${it.target} of proxy proxy-1`);
      await drain.click();
      await dialog.waitFor();
      await page.keyboard.press("Escape");
      await sight.said("Not changed: it needs the token.");
      await drain.click();
      await dialog.getByLabel("Token").fill("wrong");
      await page.keyboard.press("Enter");
      await dialog.getByText("That is not the token.").waitFor();
      await dialog.getByLabel("Token").fill("secret of the test");
      await dialog.getByRole("button", { name: "Go on" }).click();
      await sight.said("is in state drain.");
      await sight.button(`Ready target ${it.target} of proxy proxy-1`).click();
      await sight.said("is in state ready.");
      expect(await dialog.isVisible()).toBe(false);
      expect(sight.wrong).toEqual([]);
    },
    LIMIT,
  );

  test(
    "drains weir after a question, and notices its end",
    async () => {
      await using it = await relay();
      await using sight = await Sight.open(browser, it.url);
      await sight.button("Drain weir").click();
      const dialog = sight.page.getByRole("dialog", { name: "Drain weir?" });
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await sight.button("Drain weir").click();
      await dialog.getByRole("button", { name: "Drain weir" }).click();
      await sight.said("weir drains: it listens no more.");
      expect(await it.weir.exit()).toBe(0);
      await sight.page.locator("#link:not(.live)").waitFor();
    },
    LIMIT,
  );

  test(
    "shows hostile names as the text that they are",
    async () => {
      await using it = await relay();
      await it.client();
      await using sight = await Sight.blank(browser, it.url);
      const { page } = sight;
      const hostile = `"><img src=x onerror="document.title='hacked'"><script>document.title='hacked'</script>`;
      const stream = await fixture(it.url, (text) => (KEPT.test(text) ? text : `${hostile}${text}`));
      await page.route("**/api/events", (route) => route.fulfill({ contentType: "text/event-stream", body: stream }));
      await page.goto(it.url);
      await page.locator("#connections tbody tr", { hasText: hostile }).waitFor();
      for (const panel of ["#proxies tbody", "#targets tbody", "#faults form", "#log li"]) {
        expect(await page.locator(panel).first().textContent()).toContain("<img src=x");
      }
      expect(await page.title()).toBe("weir");
      expect(await page.locator("main img, main script").count()).toBe(0);
      expect(sight.wrong).toEqual([]);
    },
    LIMIT,
  );

  test(
    "says how many connections it does not show, and finds one of them",
    async () => {
      await using it = await relay();
      const clients = await Promise.all(Array.from({ length: 250 }, () => it.client()));
      await using sight = await Sight.open(browser, it.url);
      const note = sight.page.locator("#connections .note");
      await note.filter({ hasText: "100 of 250 connections; 150 more are not shown." }).waitFor();
      const rows = sight.page.locator("#connections tbody tr");
      expect(await rows.count()).toBe(100);
      const { localPort } = clients.at(-1) as Socket;
      await sight.page.getByRole("searchbox").fill(`127.0.0.1:${localPort}`);
      await note.filter({ hasText: "1 of 1 that were found among 250 connections." }).waitFor();
      expect(await rows.count()).toBe(1);
      expect(sight.wrong).toEqual([]);
    },
    LIMIT,
  );

  test(
    "fits a phone, follows the colours of the system, and has a heading, a name and a caption for all",
    async () => {
      await using it = await relay();
      await it.client();
      const papers = new Set<string>();
      for (const colorScheme of ["light", "dark"] as const) {
        const options = { colorScheme, viewport: { width: 390, height: 844 }, reducedMotion: "reduce" as const };
        await using sight = await Sight.open(browser, it.url, options);
        const { page } = sight;
        await page.locator("#connections tbody tr").first().waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
        papers.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
        const nameless = await page.evaluate(() => {
          const controls = [...document.querySelectorAll("main button, main input, main select")];
          const named = (each: Element) => each.textContent || each.getAttribute("aria-label") || each.closest("label");
          const tables = [...document.querySelectorAll("table")].filter(({ caption }) => !caption?.textContent);
          const heads = document.querySelectorAll("th:not([scope])");
          return [...controls.filter((each) => !named(each)), ...tables, ...heads].length;
        });
        expect(nameless).toBe(0);
        expect(await page.getByRole("main").getByRole("heading", { level: 2 }).count()).toBeGreaterThan(4);
        expect(sight.wrong).toEqual([]);
      }
      expect(papers.size).toBe(2);
    },
    LIMIT,
  );
});

/** Words that decide what is shown. */
const KEPT = /^(listening|draining|stream|datagram|native|portable|ready|drain|disabled|info|warn)$/;

/** What weir has told once, with other texts and figures, as a stream of events. */
async function fixture(url: string, text: (text: string) => string) {
  const lines: string[] = [];
  const stream = (await fetch(`${url}api/events`)).body as ReadableStream<Uint8Array>;
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    lines.push(decoder.decode(chunk, { stream: true }));
    if (/event: log\n.*\n\n/.test(lines.join(""))) break;
  }
  const replaced = lines.join("").replace(/^(event: \w+\ndata: )(.*)$/gm, (_, head: string, json: string) => {
    const data = JSON.parse(json, (_, value: unknown) => (typeof value === "string" ? text(value) : value));
    return head + JSON.stringify(data);
  });
  return replaced;
}

/** `weir tcp` in front of an echo server. */
async function relay(...flags: string[]) {
  const echo = await Weir.start(["echo"]);
  const target = `127.0.0.1:${await echo.port()}`;
  const args = ["tcp", "127.0.0.1:0", target, "--metrics", "127.0.0.1:0", ...flags];
  const weir = await Weir.start(args, "bun", ["env", "WEIR_DASHBOARD_TOKEN=secret of the test"]);
  const port = await weir.port();
  const url = await dashboardOf(weir);
  const clients: Socket[] = [];
  return {
    weir,
    target,
    url,
    api: async (path: string) => (await (await fetch(new URL(path, url))).json()) as Record<string, unknown>,
    /** One that is connected all the way. */
    async client(): Promise<Socket> {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      clients.push(socket);
      const answered = new Promise((resolve) => socket.once("data", resolve));
      socket.write("hello");
      await answered;
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of clients) socket.destroy();
      await weir[Symbol.asyncDispose]();
      await echo[Symbol.asyncDispose]();
    },
  };
}

async function dashboardOf(weir: Weir): Promise<string> {
  return (await weir.stdout.next((line) => line.startsWith("dashboard "))).split(" ")[1] ?? "";
}
