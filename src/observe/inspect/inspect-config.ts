/** What weir can be told about a record of what passes, after reading and checking. */
import { DIRECTIONS } from "../../filter/step.ts";
import { STDOUT } from "./file-name.ts";

export const INSPECT_FORMATS = ["hex", "jsonl", "pcap"] as const;
export const INSPECT_DIRECTIONS = ["both", ...DIRECTIONS] as const;

/** How what clients send and get is written down. */
export interface InspectConfig {
  readonly format: (typeof INSPECT_FORMATS)[number];
  /**
   * A file; with `{session}`, `{client}` or `{time}` in it one for each session, `{proxy}` is the proxy's name. `-` is
   * standard output.
   */
  readonly path: string;
  /** Bytes of a session, both directions together, after which no more of it is recorded; 0: all are. */
  readonly maxBytes: number;
  /** Bytes after which a file is put aside and a new one begins; 0: never. */
  readonly maxSize: number;
  /** How many files that were put aside are kept. */
  readonly keep: number;
  readonly direction: (typeof INSPECT_DIRECTIONS)[number];
}

export const INSPECT: InspectConfig = {
  format: "hex",
  path: STDOUT,
  maxBytes: 0,
  maxSize: 104_857_600,
  keep: 9,
  direction: "both",
};
