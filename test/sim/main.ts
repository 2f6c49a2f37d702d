/**
 * Storms on a simulated network, from the command line:
 *
 *     bun run sim --seed 4711         one seed, with the trace of everything that happens to weir's sockets
 *     bun run sim --seeds 10000       that many new seeds; a failing one is printed and can be replayed
 *     bun run sim --mux --seeds 1000  the same for clients that share connections
 *     bun run sim --udp --seeds 1000  the same for UDP sessions
 *     bun run sim --bridges --seeds 1000  the same for bridges
 *     bun run sim --mutants           takes one rule after the other out of the core: a seed has to fail
 *
 * The same seed does the same on every machine, as long as the code is the same.
 */
import { parseArgs } from "node:util";
import { bridgeStorm } from "./bridges/storm.ts";
import { datagramStorm } from "./datagrams/storm.ts";
import { hunt, type Outcome, type Storm } from "./hunt.ts";
import { mutants } from "./mutants.ts";
import { muxStorm } from "./mux/storm.ts";
import { storm } from "./storm.ts";

const HELP = `Usage: bun run sim FLAG

  --seed N      replay one seed and print its trace
  --seeds N     run N seeds, from a random one on
  --from N      with --seeds: begin with this one
  --first       with --seeds: end with the first that fails
  --mux         with --seed, --seeds: storms over shared connections
  --udp         with --seed, --seeds: storms of datagrams
  --bridges     with --seed, --seeds: storms over bridges
  --mutants     check that each rule of the core is needed: without it a seed fails
  --help

Exit code: 0, 1 when something was found, 2 when the flags are wrong.`;

/** Seeds that fail before the hunt gives up: the same bug makes many of them fail. */
const ENOUGH = 10;

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" },
        seeds: { type: "string" },
        from: { type: "string" },
        first: { type: "boolean", default: false },
        mux: { type: "boolean", default: false },
        udp: { type: "boolean", default: false },
        bridges: { type: "boolean", default: false },
        mutants: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const special = values.bridges ? BRIDGES : values.udp ? UDP : values.mux ? MUX : undefined;
    const kind: Kind = special ?? { storm, flags: "" };
    if (values.seed !== undefined) return await replay(kind, integer("--seed", values.seed));
    if (values.seeds !== undefined) {
      const from = values.from === undefined ? Math.floor(Math.random() * 2 ** 40) : integer("--from", values.from);
      return await many(kind, from, integer("--seeds", values.seeds), values.first ? 1 : ENOUGH);
    }
    if (values.mutants) return await mutants();
    console.log(HELP);
    return values.help ? 0 : 2;
  } catch (error) {
    console.error(`sim: ${error instanceof Error ? error.message : error}; see --help`);
    return 2;
  }
}

/** A kind of storms, and what stands for it on the command line. */
interface Kind {
  readonly storm: Storm;
  readonly flags: string;
}

const MUX: Kind = { storm: muxStorm, flags: "--mux " };
const UDP: Kind = { storm: datagramStorm, flags: "--udp " };
const BRIDGES: Kind = { storm: bridgeStorm, flags: "--bridges " };

function integer(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${flag} is "${text}"; it must be a whole number`);
  return value;
}

async function replay({ storm }: Kind, seed: number): Promise<number> {
  const { plan, violations, steps } = await storm(seed, (line) => console.log(line));
  console.log(`\nseed ${seed}, a ${plan.kind} storm of ${steps} events:`);
  console.log(JSON.stringify({ ...plan, client: undefined, target: undefined }, bigints, 1));
  for (const violation of violations) console.log(`VIOLATION ${violation}`);
  console.log(violations.length === 0 ? "all is well" : `${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
}

/** Address ranges hold them, and JSON does not. */
function bigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

async function many({ storm, flags }: Kind, from: number, count: number, enough: number): Promise<number> {
  const show = ({ seed, plan, violations }: Outcome) => {
    console.log(`seed ${seed} FAILED (${plan.kind}); replay it with: bun run sim ${flags}--seed ${seed}`);
    for (const violation of violations.slice(0, 5)) console.log(`  ${violation}`);
  };
  const { storms, connections, steps, failed, seconds } = await hunt(storm, from, count, show, enough);
  const what = `${storms} seeds from ${from}: ${connections} connections, ${steps} events in ${seconds.toFixed(1)} s`;
  console.log(`${what}; ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exit(await main());
