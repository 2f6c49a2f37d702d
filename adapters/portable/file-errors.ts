/** What goes wrong with files, in words. */
import { FileError } from "../../src/net/errors.ts";
import { codeOf } from "./errors.ts";

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBADF: "it is not open",
  EAGAIN: "its reader is too slow",
  EDQUOT: "the quota is used up",
  EFBIG: "it is as large as a file may be",
  EIO: "the device failed",
  EISDIR: "it is a directory",
  EMFILE: "too many open files in this process",
  ENFILE: "too many open files on this machine",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the device",
  ENOTDIR: "a part of the path is no directory",
  ENXIO: "nobody reads it",
  EPIPE: "nobody reads it any more",
  EROFS: "the file system is read-only",
};

/** What `act` gives; whatever it throws becomes a `FileError` that says what could not be done to which file. */
export function attempt<T>(verb: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw fileError(verb, path, thrown);
  }
}

export function fileError(verb: string, path: string, thrown: unknown): FileError {
  const code = codeOf(thrown);
  const detail = WORDS[code] ?? (thrown instanceof Error ? thrown.message : "unknown error");
  return new FileError(code, `Cannot ${verb} ${path}: ${detail} (${code})`, { cause: thrown });
}
