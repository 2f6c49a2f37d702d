/** Faults over the admin API: the same words as in `[[proxy.fault]]`, for connections that live as well. */
import type { Hono } from "hono";
import { faultProblem } from "../config/check-faults.ts";
import { faultSchema, toFault } from "../config/fault-schema.ts";
import { formatPath } from "../config/problem.ts";
import { read } from "../config/read.ts";
import type { FaultConfig } from "../filter/faults/fault.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { reconfigure } from "../proxy/turns.ts";
import { meant } from "./words.ts";

export interface FaultSource {
  readonly proxies: readonly ProxyControl[];
}

export function addFaults(app: Hono, source: FaultSource): void {
  const find = (name: string) => source.proxies.find(({ config, draining }) => config.name === name && !draining);
  const unknown = (name: string) => {
    const known = source.proxies.map(({ config }) => config.name);
    return { error: `there is no proxy "${name}"${meant(name, known)}` };
  };
  const change = (proxy: ProxyControl, other: (faults: readonly FaultConfig[]) => readonly FaultConfig[]) =>
    reconfigure(proxy, (config) => ({ ...config, faults: other(config.faults) }));

  app.get("/api/faults/:proxy", (c) => {
    const proxy = find(c.req.param("proxy"));
    return proxy ? c.json({ faults: proxy.config.faults }) : c.json(unknown(c.req.param("proxy")), 404);
  });
  app.post("/api/faults/:proxy", async (c) => {
    const proxy = find(c.req.param("proxy"));
    if (!proxy) return c.json(unknown(c.req.param("proxy")), 404);
    const fault = faultOf(await c.req.json().catch(() => undefined));
    if (typeof fault === "string") return c.json({ error: fault }, 400);
    const problem = faultProblem(fault, proxy.config);
    if (problem) return c.json({ error: `${problem.key}: ${problem.message}` }, 400);
    await change(proxy, (faults) => [...faults.filter(({ name }) => name !== fault.name), fault]);
    return c.json(fault);
  });
  app.post("/api/faults/:proxy/:fault/remove", async (c) => {
    const { proxy: name, fault } = c.req.param();
    const proxy = find(name);
    if (!proxy) return c.json(unknown(name), 404);
    const known = proxy.config.faults.map((each) => each.name);
    if (!known.includes(fault)) {
      return c.json({ error: `proxy "${name}" has no fault "${fault}"${meant(fault, known)}` }, 404);
    }
    await change(proxy, (faults) => faults.filter((each) => each.name !== fault));
    return c.json({ removed: fault });
  });
}

/** The fault that a body describes, or what is wrong with it. */
function faultOf(body: unknown): FaultConfig | string {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return 'the body is no JSON object; send one such as {"type": "latency", "latency": "100ms"}';
  }
  const result = read(faultSchema(), body);
  if (result.ok) return toFault(result.value);
  return result.problems
    .map(({ path, message }) => `${path.length > 0 ? `${formatPath(path)}: ` : ""}${message}`)
    .join("; ");
}
