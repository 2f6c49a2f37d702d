/** weir's own version: the one in package.json, which a test compares. */
export const VERSION = "0.1.0";

/** What a build says of itself. */
export interface Build {
  /** In short, with `-dirty` behind it if there were changes. */
  readonly commit: string;
  /** The day of the commit, not of the build: the same commit gives the same bytes. */
  readonly date: string;
  /** `linux-x64`, `npm for Node`. */
  readonly kind: string;
  /** The compiler, with its version. */
  readonly by: string;
}

/** Put in by scripts/ship/stamp.ts. */
declare const WEIR_BUILD: Build | undefined;

/** Undefined where weir runs from its sources. */
export const BUILD = typeof WEIR_BUILD === "undefined" ? undefined : WEIR_BUILD;
