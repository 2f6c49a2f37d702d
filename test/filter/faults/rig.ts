/** One direction of a session in virtual time: a source that is held back, a path with faults, a sink that stalls. */
import { randomFrom } from "../../../src/balance/hash.ts";
import {
  createFault,
  defaultName,
  FAULTS,
  type FaultConfig,
  type FaultType,
} from "../../../src/filter/faults/fault.ts";
import type { Attribute, FaultWords } from "../../../src/filter/faults/kind.ts";
import { Path } from "../../../src/filter/path.ts";
import type { Inlet, Step, StepContext } from "../../../src/filter/step.ts";
import type { Timer } from "../../../src/net/runtime.ts";
import { Random } from "../../peers/random.ts";
import { Clock } from "../../sim/clock.ts";

/** Bytes that a step may hold. */
export const BUFFER = 256;

export interface Arrival {
  readonly at: number;
  readonly bytes: number;
}

/** A fault with the defaults of its type. */
export function fault(
  type: FaultType,
  attributes: FaultConfig["attributes"] = {},
  more: Partial<FaultConfig> = {},
): FaultConfig {
  const kind: FaultWords = FAULTS[type];
  const usual = (each: Attribute) => each.default ?? (each.unit === "text" ? "" : each.least);
  const defaults = Object.entries(kind.attributes).map(([name, each]) => [name, usual(each)]);
  return {
    ...{ name: defaultName(type, "downstream"), type, stream: "downstream", toxicity: 1, after: { bytes: 0, time: 0 } },
    ...more,
    attributes: { ...Object.fromEntries(defaults), ...attributes },
  };
}

export class Rig implements Inlet {
  readonly clock: Clock;
  readonly path: Path;
  readonly arrivals: Arrival[] = [];
  /** When the FINs came. */
  readonly fins: number[] = [];
  /** How a fault has ended the session. */
  readonly endings: { readonly at: number; readonly how: "cut" | "close"; readonly rule: string }[] = [];
  /** What nobody may do: bytes or another FIN after the end, … */
  readonly misuses: string[] = [];
  /** Milliseconds for which the sink is full after each of its first writes, 0 for not at all. */
  stalls: number[] = [];
  timers = 0;
  /** Milliseconds by which timers are late. */
  lateness = 0;
  /** A fault has cut the session. */
  cut = false;
  sent = 0;
  #received: number[] = [];
  #waiting: (() => boolean)[] = [];
  #full = false;
  #stalled = false;
  #pumping = false;
  readonly #seed: number;

  constructor(seed = 1, ...faults: readonly FaultConfig[]) {
    this.clock = new Clock(new Random(seed));
    this.#seed = seed;
    this.path = new Path(
      this,
      this,
      faults.map((each) => this.make(each)),
    );
  }

  /** As a session makes it, which discards what comes after it was closed. */
  make(config: FaultConfig): Step {
    const over = (how: "cut" | "close", reason: string, rule: string) => {
      this.endings.push({ at: this.clock.now, how, rule });
      if (reason !== "fault") this.misuses.push(`the reason is ${reason}`);
    };
    const context: StepContext = {
      runtime: { now: () => this.clock.now, after: (ms, run) => this.#after(ms, run) },
      random: randomFrom(this.#seed),
      direction: "downstream",
      buffer: BUFFER,
      cut: (reason, rule) => {
        over("cut", reason, rule);
        this.cut = true;
        this.path.stop();
      },
      close: (reason, rule) => {
        over("close", reason, rule);
        if (this.fins.length === 0) step.next.end();
        this.path.end();
      },
    };
    const step = createFault(config, context);
    return step;
  }

  /** Sends so many bytes in one write as soon as it may: 0, 1, 2, … */
  send(size: number): void {
    this.#soon(() => {
      const chunk = Uint8Array.from({ length: size }, (_, index) => this.sent + index);
      this.sent += size;
      const room = this.path.write(chunk);
      // It was on loan.
      chunk.fill(0xff);
      return room;
    });
  }

  finish(): void {
    this.#soon(() => {
      this.path.end();
      return true;
    });
  }

  /** Everything the source had to say has been said. */
  get said(): boolean {
    return this.#waiting.length === 0;
  }

  get received(): number {
    return this.#received.length;
  }

  /** What was received is what was sent, as far as it goes. */
  get intact(): boolean {
    return this.#received.every((byte, index) => byte === index % 256);
  }

  /** Sizes of the writes that the sink saw. */
  get sizes(): readonly number[] {
    return this.arrivals.map(({ bytes }) => bytes);
  }

  /** Times and sizes of the same. */
  get times(): readonly (readonly [at: number, bytes: number])[] {
    return this.arrivals.map(({ at, bytes }) => [Math.round(at * 1e6) / 1e6, bytes]);
  }

  /** Lets `ms` milliseconds pass. */
  async run(ms: number): Promise<void> {
    const end = this.clock.now + ms;
    this.clock.after(ms, () => {});
    await this.clock.run(() => false, end);
  }

  at(ms: number, run: () => void): void {
    this.clock.after(ms - this.clock.now, run);
  }

  /** The source may go on. */
  drain(): void {
    this.#full = false;
    this.#pump();
  }

  write(chunk: Uint8Array): boolean {
    if (this.fins.length > 0) this.misuses.push("bytes after the FIN");
    if (this.cut) this.misuses.push("bytes after the reset");
    this.#received.push(...chunk);
    this.arrivals.push({ at: this.clock.now, bytes: chunk.length });
    const stall = this.stalls.shift() ?? 0;
    if (stall > 0 && !this.#stalled) {
      this.#stalled = true;
      this.clock.after(stall, () => {
        this.#stalled = false;
        if (!this.cut) this.path.drain();
      });
    }
    return !this.#stalled;
  }

  end(): void {
    if (this.fins.length > 0) this.misuses.push("another FIN");
    this.fins.push(this.clock.now);
  }

  #soon(work: () => boolean): void {
    this.#waiting.push(work);
    this.#pump();
  }

  /** One at a time: no socket says anything from inside of `resume`. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let work = this.#next(); work; work = this.#next()) {
      if (this.endings.length === 0 && !work()) this.#full = true;
    }
    this.#pumping = false;
  }

  #next(): (() => boolean) | undefined {
    return this.#full ? undefined : this.#waiting.shift();
  }

  #after(ms: number, run: () => void): Timer {
    let over = false;
    const end = () => {
      if (!over) this.timers--;
      over = true;
    };
    this.timers++;
    const timer = this.clock.after(ms + this.lateness, () => {
      end();
      run();
    });
    return {
      cancel: () => {
        timer.cancel();
        end();
      },
    };
  }
}
