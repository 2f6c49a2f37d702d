/**
 * Lines to a descriptor, at once and whole: nothing is lost at exit and no line overtakes another. A
 * reader that stalls must not stall the relay, so what it does not take waits in a bounded buffer, and
 * lines beyond that are dropped and counted.
 */
import { Buffer } from "node:buffer";
import { writeSync } from "node:fs";

const WAITING_MAX = 65_536;

/** Between two attempts to write to a pipe that is full, milliseconds. */
const PAUSE = 5;

export class LineWriter {
  readonly #fd: number;
  #waiting: Uint8Array = new Uint8Array(0);
  #lost = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  line(text: string): void {
    this.bytes(new TextEncoder().encode(`${text}\n`));
  }

  /** What is lost of these counts as a line. */
  bytes(chunk: Uint8Array): void {
    if (this.#waiting.length > WAITING_MAX) {
      this.#flush();
      if (this.#waiting.length > WAITING_MAX) {
        this.#lost++;
        return;
      }
    }
    const notice = this.#lost > 0 ? `weir: ${this.#lost} lines were lost: their reader was too slow\n` : "";
    this.#lost = 0;
    this.#waiting = Buffer.concat([this.#waiting, Buffer.from(notice), chunk]);
    this.#flush();
  }

  /** Resolves when the reader has taken all of it, or has gone. */
  async written(): Promise<void> {
    this.#flush();
    while (this.#waiting.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      this.#flush();
    }
  }

  #flush(): void {
    try {
      while (this.#waiting.length > 0) {
        this.#waiting = this.#waiting.subarray(writeSync(this.#fd, this.#waiting));
      }
    } catch (error) {
      // EAGAIN: the pipe is full, the next line tries again. Otherwise (EPIPE) nobody is left to read.
      if ((error as { code?: string }).code !== "EAGAIN") this.#waiting = new Uint8Array(0);
    }
  }
}
