/**
 * Toxiproxy's HTTP API, so that its clients drive weir as they are. Paths, fields, texts of errors and status codes are
 * theirs, version 2; what only weir has (other faults, `after`) is left out of answers that have no place for it.
 */
import { type Context, Hono } from "hono";
import type { FaultConfig } from "../filter/faults/fault.ts";
import type { Fetch } from "../net/runtime.ts";
import { VERSION } from "../version.ts";
import { type GuardRules, guard } from "./guard.ts";
import type { ProxyWish, ToxicProxies, ToxicProxy } from "./toxic-proxies.ts";
import { bad, fieldsOf, fromToxic, isToxic, ToxicError, type ToxicJson, text, toToxic } from "./toxics.ts";

/** The version of the API: clients look at it. */
const API_VERSION = "2.12.0";

/** What there is, and with which methods. */
const METHODS: Readonly<Record<string, string>> = {
  "/version": "GET",
  "/reset": "POST",
  "/populate": "POST",
  "/proxies": "GET, POST",
  "/proxies/:name": "GET, POST, PATCH, DELETE",
  "/proxies/:name/toxics": "GET, POST",
  "/proxies/:name/toxics/:toxic": "GET, POST, PATCH, DELETE",
};

export function toxiproxyApp(proxies: ToxicProxies, rules: GuardRules): Fetch {
  const app = new Hono();
  app.use(async (c, next) => {
    const refusal = c.req.method === "GET" ? undefined : refuse(c.req.raw, rules);
    if (!refusal) return await next();
    c.res = failure(c, refusal.status, refusal.error);
  });
  app.onError((error, c) => failure(c, error instanceof ToxicError ? error.status : 500, error.message));
  app.get("/version", (c) => c.json({ version: API_VERSION, weir: VERSION }));
  addProxies(app, proxies);
  addToxics(app, proxies);
  for (const [path, allow] of Object.entries(METHODS)) {
    app.all(path, (c) => failure(c, 405, `${c.req.method} is not allowed here`, { allow }));
  }
  app.notFound((c) => failure(c, 404, `nothing at ${c.req.path}`));
  return (request) => app.fetch(request);
}

/** Why the request may change nothing. Toxiproxy wants nothing to do with browsers. */
function refuse(request: Request, rules: GuardRules): { status: 401 | 403; error: string } | undefined {
  // No page comes from here. One that says so has it from an attacker's DNS, and where others can connect any name of
  // this machine may be right.
  if (request.headers.has("origin")) return { status: 403, error: "changes from pages are refused" };
  return guard(request, rules);
}

function failure(c: Context, status: number, error: string, headers?: Record<string, string>): Response {
  return c.json({ error, status }, status as 500, headers);
}

function addProxies(app: Hono, proxies: ToxicProxies): void {
  app.get("/proxies", (c) => c.json(Object.fromEntries(proxies.all.map((each) => [each.name, toJson(each)]))));
  app.post("/proxies", async (c) => c.json(toJson(await proxies.create(wishOf(await bodyOf(c)))), 201));
  app.post("/populate", async (c) => {
    const body = await bodyOf(c);
    if (!Array.isArray(body)) throw bad("the body is no JSON array");
    return c.json({ proxies: (await proxies.populate(body.map(wishOf))).map(toJson) }, 201);
  });
  app.post("/reset", async (c) => {
    await proxies.reset();
    return c.body(null, 204);
  });
  app.get("/proxies/:name", (c) => c.json(toJson(proxies.find(c.req.param("name")))));
  app.on(["POST", "PATCH"], "/proxies/:name", async (c) => {
    const { name } = proxies.find(c.req.param("name"));
    return c.json(toJson(await proxies.update(name, wishOf(await bodyOf(c)))));
  });
  app.delete("/proxies/:name", async (c) => {
    await proxies.remove(c.req.param("name"));
    return c.body(null, 204);
  });
}

function addToxics(app: Hono, proxies: ToxicProxies): void {
  app.get("/proxies/:name/toxics", (c) => c.json(toxicsOf(proxies.find(c.req.param("name")))));
  app.post("/proxies/:name/toxics", async (c) => {
    const { name } = proxies.find(c.req.param("name"));
    const body = await bodyOf(c);
    const faults = await proxies.faults(name, (before) => [...before, fromToxic(body, undefined, before)]);
    return c.json(toToxic(faults.at(-1) as FaultConfig));
  });
  app.get("/proxies/:name/toxics/:toxic", (c) => {
    const { name, toxic } = c.req.param();
    return c.json(toToxic(named(proxies.find(name).faults, toxic)));
  });
  app.on(["POST", "PATCH"], "/proxies/:name/toxics/:toxic", async (c) => {
    const { name, toxic } = c.req.param();
    named(proxies.find(name).faults, toxic);
    const body = await bodyOf(c);
    const faults = await proxies.faults(name, (before) => {
      const old = named(before, toxic);
      return before.map((each) => (each === old ? fromToxic(body, old) : each));
    });
    return c.json(toToxic(named(faults, toxic)));
  });
  app.delete("/proxies/:name/toxics/:toxic", async (c) => {
    const { name, toxic } = c.req.param();
    await proxies.faults(name, (before) => {
      const gone = named(before, toxic);
      return before.filter((each) => each !== gone);
    });
    return c.body(null, 204);
  });
}

function named(faults: readonly FaultConfig[], name: string): FaultConfig {
  const found = faults.filter(isToxic).find((each) => each.name === name);
  if (!found) throw new ToxicError(404, "toxic not found");
  return found;
}

function toJson({ faults, ...proxy }: ToxicProxy): unknown {
  return { ...proxy, toxics: toxicsOf({ faults }) };
}

/** Without those that its clients have no words for. */
function toxicsOf({ faults }: Pick<ToxicProxy, "faults">): readonly ToxicJson[] {
  return faults.filter(isToxic).map(toToxic);
}

async function bodyOf(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
}

/** What of a proxy a body says. */
function wishOf(body: unknown): ProxyWish {
  const fields = fieldsOf(body, "the body");
  const enabled = fields.get("enabled");
  if (enabled !== undefined && typeof enabled !== "boolean") throw bad("enabled is neither true nor false");
  const [name, listen, upstream] = [text(fields, "name"), text(fields, "listen"), text(fields, "upstream")];
  return { name, listen, upstream, enabled };
}
