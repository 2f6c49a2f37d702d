/** Builds the load generator (C, the *.c beside this file) on first use, and runs its subcommands. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { type Program, start } from "./process.ts";

const SOURCES = import.meta.dirname;
const COMPILERS = ["cc", "gcc", "clang"];
/** What a subcommand may take beyond its own limit: to start, to settle, to print. */
const SLACK_MS = 10_000;

/** The figures of a load generator's line, by name. */
export type Answer = (figure: string) => number;

/** Path of the built program. Builds it when it is missing or older than its source; throws with what to install. */
export function buildLoader(): string {
  const folder = join(tmpdir(), `weir-bench-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A folder with this name that somebody else made first could hold a program of theirs.
  if (statSync(folder).uid !== userInfo().uid) throw new Error(`${folder} belongs to another user: remove it`);

  const binary = join(folder, "load");
  const files = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name));
  const newest = Math.max(...files.map((name) => statSync(join(SOURCES, name)).mtimeMs));
  if ((statSync(binary, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) return binary;

  const units = files.filter((name) => name.endsWith(".c")).map((name) => join(SOURCES, name));
  const fresh = `${binary}.${process.pid}`; // renamed when complete: two benchmarks may build at once
  compile(["-O2", "-Wall", "-o", fresh, ...units]);
  renameSync(fresh, binary);
  return binary;
}

function compile(args: readonly string[]): void {
  for (const compiler of COMPILERS) {
    const { error, status, stderr } = spawnSync(compiler, args, { encoding: "utf8" });
    if (error !== undefined) continue;
    if (status === 0) return;
    throw new Error(`Cannot build the load generator with ${compiler}:\n${stderr}`);
  }
  throw new Error(
    `Cannot build the load generator: no C compiler found (tried ${COMPILERS.join(", ")}). ` +
      "On Debian: apt-get install gcc libc6-dev",
  );
}

/** Runs a subcommand to its end. Rejects when it fails or outlives `seconds` by far. */
export async function load(loader: string, args: readonly (string | number)[], seconds: number): Promise<Answer> {
  return loadWhile(loader, args, seconds, () => {});
}

/** Runs a subcommand that keeps its connections after its line, calls `look`, and only then ends it. */
export async function loadWhile(
  loader: string,
  args: readonly (string | number)[],
  seconds: number,
  look: () => void,
): Promise<Answer> {
  const program = await start([loader, ...args.map(String), String(seconds)]);
  try {
    const answer = parse(await program.line(seconds * 1000 + SLACK_MS));
    look();
    return answer;
  } finally {
    program.closeInput();
    await program.stop();
  }
}

/** Starts a target: `serve WHAT`. Its answer has `port`, and `tally`, the port where a sink tells its count. */
export async function serve(loader: string, what: string): Promise<{ program: Program; answer: Answer }> {
  const program = await start([loader, "serve", what]);
  return { program, answer: parse(await program.line(SLACK_MS)) };
}

function parse(line: string): Answer {
  const fields = JSON.parse(line) as Readonly<Record<string, unknown>>;
  if (fields.first_error) console.log(`  load generator: first error: ${fields.first_error}`);
  return (figure) => {
    const value = fields[figure];
    if (typeof value !== "number") throw new Error(`The load generator's line has no "${figure}": ${line}`);
    return value;
  };
}
