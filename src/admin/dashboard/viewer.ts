/**
 * One page that looks on: a stream of server-sent events that never holds more than one of them. Who reads too slowly
 * misses moments, not what is true now; lines of the log wait in the log's own ring.
 */
import type { LogTail } from "../../log/tail.ts";

/** Milliseconds without reading after which a viewer is taken for gone. */
const PATIENCE = 30_000;

const ENCODER = new TextEncoder();

export class Viewer {
  readonly body: ReadableStream<Uint8Array>;
  readonly #tail: LogTail;
  /** Comes before everything else. */
  #greeting: string;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** The last line of the log that it was given. */
  #line = 0;
  /** When it last took something. */
  #taken: number;
  /** Called when it has taken all there is. */
  #empty: () => void = () => {};

  /** `now` in milliseconds; `gone` is called when it has left by itself. */
  constructor(greeting: string, tail: LogTail, now: number, gone: (viewer: Viewer) => void) {
    this.#greeting = greeting;
    this.#tail = tail;
    this.#taken = now;
    const source = {
      start: (controller: ReadableStreamDefaultController<Uint8Array>) => {
        this.#controller = controller;
      },
      pull: () => this.#empty(),
      cancel: () => {
        this.#controller = undefined;
        this.#empty();
        gone(this);
      },
    };
    this.body = new ReadableStream(source, { highWaterMark: 1 });
  }

  /** Gives it `text` and the log since, unless it is still busy with what came before. False: it reads no more. */
  offer(text: string, now: number): boolean {
    const controller = this.#controller;
    if (!controller) return false;
    if ((controller.desiredSize ?? 0) <= 0) return now - this.#taken < PATIENCE;
    this.#taken = now;
    controller.enqueue(ENCODER.encode(this.#greeting + text + this.#log()));
    this.#greeting = "";
    return true;
  }

  /** Ends it well, with `text` as the last words. Resolves when it has taken them. */
  async close(text: string): Promise<void> {
    const controller = this.#controller;
    if (!controller) return;
    const empty = new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
    controller.enqueue(ENCODER.encode(text));
    await empty;
    if (!this.#controller) return;
    this.#controller = undefined;
    controller.close();
  }

  /** Breaks it off: what it has not taken it never gets. */
  abort(): void {
    this.#controller?.error(new Error("the reader has stopped reading"));
    this.#controller = undefined;
  }

  #log(): string {
    const lines = this.#tail.since(this.#line);
    const lost = this.#tail.last - this.#line - lines.length;
    if (lines.length === 0 && lost === 0) return "";
    this.#line = this.#tail.last;
    return event("log", { lost, lines });
  }
}

/** As `EventSource` reads it: JSON has no line feeds. */
export function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
