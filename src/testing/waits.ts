/** Promises for what is to come, looked at whenever something has changed: tests wait for events, not for times. */

interface Wait {
  /** What is waited for, for people: "2 connections". */
  readonly what: string;
  holds(): boolean;
  resolve(): void;
  reject(error: Error): void;
}

export class Waits {
  readonly #waits = new Set<Wait>();
  #closed = false;

  /** Resolves when `holds` does, rejects when it never will. Nobody has to handle that: who has failed awaits nothing. */
  until(what: string, holds: () => boolean): Promise<void> {
    const coming = new Promise<void>((resolve, reject) => {
      this.#waits.add({ what, holds, resolve, reject });
    });
    this.changed();
    return quiet(coming);
  }

  changed(): void {
    for (const wait of this.#waits) {
      if (!wait.holds()) continue;
      this.#waits.delete(wait);
      wait.resolve();
    }
    if (this.#closed) this.close();
  }

  /** Nothing will change any more: whoever still waits is told so. */
  close(): void {
    this.#closed = true;
    for (const { what, reject } of this.#waits) reject(new Error(`Closed while a test waited for ${what}`));
    this.#waits.clear();
  }
}

/** A promise whose failure may go unheard. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
