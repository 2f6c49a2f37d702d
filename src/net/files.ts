/** Files in the seam; see runtime.ts. */
import type { Chunk } from "./datagram.ts";
import type { FileError } from "./errors.ts";

/** A file that grows at its end. What `write` has taken is the kernel's: nothing of it waits in this process. */
export interface OutputFile {
  /** Bytes in it, also from before it was opened; 0 for what has no size, such as a FIFO. */
  readonly size: number;
  /**
   * Appends all of `chunk`, or throws a {@link FileError} and nothing of it is in the file: `ENOSPC`, `EDQUOT`, `EIO`,
   * `EPIPE` (nobody reads the FIFO any more), `EAGAIN` (who reads it is too slow), `EBADF` (it is closed), …
   */
  write(chunk: Chunk): void;
  /** Waits until the disk has what was written (fsync(2)), where there is one. Throws a {@link FileError}: `EIO`, … */
  sync(): void;
  /** Once more does no harm. */
  close(): void;
}

/** What an open file tells who reads it. */
export interface InputEvents {
  /** The next bytes; never while paused. */
  data(chunk: Chunk): void;
  /** Once, last, unless it was closed before: its end, or the {@link FileError} that keeps it from being read. */
  close(error?: FileError): void;
}

/** A file, or a descriptor, that is read from where it stands to its end. Created paused. */
export interface InputFile {
  pause(): void;
  resume(): void;
  /** Nothing is told any more. A descriptor that was somebody else's stays open. */
  close(): void;
}
