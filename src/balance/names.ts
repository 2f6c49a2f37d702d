/** Targets behind a name of DNS: asks again and again, and keeps the last good answer when there is none. */
import type { DnsConfig, TargetConfig } from "../config/config.ts";
import { SocketError } from "../net/errors.ts";
import type { Runtime, Timer } from "../net/runtime.ts";
import type { DnsName } from "../net/target-name.ts";
import type { Found } from "./group.ts";

export interface NameEvents {
  /** Who is behind the name, whenever that has changed. */
  found(targets: readonly Found[]): void;
  /** It could not be resolved; the last answer holds. `undefined`: it can again. */
  failed(error: SocketError | undefined): void;
}

type Settings = Omit<TargetConfig, "address">;

export class NameWatch {
  /** The first answer has come, or is not to be had now. */
  readonly asked: Promise<void>;
  readonly #runtime: Runtime;
  readonly #name: DnsName;
  readonly #settings: Settings;
  readonly #dns: DnsConfig;
  readonly #events: NameEvents;
  /** The last addresses of the hosts that a service is on. */
  #hosts: ReadonlyMap<string, readonly string[]> = new Map();
  #known = "";
  #failing = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(runtime: Runtime, name: DnsName, settings: Settings, dns: DnsConfig, events: NameEvents) {
    this.#runtime = runtime;
    this.#name = name;
    this.#settings = settings;
    this.#dns = dns;
    this.#events = events;
    this.asked = this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #ask(): Promise<void> {
    const { found, failure } = await this.#resolve().catch(
      (failure: unknown): Answer => ({ found: undefined, failure }),
    );
    if (this.#stopped) return;
    // Before anybody is told: he may stop us.
    this.#timer = this.#runtime.after(this.#dns.interval, () => void this.#ask());
    const known = JSON.stringify(found);
    if (found && known !== this.#known) {
      this.#known = known;
      this.#events.found(found);
    }
    const failing = failure !== undefined;
    if (failing !== this.#failing) this.#events.failed(failing ? socketError(failure) : undefined);
    this.#failing = failing;
  }

  async #resolve(): Promise<Answer> {
    const name = this.#name;
    if (name.kind === "dns+srv") return await this.#resolveService(name.name);
    const hosts = await this.#runtime.resolve(name.host, this.#dns);
    const found = hosts.map(
      (host): Found => ({ address: { kind: "tcp", host, port: name.port }, config: this.#settings }),
    );
    return { found: sorted(found), failure: undefined };
  }

  /** A host that cannot be resolved has the addresses that it had, and the others are not kept waiting for it. */
  async #resolveService(name: string): Promise<Answer> {
    const services = await this.#runtime.resolveService(name, this.#dns);
    const hosts = new Map<string, readonly string[]>();
    let failure: unknown;
    const ask = async (host: string) => {
      try {
        hosts.set(host, await this.#runtime.resolve(host, this.#dns));
      } catch (error) {
        failure ??= error;
        const before = this.#hosts.get(host);
        if (before) hosts.set(host, before);
      }
    };
    await Promise.all([...new Set(services.map(({ host }) => host))].map(ask));
    if (hosts.size === 0) throw failure;
    this.#hosts = hosts;
    // RFC 2782: those of the lowest priority are meant; the others are for when none of them can be reached.
    const lowest = Math.min(...services.map(({ priority }) => priority));
    const found = services.flatMap(({ host, port, priority, weight }) => {
      const config = { ...this.#settings, weight: weight || 1, backup: this.#settings.backup || priority > lowest };
      return (hosts.get(host) ?? []).map(
        (address): Found => ({ address: { kind: "tcp", host: address, port }, config }),
      );
    });
    return { found: sorted(found), failure };
  }
}

interface Answer {
  /** Undefined: the last answer holds. */
  readonly found: readonly Found[] | undefined;
  /** Why it is not the whole answer. */
  readonly failure: unknown;
}

function socketError(error: unknown): SocketError {
  return error instanceof SocketError ? error : new SocketError("EAI_AGAIN", String(error));
}

/** Servers answer in another order each time. Of two records of one address the first counts: not the backup. */
function sorted(found: readonly Found[]): readonly Found[] {
  const order = ({ address, config }: Found) => JSON.stringify([address, config.backup, config]);
  return [...found].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
