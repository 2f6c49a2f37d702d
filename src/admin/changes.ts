/** The part of the admin API that changes something. */
import type { Context, Hono } from "hono";
import type { TargetChange } from "../balance/group.ts";
import { TARGET_STATES } from "../balance/target.ts";
import { WEIGHT_MAX } from "../config/config.ts";
import type { Changes } from "../engine/proxy-set.ts";
import { UsageError } from "../net/errors.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { addFaults } from "./faults.ts";
import { meant } from "./words.ts";

/** Nothing is changed any more: weir is about to end. */
export class StoppingError extends Error {
  override readonly message = "weir is stopping";
}

export interface Changeable {
  readonly proxies: readonly ProxyControl[];
  /** Reads the configuration again; undefined: there is none to read. */
  reload(): Promise<Changes | undefined>;
  /** Stops listening, and ends when the connections have. */
  drain(): void;
}

export function addChanges(app: Hono, source: Changeable): void {
  addFaults(app, source);
  app.post("/api/reload", async (c) => {
    try {
      const changes = await source.reload();
      if (changes) return c.json(changes);
      return c.json({ error: "there is no configuration file to read again; weir run has one" }, 409);
    } catch (error) {
      if (error instanceof StoppingError) return c.json({ error: error.message }, 409);
      if (error instanceof UsageError) return c.json({ error: error.message }, 422);
      return c.json({ error: error instanceof Error ? error.message : String(error) }, 500);
    }
  });
  app.post("/api/drain", (c) => {
    source.drain();
    return c.json({ draining: true }, 202);
  });
  app.post("/api/connections/:id/close", async (c) => {
    const text = c.req.param("id");
    const id = Number(text);
    if (!/^\d+$/.test(text)) return c.json({ error: `the id "${text}" is not a number; see /api/connections` }, 400);
    const closed = await Promise.all(source.proxies.map((proxy) => proxy.close(id)));
    if (closed.includes(true)) return c.json({ closed: id });
    return c.json({ error: `there is no connection ${id}; it may have ended` }, 404);
  });
  app.post("/api/targets/:proxy/:address{.+}", async (c) => {
    const { proxy: name, address } = c.req.param();
    const proxy = source.proxies.find(({ config, draining }) => config.name === name && !draining);
    if (!proxy) {
      const known = source.proxies.map(({ config }) => config.name);
      return c.json({ error: `there is no proxy "${name}"${meant(name, known)}` }, 404);
    }
    const change = await changeOf(c);
    if (typeof change === "string") return c.json({ error: change }, 400);
    if (!proxy.setTarget(address, change)) {
      const known = proxy.targets.map((target) => target.address);
      return c.json({ error: `proxy "${name}" has no target "${address}"${meant(address, known)}` }, 404);
    }
    return c.json(proxy.targets.find((target) => target.address === address));
  });
}

const KEYS = ["state", "weight"];

/** The change that a body asks for, or what is wrong with it. */
async function changeOf(c: Context): Promise<TargetChange | string> {
  const body: unknown = await c.req.json().catch(() => undefined);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return 'the body is no JSON object; send one such as {"state": "drain"}';
  }
  const { state, weight } = body as { readonly state?: unknown; readonly weight?: unknown };
  const unknown = Object.keys(body).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `unknown key "${unknown}"; use ${KEYS.join(" and ")}`;
  if (state === undefined && weight === undefined) return "there is nothing to change; send state, weight or both";
  const known = TARGET_STATES.find((each) => each === state);
  if (state !== undefined && !known) return `state is ${JSON.stringify(state)}; use ${TARGET_STATES.join(", ")}`;
  const whole = typeof weight === "number" && Number.isInteger(weight) && weight >= 0 && weight <= WEIGHT_MAX;
  if (weight !== undefined && !whole) return `weight is ${JSON.stringify(weight)}; use 0 to ${WEIGHT_MAX}`;
  return { ...(known ? { state: known } : {}), ...(whole ? { weight } : {}) };
}
