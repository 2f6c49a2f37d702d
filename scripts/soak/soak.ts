/**
 * A long mixed load on one weir: churn, resets, stalled readers and bulk at once. It ends with an error if memory
 * grows, a descriptor stays open, or weir's byte counts differ from what clients and target saw.
 *
 *   bun scripts/soak/soak.ts [SECONDS [FLAGS OF weir run...]]
 *
 * Traffic stays on loopback. Linux: memory and descriptors are read from /proc.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { type Address, formatAddress } from "../../src/net/address.ts";
import { Clients, serve } from "./load.ts";

const [seconds = "60", ...flags] = process.argv.slice(2);
const length = Number(seconds) * 1_000;
/** Milliseconds between two looks at weir. */
const LOOK = 5_000;
/** Of the time, at the beginning, in which weir may still grow: code is compiled and heaps find their size. */
const WARM = 0.4;
/** How much more than in the warm part it may take afterwards. */
const GROWTH = 1.15;
/** Pipes that workers keep, and what a runtime opens in passing. */
const DESCRIPTORS = 80;

const LOOPBACK: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };
const directory = mkdtempSync(join(tmpdir(), "weir-soak-"));
const problems: string[] = [];

const target = await serve(LOOPBACK);
const weir = await start(formatAddress(target.address));
const before = descriptors();
const clients = new Clients(weir.exact, weir.rough);
const [warm, later]: [number[], number[]] = [[], []];
const began = runtime.now();
const until = began + length;
const working = clients.run(() => runtime.now() < until);
const watch = setInterval(() => {
  const age = runtime.now() - began;
  const memory = residentMemory();
  (age < WARM * length ? warm : later).push(memory);
  const { churned, reset, stalled, bulk } = clients;
  console.log(
    `${(age / 1_000).toFixed(0).padStart(5)} s  ${(memory / 1e6).toFixed(1)} MB  ${descriptors()} descriptors  ` +
      `${churned} short, ${reset} reset, ${stalled} stalled, ${bulk} bulk`,
  );
}, LOOK);
await working;
clearInterval(watch);
await settled();
await report();
weir.child.kill("SIGTERM");
if ((await weir.child.exited) !== 0) problems.push(`weir ended with ${weir.child.exitCode}`);
await target.close();
rmSync(directory, { recursive: true });
for (const problem of problems) console.log(`PROBLEM ${problem}`);
console.log(problems.length === 0 ? "soak passed" : "soak failed");
process.exit(problems.length === 0 ? 0 : 1);

/** Two proxies: one whose connections all end in order, so that its counts are exact, and one for resets. */
async function start(to: string) {
  const config = join(directory, "weir.toml");
  const proxy = (name: string) => `[[proxy]]\nname = "${name}"\nlisten = "127.0.0.1:0"\ntarget = "${to}"\n`;
  writeFileSync(
    config,
    `[admin]\nlisten = "127.0.0.1:0"\n[log]\nsummary_interval = "off"\n${proxy("exact")}${proxy("rough")}`,
  );
  const main = join(import.meta.dir, "../../src/main.ts");
  const argv = [process.execPath, main, "run", config, "--log-format", "json", "--log-level", "info", ...flags];
  const child = Bun.spawn(argv, { stdout: "pipe", stderr: "inherit" });
  const said = new Map<string, string>();
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  for (let text = ""; said.size < 3; ) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`weir ended: ${text}`);
    text += decoder.decode(value, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const { event, proxy: name, address } = JSON.parse(line);
      if (event === "listening" || event === "metrics") said.set(name ?? event, address);
    }
  }
  // Whatever else it says, somebody has to take it.
  (async () => {
    while (!(await reader.read()).done);
  })();
  const port = (name: string): Address => ({ ...LOOPBACK, port: Number(said.get(name)?.split(":")[1]) }) as Address;
  return { child, exact: port("exact"), rough: port("rough"), admin: said.get("metrics") ?? "" };
}

interface Figures {
  readonly name: string;
  readonly connections_active: number;
  readonly connections_total: number;
  readonly bytes_upstream: number;
  readonly bytes_downstream: number;
}

async function figures(): Promise<Figures[]> {
  const answer = await fetch(`http://${weir.admin}/api/proxies`);
  return ((await answer.json()) as { proxies: Figures[] }).proxies;
}

/** Waits, a bounded time, until no connection is left. */
async function settled(): Promise<void> {
  const end = runtime.now() + 10_000;
  while ((await figures()).some((each) => each.connections_active > 0)) {
    if (runtime.now() > end) {
      problems.push("connections are left that nobody holds");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function report(): Promise<void> {
  const exact = (await figures()).find(({ name }) => name === "exact");
  const { connections, sent, received } = clients.tally;
  expect("connections", exact?.connections_total ?? 0, connections);
  expect("bytes upstream", exact?.bytes_upstream ?? 0, sent);
  expect("bytes downstream", exact?.bytes_downstream ?? 0, received);
  const open = descriptors();
  if (open > before + DESCRIPTORS) problems.push(`${open - before} more descriptors than at the start`);
  const [early, late] = [Math.max(...warm), Math.max(...later)];
  console.log(`memory at most ${(early / 1e6).toFixed(1)} MB in the first part, ${(late / 1e6).toFixed(1)} MB after`);
  if (late > early * GROWTH) problems.push(`memory grew from ${early} to ${late} bytes`);
}

function expect(what: string, counted: number, seen: number): void {
  console.log(`${what}: weir ${counted}, the peers ${seen}`);
  if (counted !== seen) problems.push(`${what} differ by ${counted - seen}`);
}

function descriptors(): number {
  return readdirSync(`/proc/${weir.child.pid}/fd`).length;
}

function residentMemory(): number {
  return 1_024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${weir.child.pid}/status`, "utf8"))?.[1]);
}
