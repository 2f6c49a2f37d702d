/** Loads the modules of filters that users have written. */
import type { ProxyConfig } from "../config/config.ts";
import type { ScriptFilter } from "../filter/script.ts";
import { UsageError } from "../net/errors.ts";
import type { Runtime } from "../net/runtime.ts";
import { usesTls } from "../tls/tls-config.ts";

/** What runs, by its path in the configuration. */
export type Scripts = ReadonlyMap<string, ScriptFilter>;

/**
 * Why a proxy has to run in the main thread, in words: there are its files, and what its scripts and TLS need of the
 * runtime. Undefined: it does not.
 */
export function whyMainThread(config: MainThreadNeeds): string | undefined {
  const { inspects, filters } = config;
  if (usesTls(config)) return "it speaks TLS";
  if (inspects.length > 0) return "it inspects";
  return filters.some(({ type }) => type === "script") ? "it has a script for a filter" : undefined;
}

type MainThreadNeeds = Pick<ProxyConfig, "inspects" | "filters" | "listen" | "targets">;

export function needsMainThread(config: MainThreadNeeds): boolean {
  return whyMainThread(config) !== undefined;
}

/**
 * The scripts of a proxy. One that `known` has is not loaded; one whose file has changed is loaded again.
 *
 * @throws {UsageError} `ECONFIG` if a module cannot be loaded, or exports no function as its default.
 */
export async function loadScripts(
  runtime: Pick<Runtime, "importModule" | "name">,
  { name, filters }: Pick<ProxyConfig, "name" | "filters">,
  known: Scripts = new Map(),
): Promise<Scripts> {
  const scripts = new Map<string, ScriptFilter>();
  for (const filter of filters) {
    if (filter.type !== "script" || scripts.has(filter.path)) continue;
    const wrong = (why: string) => new UsageError("ECONFIG", `proxy "${name}": filter "${filter.path}": ${why}`);
    const script = known.get(filter.path) ?? (await imported(runtime, filter.path, wrong));
    scripts.set(filter.path, script);
  }
  return scripts;
}

async function imported(
  { importModule, name }: Pick<Runtime, "importModule" | "name">,
  path: string,
  wrong: (why: string) => UsageError,
): Promise<ScriptFilter> {
  if (!importModule) throw wrong(`${name} loads no modules here`);
  const module = await importModule(path).catch((error: unknown) => {
    throw wrong(`it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  });
  const script = (module as { readonly default?: unknown }).default;
  if (typeof script === "function") return script as ScriptFilter;
  throw wrong("its default export is no function; write export default (session) => ({ … })");
}
