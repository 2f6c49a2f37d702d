/**
 * Names to addresses. getaddrinfo(3) blocks, so it runs elsewhere: whoever makes a resolver says where. One
 * answer serves all who ask within a few seconds; it carries no time to live of its own.
 */
import { isIPv4, isIPv6 } from "../../src/net/address.ts";

/** Asks the system. Rejects with an error whose `code` is that of getaddrinfo. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** Milliseconds for which an answer holds. */
const FRESH = 5_000;
const NAMES_MAX = 1_000;

export class Resolver {
  readonly #lookup: Lookup;
  readonly #now: () => number;
  readonly #answers = new Map<string, { readonly hosts: readonly string[]; readonly until: number }>();
  readonly #asking = new Map<string, Promise<readonly string[]>>();

  constructor(lookup: Lookup, now: () => number) {
    this.#lookup = lookup;
    this.#now = now;
  }

  /** The addresses, if nobody has to be asked. */
  known(host: string): readonly string[] | undefined {
    if (isIPv4(host) || isIPv6(host)) return [host];
    const answer = this.#answers.get(host);
    return answer && answer.until > this.#now() ? answer.hosts : undefined;
  }

  resolve(host: string): Promise<readonly string[]> {
    const known = this.known(host);
    if (known) return Promise.resolve(known);
    const asking = this.#asking.get(host) ?? this.#ask(host);
    this.#asking.set(host, asking);
    return asking;
  }

  async #ask(host: string): Promise<readonly string[]> {
    try {
      const hosts = await this.#lookup(host);
      if (this.#answers.size >= NAMES_MAX) this.#answers.clear();
      this.#answers.set(host, { hosts, until: this.#now() + FRESH });
      return hosts;
    } finally {
      this.#asking.delete(host);
    }
  }
}
