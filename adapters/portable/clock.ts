/** Time, which the three runtimes give alike. */
import type { Alarm, Runtime } from "../../src/net/runtime.ts";

export const clock: Pick<Runtime, "now" | "exactNow" | "wallClock" | "after" | "alarm"> = {
  now: () => performance.now(),
  exactNow: () => performance.now(),
  wallClock: () => Date.now(),
  alarm: (ring) => new PortableAlarm(ring),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

class PortableAlarm implements Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  set(at: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(
      () => {
        // Some runtimes' timers come a little early.
        if (performance.now() < at) this.set(at);
        else this.#ring();
      },
      Math.max(0, at - performance.now()),
    );
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
