/**
 * A destination that is a file, to whose end each datagram is written. Those that come within some milliseconds are
 * written together, unless the disk is to have each at once.
 */

import type { Chunk, Timer } from "../../net/runtime.ts";
import { concatenate } from "../../observe/bytes.ts";
import { RecordingFile } from "../../observe/inspect/recording-file.ts";
import type { EndShare, Sink } from "./end.ts";
import { END_CELL } from "./end-counters.ts";
import { type DescriptorRoute, type FileRoute, formatRoute } from "./route-address.ts";

/** Milliseconds, and bytes, that are gathered at most. */
const GATHER = 5;
const GATHERED = 262_144;
/** Milliseconds between two waits for the disk. */
const SECOND = 1_000;

export class FileSink implements Sink {
  readonly address: string;
  readonly ports: readonly number[] = [];
  readonly #share: EndShare;
  readonly #file: RecordingFile;
  readonly #gathered = new Uint8Array(GATHERED);
  #length = 0;
  #datagrams = 0;
  #timer: Timer | undefined;
  #unsynced = false;
  #lastSync = 0;
  #lost = 0;

  constructor(route: FileRoute | DescriptorRoute, share: EndShare) {
    this.#share = share;
    this.address = formatRoute(route);
    const { maxSize, keep } = share.config.file;
    this.#file = new RecordingFile(share.runtime, pathOf(route), {
      header: concatenate([]),
      maxSize: route.kind === "file" ? maxSize : 0,
      keep,
      failed: (_, error) => {
        share.counters.add(END_CELL.failures, 1);
        share.tell({ event: "unwritable", end: this.address, why: error.message });
      },
    });
  }

  /** A file that cannot be opened is an error now, not at the first datagram. */
  async open(): Promise<void> {
    this.#file.open();
  }

  send(chunk: Chunk): void {
    this.#share.counters.passed(chunk.length);
    if (chunk.length === 0) return;
    if (this.#length + chunk.length > GATHERED) this.#flush();
    this.#gathered.set(chunk, this.#length);
    this.#length += chunk.length;
    this.#datagrams++;
    if (this.#share.config.file.fsync === "always") this.#flush();
    else this.#timer ??= this.#share.runtime.after(GATHER, () => this.#flush());
  }

  tend(): void {
    if (this.#lost > 0) this.#share.tell({ event: "lost", end: this.address, reason: "unsent", count: this.#lost });
    this.#lost = 0;
  }

  async finish(): Promise<void> {
    this.#flush();
    this.tend();
    if (this.#unsynced) this.#file.sync();
    this.#file.close();
  }

  /** It never lasts: what sources still bring until they are closed is written. */
  cut(): void {}

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#length === 0) return;
    if (!this.#file.write(this.#gathered.subarray(0, this.#length))) {
      this.#share.counters.add(END_CELL.unsent, this.#datagrams);
      this.#lost += this.#datagrams;
    }
    this.#length = 0;
    this.#datagrams = 0;
    this.#sync();
  }

  #sync(): void {
    const { fsync } = this.#share.config.file;
    if (fsync === "never") return;
    const now = this.#share.runtime.now();
    this.#unsynced = fsync === "second" && now - this.#lastSync < SECOND;
    if (this.#unsynced) return;
    this.#lastSync = now;
    this.#file.sync();
  }
}

function pathOf(route: FileRoute | DescriptorRoute): string {
  if (route.kind === "file") return route.path;
  return `/dev/fd/${route.descriptor}`;
}
