/** The admin server of a service: where it listens, who may change things, and how that becomes something else. */
import { type AdminSource, adminApp } from "../admin/app.ts";
import { Dashboard } from "../admin/dashboard/dashboard.ts";
import type { GuardRules } from "../admin/guard.ts";
import type { AdminConfig } from "../config/config.ts";
import { same } from "../config/same.ts";
import type { Log } from "../log/log.ts";
import { covers, formatAddress } from "../net/address.ts";
import { SocketError, UsageError } from "../net/errors.ts";
import type { Bound, Runtime } from "../net/runtime.ts";
import type { Host } from "./host.ts";

/** Milliseconds that a server which is no longer wanted has for the answers that are on their way. */
const LINGER = 1_000;

/** A change that is ready to be made, or not. */
export interface AdminChange {
  commit(): void;
  undo(): Promise<void>;
  /** What takes effect at the next start alone. */
  readonly later: readonly string[];
}

interface Server {
  readonly bound: Bound;
  readonly dashboard: Dashboard;
  readonly rules: { -readonly [Key in keyof GuardRules]: GuardRules[Key] };
}

export class AdminServer {
  readonly #runtime: Runtime;
  readonly #host: Host;
  readonly #log: Log;
  readonly #source: AdminSource;
  #server: Server | undefined;

  constructor(runtime: Runtime, host: Host, log: Log, source: AdminSource) {
    this.#runtime = runtime;
    this.#host = host;
    this.#log = log;
    this.#source = source;
  }

  /** Where it listens, if it does. */
  get bound(): Bound | undefined {
    return this.#server?.bound;
  }

  /** Starts it, if somebody wants one. An address that nobody asked for may be taken: then there is only a notice. */
  async start(config: AdminConfig): Promise<void> {
    this.#server = await this.#serve(config);
  }

  /** Gets ready for another configuration. Rejects, with everything as it was, when that cannot be. */
  async prepare(before: AdminConfig, config: AdminConfig): Promise<AdminChange> {
    const token = this.#token(config);
    const [old, now] = [before.listen, config.listen];
    const stays = same(old, now);
    // Two servers cannot have it at the same time, and nobody should be without one if the new one fails.
    const overlaps = !stays && old !== null && now !== null && (covers(old, now) || covers(now, old));
    if (stays || overlaps) {
      const commit = () => {
        if (this.#server) this.#server.rules.token = token;
      };
      return { commit, undo: async () => {}, later: overlaps ? ["admin.listen"] : [] };
    }
    const server = await this.#serve(config);
    const commit = () => {
      if (now !== null && !server) return;
      const gone = this.#server;
      this.#server = server;
      // Whoever has asked for this over the old one is still to have his answer.
      if (gone) this.#runtime.after(LINGER, () => void gone.bound.close());
    };
    return { commit, undo: async () => await shut(server), later: [] };
  }

  async close(): Promise<void> {
    await this.#server?.dashboard.close();
    await closed(this.#runtime, this.#server?.bound);
  }

  async #serve(config: AdminConfig): Promise<Server | undefined> {
    const { listen, explicit } = config;
    if (!listen) return undefined;
    const rules = { listen, token: this.#token(config) };
    const dashboard = new Dashboard(this.#source, this.#log.tail);
    try {
      const bound = await this.#runtime.serve(listen, adminApp(this.#source, rules, dashboard));
      return { bound, dashboard, rules };
    } catch (error) {
      if (explicit || !(error instanceof SocketError)) throw error;
      const text = `weir: no metrics: ${error.message}; give another address with --metrics, or --metrics off`;
      this.#log.write("warn", "no_metrics", text, { address: formatAddress(listen), error: error.code });
      return undefined;
    }
  }

  #token({ tokenEnv }: AdminConfig): string | undefined {
    if (tokenEnv === null) return undefined;
    const token = this.#host.env(tokenEnv);
    if (token) return token;
    const remedy = "set it to a secret";
    throw new UsageError("ECONFIG", `admin.token_env: the environment variable ${tokenEnv} is not set; ${remedy}`);
  }
}

async function shut(server: Server | undefined): Promise<void> {
  await server?.dashboard.close();
  await server?.bound.close();
}

/** Closes a server: waits for answers that are on their way, but not for ever. */
export async function closed(runtime: Runtime, server: Bound | undefined): Promise<void> {
  let enough: () => void = () => {};
  const patience = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const timer = runtime.after(LINGER, () => enough());
  await Promise.race([server?.close(), patience]);
  timer.cancel();
}
