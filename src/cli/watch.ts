/** Looks every second whether files have changed: an editor, a deployment tool and a mounted volume all end in that. */
import type { Runtime, Timer } from "../net/runtime.ts";

const INTERVAL = 1_000;

export class Watch {
  readonly #runtime: Runtime;
  readonly #read: () => Promise<string>;
  readonly #changed: () => void;
  #known: string;
  #timer: Timer | undefined;
  #stopped = false;

  /** `read` gives all there is to see; `changed` is called when it is another text than before, at first than `known`. */
  constructor(runtime: Runtime, known: string, read: () => Promise<string>, changed: () => void) {
    this.#runtime = runtime;
    this.#known = known;
    this.#read = read;
    this.#changed = changed;
    void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    // A file that is being replaced is gone for a moment: that is no change.
    const text = await this.#read().catch(() => this.#known);
    if (this.#stopped) return;
    const before = this.#known;
    this.#known = text;
    if (text !== before) this.#changed();
    this.#timer = this.#runtime.after(INTERVAL, () => void this.#look());
  }
}
