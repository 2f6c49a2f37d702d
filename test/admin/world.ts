/** A proxy in front of an echo, and the admin API of it. */
import { runtime } from "#runtime";
import { adminApp } from "../../src/admin/app.ts";
import type { GuardRules } from "../../src/admin/guard.ts";
import { DEFAULTS, plainTarget } from "../../src/config/config.ts";
import { PortableEngine } from "../../src/engine/portable.ts";
import { formatAddress } from "../../src/net/address.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";

export const CHANGES = { added: ["b"], changed: [], removed: [], later: [] };

export async function world(rules: Partial<GuardRules> = {}) {
  const kit = new Kit(runtime);
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const engine = new PortableEngine(runtime);
  const targets = [plainTarget(echo.address), plainTarget({ kind: "unix", path: "/run/a b/x.sock" })];
  const proxy = await engine.open({ ...DEFAULTS.proxy, name: "db", listen: LOOPBACK, targets });
  const told: string[] = [];
  const source = {
    runtime,
    engine,
    proxies: [proxy],
    past: [],
    bridges: [],
    ready: true,
    started: { at: runtime.now(), wallClock: Date.UTC(2026, 0, 2) },
    reload: async (): Promise<typeof CHANGES | undefined> => CHANGES,
    drain: () => void told.push("drain"),
  };
  const app = adminApp(source, { listen: LOOPBACK, token: undefined, ...rules });
  return {
    source,
    proxy,
    told,
    target: encodeURIComponent(formatAddress(echo.address)),
    async get(path: string) {
      const response = await app(new Request(`http://127.0.0.1:8998${path}`));
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async post(path: string, body?: unknown, headers: Record<string, string> = {}) {
      const init = { method: "POST", headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const response = await app(new Request(`http://127.0.0.1:8998${path}`, init));
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    client: async () => new Probe(await kit.connect(proxy.address)),
    async [Symbol.asyncDispose]() {
      proxy.cut();
      await proxy.drain();
      await echo.stop(0, Promise.resolve());
      await kit.clean();
    },
  };
}
