/** The dashboard of one admin server: its page, what belongs to it, and a stream of what is going on. */
import type { Context, Hono } from "hono";
import type { LogTail } from "../../log/tail.ts";
import type { AdminSource } from "../app.ts";
import { crossSite } from "../guard.ts";
import type { AssetName } from "./assets.ts";
import { Feed, VIEWERS } from "./feed.ts";

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

export class Dashboard {
  readonly #feed: Feed;

  constructor(source: AdminSource, tail: LogTail) {
    this.#feed = new Feed(source, tail);
  }

  /** How many pages look on. */
  get viewers(): number {
    return this.#feed.viewers;
  }

  addTo(app: Hono): void {
    app.get("/dashboard/:file", async (c) => (await asset(c, c.req.param("file"))) ?? c.notFound());
    app.get("/api/events", (c) => this.#events(c));
  }

  /** The page, for who asks for one; undefined: somebody who wants text, such as curl. */
  async page(c: Context): Promise<Response | undefined> {
    if (!/\btext\/html\b/i.test(c.req.header("accept") ?? "")) return undefined;
    return await asset(c, "page.html");
  }

  /** Ends the streams, to be called before the server is closed. */
  close(): Promise<void> {
    return this.#feed.close();
  }

  #events(c: Context): Response {
    // It could not read them, but take the place of a page that can.
    const foreign = crossSite(c.req.raw, "requests for events");
    if (foreign) return c.json({ error: foreign }, 403);
    const headers = { ...HEADERS, "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" };
    // Nobody would ever read, or cancel, the body of an answer to HEAD.
    if (c.req.raw.method === "HEAD") return c.body(null, 200, headers);
    const body = this.#feed.open();
    if (body) return c.body(body, 200, headers);
    return c.json({ error: `${VIEWERS} pages look on already; close one of them` }, 503, { "retry-after": "5" });
  }
}

/** Loaded when the first page is asked for: who never looks has none of it in memory. */
async function asset(c: Context, name: string): Promise<Response | undefined> {
  const { ASSETS } = await import("./assets.ts");
  if (!Object.hasOwn(ASSETS, name)) return undefined;
  const { type, etag, text } = ASSETS[name as AssetName];
  const headers = { ...HEADERS, etag, "cache-control": "no-cache", vary: "accept" };
  if (c.req.header("if-none-match")?.includes(etag)) return c.body(null, 304, headers);
  return c.body(text, 200, { ...headers, "content-type": type });
}
