/** Files that are read to their end, which the three runtimes give alike. */
import { close, fstatSync, open, read } from "node:fs";
import type { InputEvents, InputFile } from "../../src/net/runtime.ts";
import { codeOf } from "./errors.ts";
import { attempt, fileError } from "./file-errors.ts";

/** Bytes that are read at once. */
const SIZE = 65_536;
/** Milliseconds after which a descriptor that was made not to wait is asked again. */
const AGAIN = 10;

/** See `Runtime.openInput`. */
export async function openInput(from: string | number, events: InputEvents): Promise<InputFile> {
  const name = typeof from === "string" ? from : from === 0 ? "standard input" : `descriptor ${from}`;
  const fd = typeof from === "string" ? await opened(from) : from;
  attempt("open", name, () => {
    if (!fstatSync(fd).isDirectory()) return;
    if (typeof from === "string") close(fd);
    throw Object.assign(new Error("it is a directory"), { code: "EISDIR" });
  });
  return new DescriptorInput(name, fd, typeof from === "string", events);
}

/** Not by waiting for it: a FIFO opens when somebody writes to it. */
function opened(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, "r", (error, fd) => (error ? reject(fileError("open", path, error)) : resolve(fd)));
  });
}

class DescriptorInput implements InputFile {
  readonly #name: string;
  readonly #fd: number;
  readonly #owns: boolean;
  readonly #events: InputEvents;
  readonly #buffer = new Uint8Array(SIZE);
  #reading = false;
  /** The runtime has been asked for bytes. */
  #asked = false;
  /** What it gave after a pause. */
  #held = 0;
  #over = false;

  constructor(name: string, fd: number, owns: boolean, events: InputEvents) {
    this.#name = name;
    this.#fd = fd;
    this.#owns = owns;
    this.#events = events;
  }

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    if (this.#reading || this.#over) return;
    this.#reading = true;
    if (!this.#asked) queueMicrotask(() => this.#next());
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#asked) this.#release();
  }

  #next(): void {
    if (this.#asked || this.#over) return;
    if (this.#held > 0 && this.#reading) this.#give(this.#held);
    if (!this.#reading || this.#over) return;
    this.#asked = true;
    read(this.#fd, this.#buffer, 0, SIZE, null, (error, count) => {
      this.#asked = false;
      if (this.#over) this.#release();
      else if (codeOf(error) === "EAGAIN") setTimeout(() => this.#next(), AGAIN);
      // What a terminal says that has gone, and a pipe under Windows, is an end.
      else if (error && codeOf(error) !== "EOF") this.#end(fileError("read", this.#name, error));
      else if (!count) this.#end();
      else {
        this.#held = count;
        this.#next();
      }
    });
  }

  #give(count: number): void {
    this.#held = 0;
    this.#events.data(this.#buffer.subarray(0, count));
  }

  #end(error?: ReturnType<typeof fileError>): void {
    this.#over = true;
    this.#release();
    this.#events.close(error);
  }

  #release(): void {
    if (this.#owns) close(this.#fd);
  }
}
