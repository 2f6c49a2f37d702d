/** Files, which the three runtimes give alike: node:fs, synchronous, so it works in a thread whose loop stands. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { platform } from "node:process";
import { FileError } from "../../src/net/errors.ts";
import type { OutputFile, Runtime } from "../../src/net/runtime.ts";
import { codeOf } from "./errors.ts";
import { attempt } from "./file-errors.ts";

export const files: Pick<Runtime, "openFile" | "readFile" | "renameFile" | "removeFile"> = {
  openFile: (path) => attempt("open", path, () => new DescriptorFile(path)),
  readFile: (path) => attempt("read", path, () => readFileSync(path, "utf8")),
  renameFile: (from, to) => attempt("rename", from, () => renameSync(from, to)),
  removeFile: (path) => attempt("remove", path, () => unlinkSync(path)),
};

/** Without O_NONBLOCK (which Windows does not have) to open a FIFO would wait for its reader. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);
/** What goes through weir is nobody else's business. */
const MODE = 0o600;

const NOTHING: Uint8Array = new Uint8Array(0);

class DescriptorFile implements OutputFile {
  size: number;
  readonly #path: string;
  readonly #fd: number;
  readonly #regular: boolean;
  /** Opened here, and so closed here. */
  readonly #own: boolean;
  #closed = false;
  /** What a FIFO did not take of a chunk that it had begun; it goes before the next one. */
  #rest = NOTHING;

  constructor(path: string) {
    this.#path = path;
    const given = givenDescriptor(path);
    this.#own = given === undefined;
    this.#fd = given ?? openSync(path, APPEND, MODE);
    const status = fstatSync(this.#fd);
    this.#regular = status.isFile();
    this.size = this.#regular ? status.size : 0;
  }

  write(chunk: Uint8Array): void {
    if (this.#closed) throw new FileError("EBADF", `Cannot write ${this.#path}: it is closed (EBADF)`);
    attempt("write", this.#path, () => {
      if (this.#regular) this.#append(chunk);
      else this.#pour(chunk);
    });
  }

  sync(): void {
    if (this.#closed || !this.#regular) return;
    attempt("sync", this.#path, () => fsyncSync(this.#fd));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#flush();
    } catch {
      // Its reader has gone, or will never know the end.
    }
    if (this.#own) closeSync(this.#fd);
  }

  /** A disk may have room for a part alone: that is taken back. How much it is, Deno does not tell. */
  #append(chunk: Uint8Array): void {
    const before = fstatSync(this.#fd).size;
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at);
    } catch (error) {
      // More than that is somebody else's.
      if (fstatSync(this.#fd).size - before <= chunk.length) ftruncateSync(this.#fd, before);
      throw error;
    }
    this.size = before + chunk.length;
  }

  /** Nothing can be taken back here, so a chunk that has begun has to end. */
  #pour(chunk: Uint8Array): void {
    this.#flush();
    this.#rest = chunk;
    try {
      this.#flush();
    } catch (error) {
      const begun = this.#rest.length < chunk.length && codeOf(error) === "EAGAIN";
      this.#rest = begun ? this.#rest.slice() : NOTHING;
      if (!begun) throw error;
    }
  }

  #flush(): void {
    while (this.#rest.length > 0) {
      const written = writeSync(this.#fd, this.#rest, 0, Math.min(this.#rest.length, ATOMIC));
      this.#rest = this.#rest.subarray(written);
    }
  }
}

/**
 * The descriptor itself that `/dev/fd/N` names, where opening that would be no way to it: a socket cannot be opened, and
 * of a file others who have the descriptor, such as a shell, would write over what a second opening has appended. A pipe
 * or terminal is opened again, to be written to without waiting; the descriptor's other owners go on waiting for it.
 */
function givenDescriptor(path: string): number | undefined {
  const [, number] = /^\/dev\/fd\/(\d+)$/.exec(path) ?? [];
  if (number === undefined) return undefined;
  const status = fstatSync(Number(number));
  const again = (status.isFIFO() || status.isCharacterDevice()) && platform !== "win32";
  return again ? undefined : Number(number);
}

/** PIPE_BUF: so many bytes go into a pipe all at once or not at all (pipe(7)). */
const ATOMIC = 4_096;
