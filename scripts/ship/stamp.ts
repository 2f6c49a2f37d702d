/** What a build says about itself. Nothing in it depends on when or where it was built, only on the commit. */
import { join } from "node:path";
import type { Build } from "../../src/version.ts";
import { VERSION } from "../../src/version.ts";

export const ROOT = join(import.meta.dir, "../..");

/** The commit that is built, and the time that counts as that of the build: seconds since 1970 UTC. */
export interface Source {
  /** Without a repository: undefined. With changes that are not committed: with `-dirty` behind it. */
  readonly commit: string | undefined;
  readonly time: number;
}

/** What git says, or for sources without a repository, `WEIR_COMMIT` and, as for other programs, `SOURCE_DATE_EPOCH`. */
export function source(): Source {
  const { WEIR_COMMIT: commit = commitHere(), SOURCE_DATE_EPOCH: time = git("log", "-1", "--format=%ct") } =
    process.env;
  return { commit, time: Number(time ?? 0) };
}

/** The environment that makes {@link source} say the same somewhere else. */
export function asSource({ commit = "unknown", time }: Source): Record<string, string> {
  return { WEIR_COMMIT: commit, SOURCE_DATE_EPOCH: String(time) };
}

/** `define` for a bundle that knows what it was built from. `kind`: `linux-x64`, `npm for Node`. */
export function stamp({ commit, time }: Source, kind: string): Record<string, string> {
  const date = new Date(time * 1_000).toISOString().slice(0, 10);
  const build: Build = { commit: commit ?? "unknown", date, kind, by: `bun ${Bun.version}` };
  return { WEIR_BUILD: JSON.stringify(build) };
}

export { VERSION };

function commitHere(): string | undefined {
  const commit = git("rev-parse", "--short=12", "HEAD");
  return commit !== undefined && git("status", "--porcelain", "--untracked-files=no") !== ""
    ? `${commit}-dirty`
    : commit;
}

function git(...args: string[]): string | undefined {
  const { exitCode, stdout } = Bun.spawnSync(["git", "-C", ROOT, ...args], { stderr: "ignore" });
  return exitCode === 0 ? stdout.toString().trim() : undefined;
}
