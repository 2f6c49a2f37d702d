/**
 * An observer that is a file: all sessions append to one, or each has its own. Every write is one write of the kernel's
 * at the end of the file, so that threads can share it.
 */
import { FileError } from "../net/errors.ts";
import type { Chunk, OutputFile, Runtime } from "../net/runtime.ts";
import { type FileAddress, SESSION } from "./observer-address.ts";
import type { Destination, Sink, SinkError, SinkOwner, Taken } from "./sink.ts";

/** An open file, and how many sessions have it. */
interface Shared {
  readonly file: OutputFile;
  sessions: number;
}

export class FileDestination implements Destination {
  readonly piece = Number.POSITIVE_INFINITY;
  readonly isStream = false;
  readonly #runtime: Pick<Runtime, "openFile">;
  readonly #path: string;
  readonly #each: boolean;
  #shared: Shared | undefined;

  constructor(runtime: Pick<Runtime, "openFile">, { path }: FileAddress) {
    this.#runtime = runtime;
    this.#path = path;
    this.#each = path.includes(SESSION);
  }

  open(owner: SinkOwner, session: number): () => void {
    let shared: Shared;
    try {
      shared = this.#take(session);
    } catch (thrown) {
      owner.failed(fileError(thrown));
      return () => {};
    }
    owner.opened(new FileSink(this, shared, owner));
    return () => {};
  }

  close(): void {}

  /** `failed`: it cannot be written any more, so nobody else is to be given it. */
  leave(shared: Shared, failed: boolean): void {
    shared.sessions--;
    if (shared.sessions === 0) shared.file.close();
    if (this.#shared === shared && (failed || shared.sessions === 0)) this.#shared = undefined;
  }

  #take(session: number): Shared {
    const path = this.#path.replaceAll(SESSION, String(session));
    const shared = this.#shared ?? { file: this.#runtime.openFile(path), sessions: 0 };
    if (!this.#each) this.#shared = shared;
    shared.sessions++;
    return shared;
  }
}

class FileSink implements Sink {
  readonly stream = undefined;
  /** What the file has taken is the kernel's. */
  readonly underway = 0;
  readonly #destination: FileDestination;
  readonly #shared: Shared;
  readonly #owner: SinkOwner;
  #left = false;

  constructor(destination: FileDestination, shared: Shared, owner: SinkOwner) {
    this.#destination = destination;
    this.#shared = shared;
    this.#owner = owner;
  }

  write(chunk: Chunk): Taken {
    try {
      this.#shared.file.write(chunk);
      return "more";
    } catch (thrown) {
      this.#leave(true);
      this.#owner.closed(fileError(thrown));
      return "failed";
    }
  }

  finish(): boolean {
    this.cut();
    return true;
  }

  cut(): void {
    this.#leave(false);
  }

  #leave(failed: boolean): void {
    if (this.#left) return;
    this.#left = true;
    this.#destination.leave(this.#shared, failed);
  }
}

function fileError(thrown: unknown): SinkError {
  return thrown instanceof FileError ? thrown : new FileError("EUNKNOWN", String(thrown), { cause: thrown });
}
