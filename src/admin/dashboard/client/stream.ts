/** What weir tells, as long as somebody looks: a page in the background, or one that pauses, asks for nothing. */
import type { KindRow } from "../kinds.ts";
import type { Snapshot } from "../snapshot.ts";

/** Milliseconds until it is tried again. */
const AGAIN = 3_000;

export interface Listener {
  hello(hello: { readonly kinds: readonly KindRow[]; readonly started: number }): void;
  sample(sample: Snapshot): void;
  log(news: LogNews): void;
  state(text: string, live: boolean): void;
}

export interface LogNews {
  /** Lines that were printed and are not here. */
  readonly lost: number;
  readonly lines: readonly {
    readonly number: number;
    readonly time: number;
    readonly level: string;
    readonly text: string;
  }[];
}

export class Stream {
  readonly #listener: Listener;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #paused = false;

  constructor(listener: Listener) {
    this.#listener = listener;
    document.addEventListener("visibilitychange", () => this.#follow());
    this.#follow();
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    this.#follow();
  }

  #follow(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
    if (this.#paused) this.#listener.state("paused", false);
    else if (!document.hidden) this.#open();
  }

  #open(): void {
    const source = new EventSource("/api/events");
    const on = (name: string, run: (data: never) => void) =>
      source.addEventListener(name, (event) => run(JSON.parse((event as MessageEvent<string>).data) as never));
    this.#source = source;
    on("hello", (data) => this.#listener.hello(data));
    on("sample", (data) => {
      this.#listener.state("live", true);
      this.#listener.sample(data);
    });
    on("log", (data) => this.#listener.log(data));
    on("bye", () => this.#lost("weir has ended"));
    // It does not say why.
    source.addEventListener("error", () => this.#lost("no connection, or too many pages look on; trying again"));
  }

  #lost(text: string): void {
    this.#source?.close();
    this.#source = undefined;
    this.#listener.state(text, false);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#follow(), AGAIN);
  }
}
