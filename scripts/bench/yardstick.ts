/**
 * Whether `weir load` asks as fast as the load generator in C: both ask the same server that echoes, with nothing between
 * them, in turns.
 *
 *     bun scripts/bench/yardstick.ts [--rounds N] [--seconds N]
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { buildLoader, load, serve } from "./loader.ts";
import { killAll } from "./process.ts";
import { median } from "./report.ts";

const TESTS = [
  { name: "rr64", connections: 64, size: 64 },
  { name: "rr1000", connections: 1_000, size: 64 },
  { name: "rr16k", connections: 16, size: 16_384 },
] as const;
const WEIR = [process.execPath, "src/main.ts", "load", "--json", "--quiet"] as const;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "3" } },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
process.once("SIGINT", () => {
  killAll();
  process.exit(130);
});

const loader = buildLoader();
console.log("requests/s, medians      weir load  of that in C   no-verify  of that in C           C");
for (const test of TESTS) {
  const figures: Record<"weir" | "plain" | "c", number[]> = { weir: [], plain: [], c: [] };
  for (let round = 0; round < rounds; round++) {
    figures.c.push(await byC(test));
    figures.weir.push(await byWeir(test));
    figures.plain.push(await byWeir(test, "--no-verify"));
  }
  const [weir, plain, c] = [figures.weir, figures.plain, figures.c].map(median) as [number, number, number];
  const cells = [count(weir), (weir / c).toFixed(2), count(plain), (plain / c).toFixed(2), count(c)];
  console.log([test.name.padEnd(22), ...cells.map((cell) => cell.padStart(12))].join(""));
}

type Test = (typeof TESTS)[number];

async function byC({ connections, size }: Test): Promise<number> {
  return await withServer(async (port) => {
    const answer = await load(loader, ["pingpong", port, connections, size], seconds);
    return answer("count") / answer("seconds");
  });
}

async function byWeir({ connections, size }: Test, ...more: string[]): Promise<number> {
  return await withServer(async (port) => {
    const [file, ...args] = WEIR;
    const flags = [`127.0.0.1:${port}`, "-c", connections, "-s", size, "-d", `${seconds}s`, ...more].map(String);
    const report = JSON.parse(execFileSync(file, [...args, ...flags], { encoding: "utf8" })) as Report;
    return report.scenarios[0].requests_per_second;
  });
}

interface Report {
  readonly scenarios: readonly [{ readonly requests_per_second: number }];
}

async function withServer(ask: (port: number) => Promise<number>): Promise<number> {
  const { program, answer } = await serve(loader, "echo");
  try {
    return await ask(answer("port"));
  } finally {
    await program.stop();
  }
}

function count(figure: number): string {
  return Math.round(figure).toLocaleString("en");
}
