/** What goes wrong on purpose with the datagrams of one session. Faults come and go while it lives. */
import { same } from "../../config/same.ts";
import { DATAGRAM_FAULTS, type FaultConfig, hits, isDatagramFault } from "../../filter/faults/fault.ts";
import type { DatagramFaultKind, DatagramStep } from "../../filter/faults/kind.ts";
import type { Direction } from "../../filter/step.ts";
import type { Chunk, Runtime, Timer } from "../../net/runtime.ts";
import { chanceOf } from "../../proxy/steps.ts";

/** The faults of a proxy, and where all chance comes from. */
export interface Treatment {
  readonly seed: number;
  readonly faults: readonly FaultConfig[];
}

export interface FaultyOwner {
  upstream(chunk: Chunk): void;
  downstream(chunk: Chunk): void;
  lost(direction: Direction): void;
  cut(rule: string): void;
}

type Clock = Pick<Runtime, "now" | "after">;

export class SessionFaults {
  /** Datagrams that faults have taken away. */
  lost = 0;
  readonly upstream: Way;
  readonly downstream: Way;
  readonly #clock: Clock;
  readonly #owner: FaultyOwner;
  #down: Timer | undefined;

  constructor(clock: Clock, owner: FaultyOwner) {
    this.#clock = clock;
    this.#owner = owner;
    const lost = (direction: Direction) => () => {
      this.lost++;
      owner.lost(direction);
    };
    this.upstream = new Way(clock, (chunk) => owner.upstream(chunk), lost("upstream"));
    this.downstream = new Way(clock, (chunk) => owner.downstream(chunk), lost("downstream"));
  }

  /** Other faults from now on: those that are as before go on, one that goes passes on what it holds. */
  change({ seed, faults }: Treatment, ordinal: number): void {
    const chance = (name: string) => chanceOf(seed, ordinal, name);
    this.upstream.change(
      faults.filter(({ stream }) => stream === "upstream"),
      chance,
    );
    this.downstream.change(
      faults.filter(({ stream }) => stream === "downstream"),
      chance,
    );
    this.#down?.cancel();
    const down = faults.find((fault) => fault.type === "down" && hits(fault, chance(fault.name)));
    if (!down) return;
    // Not at once: whoever makes the session is not done with that.
    this.#down = this.#clock.after(down.after.time, () => this.#owner.cut(`${down.name}: down`));
  }

  stop(): void {
    this.#down?.cancel();
    this.upstream.stop();
    this.downstream.stop();
  }
}

/** One direction: a chain of faults. */
class Way {
  readonly #clock: Clock;
  readonly #out: (chunk: Chunk) => void;
  readonly #lost: () => void;
  #links: readonly Link[] = [];

  constructor(clock: Clock, out: (chunk: Chunk) => void, lost: () => void) {
    this.#clock = clock;
    this.#out = out;
    this.#lost = lost;
  }

  pass(chunk: Chunk): void {
    const [first] = this.#links;
    if (first) first.pass(chunk);
    else this.#out(chunk);
  }

  change(faults: readonly FaultConfig[], chance: (name: string) => () => number): void {
    const before = this.#links;
    this.#links = faults.map((fault) => {
      const staying = before.find(({ config }) => same(config, fault));
      return staying ?? new Link(this.#clock, fault, chance(fault.name), this.#lost);
    });
    for (const [index, link] of this.#links.entries()) {
      const following = this.#links[index + 1];
      link.next = following ? (chunk) => following.pass(chunk) : this.#out;
    }
    for (const link of before) if (!this.#links.includes(link)) link.release((chunk) => this.pass(chunk));
  }

  stop(): void {
    for (const link of this.#links) link.stop();
  }
}

/** One fault, which does nothing if the dice were against it, or before its time has come. */
class Link {
  readonly config: FaultConfig;
  next: (chunk: Chunk) => void = () => {};
  readonly #clock: Clock;
  readonly #since: number;
  readonly #step: DatagramStep | undefined;
  #bytes = 0;
  #begun: boolean;

  constructor(clock: Clock, config: FaultConfig, random: () => number, lost: () => void) {
    const { type, after, attributes } = config;
    this.config = config;
    this.#clock = clock;
    this.#since = clock.now();
    this.#begun = after.bytes + after.time === 0;
    if (!isDatagramFault(type) || !hits(config, random)) return;
    const kind: DatagramFaultKind = DATAGRAM_FAULTS[type];
    this.#step = kind.join(attributes, { runtime: clock, random, next: (chunk) => this.next(chunk), lost });
  }

  pass(chunk: Chunk): void {
    if (this.#step && this.#begins(chunk.length)) this.#step.pass(chunk);
    else this.next(chunk);
  }

  /** What it holds goes on, past those that stay in its place. */
  release(next: (chunk: Chunk) => void): void {
    this.next = next;
    this.#step?.release();
  }

  stop(): void {
    this.#step?.stop();
  }

  #begins(bytes: number): boolean {
    if (this.#begun) return true;
    const { after } = this.config;
    const due = after.time > 0 && this.#clock.now() - this.#since >= after.time;
    this.#begun = due || (after.bytes > 0 && this.#bytes >= after.bytes);
    this.#bytes += bytes;
    return this.#begun;
  }
}
