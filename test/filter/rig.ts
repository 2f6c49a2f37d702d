/** One direction of a session in virtual time: a source that is held back, steps, and a sink that stalls. */
import { Path } from "../../src/filter/path.ts";
import type { Direction, Inlet, Step, StepContext } from "../../src/filter/step.ts";
import type { Timer } from "../../src/net/runtime.ts";
import { Random } from "../peers/random.ts";
import { Clock } from "../sim/clock.ts";

/** Bytes that a step may hold. */
export const BUFFER = 64;

export interface Arrival {
  readonly at: number;
  readonly chunk: Uint8Array;
}

export interface Ending {
  readonly at: number;
  readonly how: "cut" | "close";
  readonly reason: string;
  readonly rule: string;
}

export class Rig implements Inlet {
  readonly clock: Clock;
  readonly path: Path;
  /** What the sink was given, write by write. */
  readonly arrivals: Arrival[] = [];
  fins = 0;
  /** How steps have ended the session. */
  readonly endings: Ending[] = [];
  /** What nobody may do. */
  readonly misuses: string[] = [];
  timers = 0;
  readonly #direction: Direction;
  /** What the source has still to say; undefined is the FIN. */
  readonly #waiting: (Uint8Array | undefined)[] = [];
  #held = false;
  #pumping = false;
  #full = false;
  #over = false;

  constructor(make: (context: StepContext) => readonly Step[], seed = 1, direction: Direction = "upstream") {
    this.clock = new Clock(new Random(seed));
    this.#direction = direction;
    this.path = new Path(this, this, make(this.context()));
  }

  /** For one step. As in a session, the FIN goes to the one behind the step that closes. */
  context(step?: () => Step): StepContext {
    return {
      runtime: { now: () => this.clock.now, after: (ms, run) => this.#after(ms, run) },
      random: () => 0.5,
      direction: this.#direction,
      buffer: BUFFER,
      cut: (reason, rule) => {
        this.#ended({ at: this.clock.now, how: "cut", reason, rule });
        this.path.stop();
      },
      close: (reason, rule) => {
        this.#ended({ at: this.clock.now, how: "close", reason, rule });
        (step?.() ?? (this.path.steps[0] as Step)).next.end();
        this.path.end();
      },
    };
  }

  /** Everything that has arrived. */
  get received(): Uint8Array {
    return Uint8Array.from(this.arrivals.flatMap(({ chunk }) => [...chunk]));
  }

  get text(): string {
    return new TextDecoder().decode(this.received);
  }

  /** Sends each in one write, as soon as it may. */
  send(...parts: readonly (string | Uint8Array)[]): void {
    for (const part of parts) this.#waiting.push(typeof part === "string" ? new TextEncoder().encode(part) : part);
    this.#pump();
  }

  finish(): void {
    this.#waiting.push(undefined);
    this.#pump();
  }

  /** Writes that wait until there is room. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** From now on the sink says that it is full, or that it is not any more: at once, or when it is asked. */
  stall(full: boolean, tells = true): void {
    const before = this.#full;
    this.#full = full;
    if (before && !full && tells) this.path.drain();
  }

  /** Lets `ms` milliseconds pass. */
  async run(ms: number): Promise<void> {
    const end = this.clock.now + ms;
    this.clock.after(ms, () => {});
    await this.clock.run(() => false, end);
  }

  drain(): void {
    this.#held = false;
    this.#pump();
  }

  write(chunk: Uint8Array): boolean {
    if (this.fins > 0) this.misuses.push("bytes after the FIN");
    if (this.endings.some(({ how }) => how === "cut")) this.misuses.push("bytes after the RST");
    if (chunk.length === 0) this.misuses.push("no bytes at all");
    this.arrivals.push({ at: this.clock.now, chunk: chunk.slice() });
    return !this.#full;
  }

  end(): void {
    if (this.fins > 0) this.misuses.push("another FIN");
    if (this.endings.some(({ how }) => how === "cut")) this.misuses.push("a FIN after the RST");
    this.fins++;
  }

  /** One at a time: no socket says anything from inside of `resume`. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#waiting.length > 0 && !this.#held && !this.#over) {
      const chunk = this.#waiting.shift();
      if (!chunk) this.path.end();
      else {
        // It is on loan.
        const loan = chunk.slice();
        if (!this.path.write(loan)) this.#held = true;
        loan.fill(0xee);
      }
    }
    this.#pumping = false;
  }

  #ended(ending: Ending): void {
    this.endings.push(ending);
    this.#over = true;
  }

  #after(ms: number, run: () => void): Timer {
    let due = true;
    const over = () => {
      if (due) this.timers--;
      due = false;
    };
    this.timers++;
    const timer = this.clock.after(ms, () => {
      over();
      run();
    });
    return {
      cancel: () => {
        timer.cancel();
        over();
      },
    };
  }
}

/** `text` in pieces, cut after `lengths` bytes again and again. */
export function pieces(text: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, n = 0; at < text.length; n++) {
    const length = lengths[n % lengths.length] ?? text.length;
    parts.push(text.subarray(at, at + length));
    at += length;
  }
  return parts;
}
