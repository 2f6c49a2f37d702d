/** Looks every second whether files have changed: an editor, a deployment tool and a mounted volume all end in that. */
import type { Runtime, Timer } from "../net/runtime.ts";

const INTERVAL = 1_000;

export class Watch {
  readonly #runtime: Runtime;
  readonly #read: () => Promise<string>;
  readonly #changed: () => void;
  #known: string | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  /** `read` gives all there is to see; `changed` is called when it is another text than before. */
  constructor(runtime: Runtime, read: () => Promise<string>, changed: () => void) {
    this.#runtime = runtime;
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
    if (this.#known !== undefined && text !== this.#known) this.#changed();
    this.#known = text;
    this.#timer = this.#runtime.after(INTERVAL, () => void this.#look());
  }
}
