/** What one configuration of a proxy means for a connection: made once, kept by each connection until its end. */
import { Access, type Verdict } from "../admit/access.ts";
import { RangeTable } from "../admit/ranges.ts";
import { Schedule } from "../admit/schedule.ts";
import type { ProxyConfig } from "../config/config.ts";
import type { Address } from "../net/address.ts";
import { type IpWords, ipWords } from "../net/cidr.ts";
import type { ConnectOptions } from "../net/runtime.ts";

export class Rules {
  readonly config: ProxyConfig;
  readonly connectOptions: ConnectOptions;
  readonly #access: Access;
  readonly #schedule: Schedule;
  readonly #trusted: RangeTable | undefined;

  constructor(config: ProxyConfig) {
    const { noDelay, keepAlive, buffer, timeouts, source, proxyProtocol } = config;
    this.config = config;
    this.connectOptions = { noDelay, keepAlive, buffer, timeout: timeouts.connect, source: source ?? undefined };
    this.#access = new Access(config);
    this.#schedule = new Schedule(config.schedule);
    if (proxyProtocol.acceptFrom.length > 0) this.#trusted = new RangeTable(proxyProtocol.acceptFrom);
  }

  /** There are rules about who comes and when. */
  get looks(): boolean {
    return this.#access.active || this.#schedule.active;
  }

  /** Clients can be judged by their address alone, and who is shut out is reset. */
  get turnsAway(): boolean {
    return this.looks && this.config.refuse === "reset" && !this.#trusted;
  }

  /** What each kind of rule there is says of a client, for people. `now`: milliseconds since 1970. */
  verdicts(client: Address, now: number): readonly Verdict[] {
    return [this.#access.judge(client), ...(this.#schedule.active ? [this.#schedule.judge(now)] : [])];
  }

  /** What shuts a client out now, if something does. `words`: its IP address; `now`: milliseconds since 1970. */
  against(client: Address, words: IpWords | undefined, now: number): Verdict | undefined {
    if (this.#access.active) {
      const verdict = this.#access.judge(client, words);
      if (!verdict.allowed) return verdict;
    }
    if (!this.#schedule.active) return undefined;
    const verdict = this.#schedule.judge(now);
    return verdict.allowed ? undefined : { ...verdict, by: "schedule" };
  }

  /** Whether who connects from there has to say in a PROXY header for whom it does. */
  wantsHeader(peer: Address): boolean {
    if (!this.#trusted || peer.kind === "unix") return false;
    const words = ipWords(peer.host);
    return words !== undefined && this.#trusted.find(words) !== undefined;
  }
}
