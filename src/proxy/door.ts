/** Who is let in at all: the rules about clients, and what one source may have. */
import type { Verdict } from "../admit/access.ts";
import { formatRate } from "../admit/rate.ts";
import { type Entry, Sources, TOO_FAST, TOO_MANY } from "../admit/sources.ts";
import type { Address } from "../net/address.ts";
import { type IpWords, ipWords } from "../net/cidr.ts";
import type { Runtime } from "../net/runtime.ts";
import type { Rules } from "./rules.ts";

/** A connection, or a UDP session, that wants in. */
export interface Guest {
  readonly rules: Rules;
  readonly client: Address;
  /** What it holds of the limits of its source, until {@link Door.leave}. */
  source: { readonly sources: Sources; readonly entry: Entry } | undefined;
}

export class Door {
  readonly #runtime: Pick<Runtime, "wallClock">;
  readonly #share: { readonly workers: number; readonly worker: number };
  #memory: SharedArrayBuffer | null = null;
  #sources: Sources | undefined;

  constructor(runtime: Pick<Runtime, "wallClock">, share: { readonly workers: number; readonly worker: number }) {
    this.#runtime = runtime;
    this.#share = share;
  }

  /** `memory`: of all threads, as long as sources are limited. */
  configure(memory: SharedArrayBuffer | null): void {
    if ((memory === null) === (this.#memory === null)) return;
    const { workers, worker } = this.#share;
    this.#memory = memory;
    this.#sources = memory ? new Sources(memory, workers, worker) : undefined;
  }

  /** What shuts a guest out; without, it counts for its source from here on. */
  against(guest: Guest): Verdict | undefined {
    const { rules } = guest;
    if (!rules.looks && !this.#sources) return undefined;
    const { client } = guest;
    const words = client.kind === "tcp" ? ipWords(client.host) : undefined;
    const now = this.#runtime.wallClock();
    return rules.against(client, words, now) ?? this.#overdone(guest, words, now);
  }

  leave({ source }: Guest): void {
    source?.sources.leave(source.entry);
  }

  /** The limit of its source that a guest breaks. */
  #overdone(guest: Guest, words: IpWords | undefined, now: number): Verdict | undefined {
    const sources = this.#sources;
    if (!sources || !words) return undefined;
    const { perSource } = guest.rules.config;
    const entry = sources.enter(words, now, perSource);
    if (entry === TOO_MANY) {
      const rule = `max_connections_per_source ${perSource.maxConnections}`;
      return { allowed: false, rule, by: "max_connections_per_source" };
    }
    if (entry === TOO_FAST) {
      const rule = `rate.connections_per_source ${formatRate(perSource.perSecond)}`;
      return { allowed: false, rule, by: "rate" };
    }
    guest.source = { sources, entry };
    return undefined;
  }
}
