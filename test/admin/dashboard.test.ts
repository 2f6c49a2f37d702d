import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { ASSETS_FILE, embedded } from "../../scripts/embed.ts";
import { adminApp } from "../../src/admin/app.ts";
import { ASSETS } from "../../src/admin/dashboard/assets.ts";
import { Dashboard } from "../../src/admin/dashboard/dashboard.ts";
import { LogTail } from "../../src/log/tail.ts";
import { LOOPBACK } from "../contract/kit.ts";
import { sourceOf } from "./dashboard-world.ts";

const source = sourceOf(runtime);
const dashboard = new Dashboard(source, new LogTail());
const app = adminApp(source, { listen: LOOPBACK, token: undefined }, dashboard);
const get = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
  await app(new Request(`http://127.0.0.1${path}`, { method, headers }));
const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

test("what is embedded is what its sources say; if not, run: bun scripts/embed.ts", async () => {
  expect((await Bun.file(ASSETS_FILE).text()) === (await embedded())).toBe(true);
});

test("browsers get the page at /, others the text, and caches are told", async () => {
  const page = await get("/", BROWSER);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(await page.text()).toBe(ASSETS["page.html"].text);
  for (const accept of ["*/*", "text/plain", "application/json", ""]) {
    const text = await get("/", { accept });
    expect([text.status, text.headers.get("vary")]).toEqual([200, "accept"]);
    expect(await text.text()).toStartWith("weir ");
  }
  expect(page.headers.get("vary")).toBe("accept");
  expect((await get("/", BROWSER, "POST")).status).toBe(405);
});

test("the page brings a policy that allows this server alone, and nothing inline", async () => {
  for (const path of ["/", ...Object.keys(ASSETS).map((name) => `/dashboard/${name}`)]) {
    const { headers } = await get(path, BROWSER);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toStartWith("default-src 'none'; ");
    expect(policy).not.toMatch(/unsafe|data:|blob:|\*|https?:/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  }
  const { text } = ASSETS["page.html"];
  expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc="\/)[^>]*>/i);
  for (const [, address] of text.matchAll(/(?:src|href)="([^"]*)"/g)) expect(address).toMatch(/^[/#](?!\/)/);
  expect(ASSETS["page.css"].text).not.toMatch(/url\(|@import/);
});

test("an asset that a browser has already is not sent again", async () => {
  const first = await get("/dashboard/client.js");
  expect(first.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  const etag = first.headers.get("etag") ?? "";
  const again = await get("/dashboard/client.js", { "if-none-match": etag });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  expect((await get("/dashboard/client.js", { "if-none-match": '"other"' })).status).toBe(200);
});

test("what is not there is not found, whatever it is called", async () => {
  for (const name of ["x", "assets.ts", "constructor", "__proto__", "..%2fpage.css", "page.css/x", ""]) {
    expect((await get(`/dashboard/${name}`)).status).toBe(404);
  }
});

test("HEAD of the events opens no stream", async () => {
  const head = await get("/api/events", {}, "HEAD");
  expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  expect(dashboard.viewers).toBe(0);
});

test("pages of other sites take no place of one that may look", async () => {
  for (const headers of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "http://evil" },
  ]) {
    const refused = await get("/api/events", headers as Record<string, string>);
    expect([refused.status, ((await refused.json()) as { error: string }).error]).toEqual([
      403,
      expect.stringMatching(/^requests for events from pages of .* are refused$/),
    ]);
  }
  expect(dashboard.viewers).toBe(0);
});

test("an admin server without a dashboard has none of it", async () => {
  const plain = adminApp(source, { listen: LOOPBACK, token: undefined });
  const status = async (path: string) =>
    (await plain(new Request(`http://127.0.0.1${path}`, { headers: BROWSER }))).status;
  expect([await status("/"), await status("/api/events"), await status("/dashboard/page.css")]).toEqual([
    200, 404, 404,
  ]);
});

test("every colour of text has a contrast of 4.5 and more, in the light and in the dark", async () => {
  const css = await Bun.file(new URL("../../src/admin/dashboard/page.css", import.meta.url)).text();
  const schemes = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, body = ""]) => {
    return Object.fromEntries(
      [...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]),
    );
  });
  expect(schemes).toHaveLength(2);
  for (const scheme of schemes) {
    const colour = (name: string) => scheme[name] ?? "";
    const ratios = ["paper", "card"].flatMap((ground) =>
      ["ink", "faint", "accent", "up", "down", "good", "bad"].map((text) => contrast(colour(text), colour(ground))),
    );
    expect(Math.min(...ratios, contrast(colour("on-accent"), colour("accent")))).toBeGreaterThanOrEqual(4.5);
  }
});

/** As WCAG 2 has it. */
function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
