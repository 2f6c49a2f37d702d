/** Files in memory, for processes without a disk: what they wrote can be read, and the disk can be full. */
import { FileError } from "../../src/net/errors.ts";
import type { OutputFile } from "../../src/net/runtime.ts";

/** A file that has lost its name lives on for those who have it open. */
interface Content {
  bytes: Uint8Array;
}

export class MemoryFiles {
  /** Bytes for which there is room in all. */
  capacity = Number.POSITIVE_INFINITY;
  /** With which code every write fails. */
  broken: string | undefined;
  /** With which code a file cannot be opened. */
  readonly locked = new Map<string, string>();
  opened = 0;
  readonly #contents = new Map<string, Content>();

  get names(): readonly string[] {
    return [...this.#contents.keys()].sort();
  }

  /** Of a file that is there. */
  read(path: string): Uint8Array {
    return this.#content(path).bytes;
  }

  readonly openFile = (path: string): OutputFile => {
    const code = this.locked.get(path);
    if (code !== undefined) throw new FileError(code, `Cannot open ${path} (${code})`);
    const content = this.#contents.get(path) ?? { bytes: new Uint8Array(0) };
    this.#contents.set(path, content);
    this.opened++;
    let open = true;
    return {
      get size() {
        return content.bytes.length;
      },
      write: (chunk) => {
        if (!open) throw new FileError("EBADF", `Cannot write ${path}: it is closed (EBADF)`);
        if (this.broken !== undefined) throw new FileError(this.broken, `Cannot write ${path} (${this.broken})`);
        if (this.#used + chunk.length > this.capacity) throw new FileError("ENOSPC", `Cannot write ${path} (ENOSPC)`);
        const grown = new Uint8Array(content.bytes.length + chunk.length);
        grown.set(content.bytes);
        grown.set(chunk, content.bytes.length);
        content.bytes = grown;
      },
      sync() {},
      close: () => {
        if (open) this.opened--;
        open = false;
      },
    };
  };

  readonly readFile = (path: string): string => new TextDecoder().decode(this.read(path));

  readonly renameFile = (from: string, to: string): void => {
    this.#contents.set(to, this.#content(from));
    this.#contents.delete(from);
  };

  readonly removeFile = (path: string): void => {
    this.#content(path);
    this.#contents.delete(path);
  };

  get #used(): number {
    return [...this.#contents.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  #content(path: string): Content {
    const content = this.#contents.get(path);
    if (!content) throw new FileError("ENOENT", `Cannot find ${path} (ENOENT)`);
    return content;
  }
}
