/**
 * weir's benchmark against HAProxy and nginx, for anyone to repeat:
 *
 *     bun scripts/bench/bench.ts
 *
 * Each round of a test starts fresh contenders between a load generator and a target on 127.0.0.1, warms them, and measures
 * what goes through and what they cost. They take short turns, so that a machine that is slow for a while is slow for all of
 * them; ratios are those of turns that followed each other.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CONTENDERS, type Contender, sessions } from "./contenders.ts";
import { buildLoader } from "./loader.ts";
import { killAll, stopAll } from "./process.ts";
import { medians, type Run, roundLine, table } from "./report.ts";
import { round } from "./round.ts";
import { TESTS } from "./tests.ts";

const IDLE_CONNECTIONS = 3_000;

const HELP = `Usage: bun scripts/bench/bench.ts [flags]

  --tests LIST       of: ${Object.keys(TESTS).join(",")} (default: all)
  --contenders LIST  of: ${Object.keys(CONTENDERS).join(",")} (default: weir,floor,haproxy,nginx)
  --weir COMMAND     how to start weir; LP and TP stand for the listen port and the target port; split at
                     spaces, no quotes (default: bun src/main.ts tcp 127.0.0.1:LP 127.0.0.1:TP --quiet --workers 1)
  --rounds N         default 3; the table has the medians
  --seconds N        load per contender and round, default 4: in turns of about a second where that is possible
  --warm N           seconds of the same load before, default 3: until what is compiled while it runs is compiled; 0 to see
                     what a process does in its first seconds
  --json FILE        write every run and the medians there
  --help

Tests
${Object.entries(TESTS)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join("\n")}

Exit code: 0, 1 when a run failed, 2 when the flags are wrong, 130 after Ctrl+C.`;

interface Flags {
  readonly tests: readonly string[];
  readonly contenders: readonly string[];
  readonly weir: string | undefined;
  readonly rounds: number;
  readonly seconds: number;
  readonly warm: number;
  readonly json: string | undefined;
}

/** The flags, or undefined when help was asked for. Throws on a wrong one. */
function readFlags(args: string[]): Flags | undefined {
  const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const { values } = parseArgs({
    args,
    options: {
      tests: text(Object.keys(TESTS).join(",")),
      contenders: text("weir,floor,haproxy,nginx"),
      weir: { type: "string" },
      rounds: text("3"),
      seconds: text("4"),
      warm: text("3"),
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  const warm = Number(values.warm);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds must be 1 or more: "${values.rounds}"`);
  if (!(seconds >= 0.1 && seconds <= 600)) throw new Error(`--seconds must be 0.1 to 600: "${values.seconds}"`);
  if (!(warm >= 0 && warm <= 600)) throw new Error(`--warm must be 0 to 600: "${values.warm}"`);
  return {
    tests: names("--tests", values.tests, TESTS),
    contenders: names("--contenders", values.contenders, CONTENDERS),
    weir: values.weir,
    rounds,
    seconds,
    warm,
    json: values.json,
  };
}

function names(flag: string, list: string, known: Readonly<Record<string, unknown>>): string[] {
  const chosen = [...new Set(list.split(",").map((name) => name.trim()))];
  const wrong = chosen.find((name) => !Object.hasOwn(known, name));
  if (wrong !== undefined) throw new Error(`${flag}: there is no "${wrong}". Known: ${Object.keys(known).join(", ")}`);
  return chosen;
}

async function bench(flags: Flags, folder: string): Promise<number> {
  const loader = buildLoader();
  // Asked of a child: Bun raises its own limit, and it is the children's that counts.
  const openFiles = Number(spawnSync("/bin/sh", ["-c", "ulimit -n"], { encoding: "utf8" }).stdout) || 1_048_576;
  const contenders = findContenders(flags, folder, openFiles, loader);
  if (contenders.length === 0) throw new Error("There is nobody to measure");
  const idle = Math.min(IDLE_CONNECTIONS, sessions(openFiles));
  const machine = `Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? "CPU"}`;
  console.log(`${machine}, load average ${loadavg()[0]?.toFixed(2)}, ulimit -n ${openFiles}`);
  if (idle < IDLE_CONNECTIONS && flags.tests.includes("idle")) {
    console.log(`idle: ${idle} connections instead of ${IDLE_CONNECTIONS}: raise ulimit -n for more`);
  }

  const { warm, seconds } = flags;
  const limits = { loader, warm, seconds, idle };
  const runs: Run[] = [];
  for (let number = 1; number <= flags.rounds; number++) {
    for (const name of flags.tests) {
      const test = TESTS[name];
      if (test === undefined) continue;
      const able = contenders.filter((each) => test.by !== "memory" || each.name !== "direct");
      const first = (number - 1) % able.length;
      const order = [...able.slice(first), ...able.slice(0, first)];
      const from = runs.length;
      await round(test, order, limits, (run) => runs.push({ round: number, test: name, ...run }));
      for (const { name: contender } of able) console.log(roundLine(runs.slice(from), number, name, contender));
    }
  }

  console.log(
    `\nMedians of ${flags.rounds} (each of ${seconds} s behind ${warm} s of the same load) on ${machine}:\n\n${table(runs)}`,
  );
  if (flags.json !== undefined) writeJson(flags.json, { machine, openFiles, idle, flags, contenders, runs });
  return runs.some(({ error }) => error !== undefined) ? 1 : 0;
}

function findContenders({ contenders, weir }: Flags, folder: string, openFiles: number, loader: string): Contender[] {
  const found: Contender[] = [];
  for (const name of contenders) {
    const contender = CONTENDERS[name]?.({ folder, openFiles, weir, loader });
    if (contender === undefined) continue;
    if ("missing" in contender) {
      console.log(`${name}: skipped, ${contender.missing}`);
    } else {
      console.log(`${name}: ${contender.version}`);
      found.push(contender);
    }
  }
  return found;
}

function writeJson(
  file: string,
  { runs, ...about }: { readonly runs: readonly Run[]; readonly [key: string]: unknown },
) {
  const pairs = new Map(runs.map(({ test, contender }) => [`${test} ${contender}`, { test, contender }]));
  const result = [...pairs.values()].map((pair) => ({ ...pair, ...medians(runs, pair.test, pair.contender) }));
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), ...about, medians: result, runs }, null, 2)}\n`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<number> {
  let flags: Flags | undefined;
  try {
    flags = readFlags(process.argv.slice(2));
  } catch (error) {
    console.error(`${messageOf(error)}\nSee --help.`);
    return 2;
  }
  if (flags === undefined) {
    console.log(HELP);
    return 0;
  }
  if (process.platform !== "linux") {
    console.error("The benchmark needs Linux: it reads /proc, and its load generator is built on epoll");
    return 1;
  }

  const folder = mkdtempSync(join(tmpdir(), "weir-bench-run-"));
  process.on("exit", () => {
    killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => void stopAll().finally(() => process.exit(130)));
  }
  try {
    return await bench(flags, folder);
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  } finally {
    await stopAll();
  }
}

process.exit(await main());
