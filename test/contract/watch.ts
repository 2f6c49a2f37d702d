/**
 * What the probes of all sockets share: a record of the rules that were broken, and waiting for a condition
 * instead of a time.
 */
export class Watch {
  #waiting: { met: () => boolean; go: () => void }[] = [];
  #inside = false;
  #broken: unknown;

  /** Resolves when `met` holds; it is looked at after every event of this socket. */
  async until(met: () => boolean, what: string): Promise<void> {
    this.#throwIfBroken();
    if (!met()) {
      await new Promise<void>((resolve) => this.#waiting.push({ met, go: resolve }));
    }
    this.#throwIfBroken();
    void what;
  }

  /** Runs a method of the socket; an event that comes before it returns breaks a rule. */
  protected call<T>(run: () => T): T {
    this.#inside = true;
    try {
      return run();
    } finally {
      this.#inside = false;
    }
  }

  /** A broken rule must not throw into the adapter, which would turn it into EHANDLER. */
  protected check(holds: boolean, rule: string): void {
    if (holds || this.#broken) return;
    this.#broken = new Error(rule);
    queueMicrotask(() => this.wake());
  }

  protected checkOutside(event: string): void {
    this.check(!this.#inside, `${event} from inside a method`);
  }

  /** Looks at every condition that is waited for. */
  protected wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wait of waiting) {
      if (this.#broken || wait.met()) wait.go();
      else this.#waiting.push(wait);
    }
  }

  #throwIfBroken(): void {
    if (this.#broken) throw this.#broken;
  }
}
