/** A source with an end: a file, a descriptor, or standard input. */
import type { InputFile } from "../../net/runtime.ts";
import { Cutter } from "./cutter.ts";
import type { EndShare, Source, SourceOwner } from "./end.ts";
import { END_CELL } from "./end-counters.ts";
import { type DescriptorRoute, type FileRoute, formatRoute } from "./route-address.ts";

export class InputSource implements Source {
  readonly patient = true;
  readonly address: string;
  readonly #route: FileRoute | DescriptorRoute;
  readonly #share: EndShare;
  readonly #owner: SourceOwner;
  #input: InputFile | undefined;
  #paused = false;
  #over = false;

  constructor(route: FileRoute | DescriptorRoute, share: EndShare, owner: SourceOwner) {
    this.#route = route;
    this.#share = share;
    this.#owner = owner;
    this.address = formatRoute(route);
  }

  async open(): Promise<void> {
    const { runtime, config, counters, tell } = this.#share;
    if (!runtime.openInput) throw new Error(`${runtime.name} reads no files here`);
    const from = this.#route.kind === "file" ? this.#route.path : this.#route.descriptor;
    const cutter = new Cutter({ ...config, whole: this.#route.kind === "file" }, (datagram) => {
      counters.passed(datagram.length);
      this.#owner.datagram(datagram);
    });
    this.#input = await runtime.openInput(from, {
      data: (chunk) => cutter.take(chunk),
      close: (error) => {
        if (this.#over) return;
        this.#over = true;
        cutter.flush();
        if (error) {
          counters.add(END_CELL.failures, 1);
          tell({ event: "source_lost", end: this.address, why: error.message });
        }
        this.#owner.ended();
      },
    });
    if (!this.#paused) this.#input.resume();
  }

  pause(): void {
    this.#paused = true;
    this.#input?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#input?.resume();
  }

  tend(): void {}

  async close(): Promise<void> {
    this.#over = true;
    this.#input?.close();
  }
}
