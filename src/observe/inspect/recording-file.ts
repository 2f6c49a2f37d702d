/**
 * A file that recordings are written to. When it is full it becomes `path.1`, that one `path.2`, and so on, and a new
 * one begins. What cannot be written is lost and nobody waits for it: the sessions go on.
 */
import { FileError } from "../../net/errors.ts";
import type { OutputFile, Runtime } from "../../net/runtime.ts";
import { concatenate } from "../bytes.ts";

/** Where what is recorded goes. */
export interface Recording {
  /** False: it is lost, all of it. Not after `close`. */
  write(record: Uint8Array): boolean;
  close(): void;
}

export interface RecordingFileOptions {
  /** What the file begins with. Where there is such a thing, a file that is there already is put aside first. */
  readonly header: Uint8Array;
  /** Bytes that a file has at most, unless a single record has more; 0: any number. */
  readonly maxSize: number;
  /** How many older files are kept; the oldest one beyond is removed. */
  readonly keep: number;
  /** A file cannot be written; once for each of them. */
  readonly failed: (path: string, error: FileError) => void;
}

/** Milliseconds after an error in which a file is not tried again. */
const REST = 1_000;

export class RecordingFile implements Recording {
  readonly #runtime: FileRuntime;
  readonly #path: string;
  readonly #options: RecordingFileOptions;
  #file: OutputFile | undefined;
  /** Its header is still to be written. */
  #blank = false;
  /** It has been open before. */
  #begun = false;
  /** Its failure has been told. */
  #told = false;
  #restsUntil = 0;

  constructor(runtime: FileRuntime, path: string, options: RecordingFileOptions) {
    this.#runtime = runtime;
    this.#path = path;
    this.#options = options;
  }

  /** Opens it now: an error is thrown once, here, in place of being told later. Throws a {@link FileError}. */
  open(): void {
    if (!this.#file) this.#open();
  }

  /** Waits until the disk has what was written, as far as it can be known. */
  sync(): void {
    try {
      this.#file?.sync();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#failed(error);
    }
  }

  write(record: Uint8Array): boolean {
    if (this.#runtime.now() < this.#restsUntil) return false;
    try {
      const file = this.#ready(record.length);
      file.write(this.#blank ? concatenate([this.#options.header, record]) : record);
      this.#blank = false;
      return true;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#failed(error);
      return false;
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** The file, open and with room for so many bytes. */
  #ready(length: number): OutputFile {
    const { maxSize, header } = this.#options;
    const { size } = this.#file ?? this.#open();
    // Who wrote this is not known, and two captures in one file are none.
    const foreign = !this.#begun && size > 0 && header.length > 0;
    const full = maxSize > 0 && size > header.length && size + length > maxSize;
    if (foreign || full) this.#rotate();
    const file = this.#file ?? this.#open();
    this.#begun = true;
    return file;
  }

  #open(): OutputFile {
    const file = this.#runtime.openFile(this.#path);
    this.#file = file;
    this.#blank = file.size === 0;
    return file;
  }

  #rotate(): void {
    const { keep } = this.#options;
    this.#file?.close();
    this.#file = undefined;
    const runtime = this.#runtime;
    const path = this.#path;
    for (let number = keep - 1; number >= 1; number--) {
      ifThere(() => runtime.renameFile(`${path}.${number}`, `${path}.${number + 1}`));
    }
    ifThere(() => (keep > 0 ? runtime.renameFile(path, `${path}.1`) : runtime.removeFile(path)));
    this.#told = false;
  }

  #failed(error: FileError): void {
    // A reader that is only too slow will have the rest.
    if (error.code !== "EAGAIN") {
      this.#file?.close();
      this.#file = undefined;
      this.#restsUntil = this.#runtime.now() + REST;
    }
    if (this.#told) return;
    this.#told = true;
    this.#options.failed(this.#path, error);
  }
}

export type FileRuntime = Pick<Runtime, "now" | "openFile" | "renameFile" | "removeFile">;

function ifThere(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "ENOENT") throw error;
  }
}
