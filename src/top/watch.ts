/** `weir top` while it runs: asks at every interval, listens to keys, draws when there is something new. */
import type { OpenTerminal, Terminal } from "../cli/terminal.ts";
import { formatAddress } from "../net/address.ts";
import type { Runtime, Timer } from "../net/runtime.ts";
import { type AdminClient, NoAnswer } from "../overview/client.ts";
import type { Connections, Status } from "../overview/status.ts";
import { KeyReader } from "./keys.ts";
import { Painter } from "./painter.ts";
import { type Model, screen } from "./screen.ts";
import { FIRST_VIEW, pressed, type View } from "./view.ts";

export interface WatchOptions {
  /** Milliseconds from one look to the next. */
  readonly interval: number;
  readonly colours: boolean;
}

/** Milliseconds for which something that has happened is told. */
const NOTE_TIME = 10_000;

export class Watch {
  /** Resolves when somebody has had enough; rejects when it cannot go on. */
  readonly over: Promise<void>;
  readonly #runtime: Runtime;
  readonly #client: AdminClient;
  readonly #options: WatchOptions;
  readonly #terminal: Terminal;
  readonly #painter: Painter;
  readonly #keys = new KeyReader();
  #view: View = FIRST_VIEW;
  #model: Model;
  /** When what is shown was asked for, by `Runtime.now`. */
  #connectionsAt = 0;
  #noted = 0;
  #next: Timer | undefined;
  #asking = false;
  #writing = false;
  /** There is something new, but the terminal has not yet taken what was before. */
  #stale = false;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #ended = false;

  /** Undefined: there is no terminal. */
  static open(
    runtime: Runtime,
    client: AdminClient,
    openTerminal: OpenTerminal,
    options: WatchOptions,
  ): Watch | undefined {
    let watch: Watch | undefined;
    const terminal = openTerminal({
      input: (bytes) => watch?.guarded(() => watch?.input(bytes)),
      redraw: () => watch?.guarded(() => watch?.redraw()),
      ended: () => watch?.end(),
    });
    if (!terminal) return undefined;
    watch = new Watch(runtime, client, terminal, options);
    return watch;
  }

  private constructor(runtime: Runtime, client: AdminClient, terminal: Terminal, options: WatchOptions) {
    this.#runtime = runtime;
    this.#client = client;
    this.#terminal = terminal;
    this.#options = options;
    this.#painter = new Painter(options.colours);
    this.#model = {
      where: formatAddress(client.address),
      status: null,
      before: null,
      connections: null,
      connectionsBefore: null,
      trouble: null,
      note: null,
    };
    this.over = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.guarded(() => this.#paint());
    void this.#ask();
  }

  /** Gives the terminal back. */
  end(): void {
    this.#finish();
    this.#resolve();
  }

  /** What throws in the middle of an event must not leave the terminal as it is. */
  guarded(step: () => void): void {
    try {
      if (!this.#ended) step();
    } catch (error) {
      this.#fail(error);
    }
  }

  redraw(): void {
    this.#painter.forget();
    this.#paint();
  }

  input(bytes: Uint8Array): void {
    for (const key of this.#keys.take(bytes)) {
      const result = pressed(this.#view, key);
      // Nothing is drawn when the terminal is somebody else's.
      if (result === "quit" || result === "suspend") {
        if (result === "quit") this.end();
        else this.#terminal.suspend();
        return;
      }
      if (result === "redraw") this.#painter.forget();
      else this.#choose(result);
    }
    this.#paint();
  }

  #choose(view: View): void {
    const { page, paused } = this.#view;
    this.#view = view;
    const wantsMore = view.page !== page || (paused && !view.paused);
    if (view.page !== page) this.#model = { ...this.#model, connections: null, connectionsBefore: null };
    if (wantsMore && !this.#asking) {
      this.#next?.cancel();
      void this.#ask();
    }
  }

  async #ask(): Promise<void> {
    const began = this.#runtime.now();
    this.#asking = true;
    try {
      const wanted = this.#view.page === "connections";
      const [status, connections] = await Promise.all([
        this.#client.status(),
        wanted ? this.#client.connections() : null,
      ]);
      this.guarded(() => this.#learn(status, connections));
    } catch (error) {
      this.#model = { ...this.#model, trouble: troubleOf(error) };
    }
    this.#asking = false;
    if (this.#ended) return;
    this.guarded(() => this.#paint());
    const spent = this.#runtime.now() - began;
    const rest = this.#lacking && this.#model.trouble === null ? 0 : Math.max(0, this.#options.interval - spent);
    this.#next = this.#runtime.after(rest, () => void this.#ask());
  }

  /** What is to be shown has not been asked for yet: the page was another one, or weir has not answered. */
  get #lacking(): boolean {
    const { status, connections } = this.#model;
    return status === null || (this.#view.page === "connections" && connections === null);
  }

  #learn(status: Status, connections: Connections | null): void {
    const now = this.#runtime.now();
    if (this.#view.paused && !this.#lacking) {
      this.#model = { ...this.#model, trouble: null };
      return;
    }
    const { status: was, connections: had } = this.#model;
    const restarted = was !== null && was.started_at !== status.started_at;
    if (restarted) this.#noted = now;
    const seconds = was ? status.uptime_seconds - was.uptime_seconds : 0;
    const past = this.#connectionsAt;
    if (connections) this.#connectionsAt = now;
    this.#model = {
      ...this.#model,
      status,
      before: was && !restarted && seconds > 0 ? { was, seconds } : null,
      connections,
      connectionsBefore: connections && had && !restarted ? { was: had, seconds: (now - past) / 1_000 } : null,
      trouble: null,
      note: this.#noteAt(now, status),
    };
  }

  #noteAt(now: number, { started_at }: Status): string | null {
    if (this.#noted === 0 || now - this.#noted > NOTE_TIME) return null;
    return `weir was started again at ${started_at}: figures count from there`;
  }

  #paint(): void {
    if (this.#writing) {
      this.#stale = true;
      return;
    }
    const { size } = this.#terminal;
    const { lines, scrollMax } = screen(this.#model, this.#view, size);
    if (this.#view.scroll > scrollMax) this.#view = { ...this.#view, scroll: scrollMax };
    const text = this.#painter.frame(lines, size);
    if (text === "") return;
    this.#writing = true;
    this.#terminal.write(text).then(
      () => this.guarded(() => this.#written()),
      (error) => this.#fail(error),
    );
  }

  #written(): void {
    this.#writing = false;
    if (!this.#stale) return;
    this.#stale = false;
    this.#paint();
  }

  #fail(error: unknown): void {
    this.#finish();
    this.#reject(error);
  }

  #finish(): void {
    this.#ended = true;
    this.#next?.cancel();
    this.#terminal.close();
  }
}

function troubleOf(error: unknown): string {
  if (error instanceof NoAnswer) return error.brief;
  return error instanceof Error ? error.message : String(error);
}
