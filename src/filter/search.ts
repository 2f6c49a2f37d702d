/** A step that looks for something: what filters that do so have in common. */
import type { Chunk, Timer } from "../net/runtime.ts";
import type { Pattern } from "./pattern.ts";
import { createScan, type Finder, Output, type Scan } from "./scan.ts";
import { Step, type StepContext } from "./step.ts";

/** Passes on what is in no match, at the latest when it cannot become part of one any more. */
export abstract class Search extends Step implements Finder {
  protected readonly context: StepContext;
  readonly #scan: Scan;
  readonly #wait: number;
  readonly #out = new Output();
  /** Nothing goes on any more: it has found what ends the session, or the session is over. */
  #over = false;
  /** When bytes came last. */
  #activeAt = 0;
  #timer: Timer | undefined;

  constructor(pattern: Pattern, context: StepContext) {
    super();
    this.context = context;
    this.#scan = createScan(pattern, this);
    this.#wait = pattern.wait ?? 0;
  }

  abstract literal(out: Output): boolean;
  abstract line(line: string, regex: RegExp, out: Output): boolean;

  /** {@link literal} or {@link line} have said that nothing goes on any more, and that is the FIN as well. */
  protected found(): void {}

  override get held(): number {
    return this.#scan.held;
  }

  override write(chunk: Chunk): boolean {
    if (this.#over) return true;
    const room = this.#pass(this.#scan.scan(chunk, this.#out));
    if (this.#wait > 0 && this.held > 0 && !this.#over) {
      this.#activeAt = this.context.runtime.now();
      // One timer for many chunks: it finds out by itself whether there were more.
      this.#timer ??= this.context.runtime.after(this.#wait, () => this.#lookAgain());
    }
    return room;
  }

  override end(): void {
    this.#flush();
    if (!this.#over) this.next.end();
  }

  override broke(): void {
    this.#flush();
    if (!this.#over) this.next.broke();
  }

  override release(done: () => void): void {
    this.#flush();
    done();
  }

  override stop(): void {
    this.#timer?.cancel();
    this.#over = true;
  }

  /** What is held is all there is. */
  #flush(): void {
    this.#timer?.cancel();
    if (!this.#over) this.#pass(this.#scan.flush(this.#out));
  }

  #lookAgain(): void {
    this.#timer = undefined;
    if (this.held === 0) return;
    const left = this.#activeAt + this.#wait - this.context.runtime.now();
    if (left > 0) this.#timer = this.context.runtime.after(left, () => this.#lookAgain());
    else this.#flush();
  }

  #pass(more: boolean): boolean {
    if (!more) this.stop();
    const room = this.#out.send(this.next);
    if (more) return room;
    this.found();
    return true;
  }
}
