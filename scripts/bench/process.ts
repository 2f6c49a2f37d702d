/**
 * Starts the benchmark's programs, reads from /proc what they cost as whole process trees, and ends each of them by its
 * own pid, whatever happens to the benchmark itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Program {
  readonly pid: number;
  /** Fulfils with a sentence on how the program ended; never rejects. */
  readonly exited: Promise<string>;
  /** The first line of standard output. Rejects when the program ends without one or `limitMs` has passed. */
  line(limitMs: number): Promise<string>;
  /** Ends standard input: the load generator's sign to stop. */
  closeInput(): void;
  /** Ends the program and what it started. Fulfils when they are gone. */
  stop(): Promise<void>;
}

/**
 * What a process tree has used since it was started. `peakBytes` adds up the peaks of its processes; the memory of those
 * that have ended is no longer to be had, their CPU time is.
 */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Without what lies in files as well: the code of programs. */
  readonly anonymousBytes: number;
  readonly peakBytes: number;
}

/** Time between SIGTERM and SIGKILL: a relay may wait for its sessions, but their peers are gone by then. */
const GRACE_MS = 3_000;
/** The unit of CPU time in /proc. The kernel fixes USER_HZ at 100 for programs, whatever its own timer does. */
const TICKS_PER_SECOND = 100;

const running = new Set<Program>();
let closing = false;

/** Starts `argv` in the folder `cwd`. Rejects when it cannot be started, or when the benchmark is ending. */
export async function start(argv: readonly string[], cwd?: string): Promise<Program> {
  if (closing) throw new Error("The benchmark is ending");
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], ...(cwd === undefined ? {} : { cwd }) });
  const { pid } = child;
  if (pid === undefined) {
    throw await new Promise<unknown>((fulfil) => child.once("error", fulfil));
  }
  const program = follow(child, pid, file);
  running.add(program);
  child.once("exit", () => running.delete(program));
  return program;
}

function follow(child: ChildProcess, pid: number, file: string): Program {
  let output = "";
  let complaint = "";
  const line = Promise.withResolvers<string>();
  line.promise.catch(() => {}); // most programs are never asked for their line
  const exited = new Promise<string>((fulfil) => {
    // Not "exit": that one may come before the last output.
    child.once("close", (code, signal) => {
      const why = complaint.trim().replace(/\s+/g, " ");
      const how = `${file} ended with ${signal ?? `exit code ${code}`}${why && `: ${why}`}`;
      line.reject(new Error(how));
      fulfil(how);
    });
  });
  child.stdin?.on("error", () => {}); // EPIPE of a program that has ended first
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-500);
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (output.includes("\n")) return;
    output += text;
    if (output.includes("\n")) line.resolve(output.slice(0, output.indexOf("\n")));
  });
  return {
    pid,
    exited,
    line: (limitMs) => within(line.promise, limitMs, `${file} printed nothing for ${limitMs} ms`),
    closeInput: () => child.stdin?.end(),
    stop: () => ((child.exitCode ?? child.signalCode) === null ? end(pid, exited) : Promise.resolve()),
  };
}

/** Ends everything that is still running; nothing can be started afterwards. */
export async function stopAll(): Promise<void> {
  closing = true;
  await Promise.all([...running].map((program) => program.stop()));
}

/** The last resort when the benchmark's own process is about to go and can no longer wait. */
export function killAll(): void {
  closing = true;
  for (const { pid } of running) for (const member of family(pid)) signal(member.pid, "SIGKILL");
}

async function end(pid: number, exited: Promise<string>): Promise<void> {
  const members = family(pid); // read first: an orphan no longer shows whose child it was
  signal(pid, "SIGTERM");
  await within(exited, GRACE_MS, "").catch(() => {});
  for (const { pid, started } of members) {
    // A pid may have been given to another process since; the start time tells them apart.
    if (readStat(pid)?.started === started) signal(pid, "SIGKILL");
  }
  await within(exited, GRACE_MS, "").catch(() => {});
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended already
  }
}

async function within<T>(promise: Promise<T>, limitMs: number, complaint: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(limitMs, undefined, { signal: timer.signal }).then(() => Promise.reject(new Error(complaint)));
  late.catch(() => {}); // stopped below
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/** CPU time and memory of the process `pid` and all its descendants. */
export function usage(pid: number): Usage {
  let [ticks, rssBytes, anonymousBytes, peakBytes] = [0, 0, 0, 0];
  for (const member of family(pid)) {
    const status = readProc(member.pid, "status") ?? "";
    const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? 0);
    ticks += member.ticks;
    rssBytes += kilobytes("VmRSS") * 1024;
    anonymousBytes += kilobytes("RssAnon") * 1024;
    peakBytes += kilobytes("VmHWM") * 1024;
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes, anonymousBytes, peakBytes };
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Its own time and that of its ended children. */
  readonly ticks: number;
  /** In ticks since the machine was started. */
  readonly started: number;
}

function family(root: number): Stat[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined);
  const members = all.filter(({ pid }) => pid === root);
  for (const { pid } of members) members.push(...all.filter(({ parent }) => parent === pid)); // grows as it goes
  return members;
}

function readStat(pid: number): Stat | undefined {
  const text = readProc(pid, "stat");
  if (text === undefined) return undefined;
  // The second field, the program's name, may itself hold spaces and ")": count from the last one. See proc(5).
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const field = (number: number) => fields[number - 3] ?? 0;
  return { pid, parent: field(4), ticks: field(14) + field(15) + field(16) + field(17), started: field(22) };
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined; // the process has just ended
  }
}

/** A port on 127.0.0.1 that nothing listens on, chosen by the kernel. */
export function freePort(): Promise<number> {
  return new Promise((fulfil, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === "object") fulfil(address.port);
        else reject(new Error("The kernel gave no port"));
      });
    });
  });
}

/** Fulfils when `port` takes connections. Rejects when `program` ends first or after `limitMs`. */
export async function listening(port: number, program: Program, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  const ended = program.exited.then((how) => Promise.reject(new Error(`${how}, before it listened on ${port}`)));
  while (!(await Promise.race([takesConnections(port), ended]))) {
    if (performance.now() > deadline) throw new Error(`Nothing listens on port ${port} after ${limitMs} ms`);
    await sleep(20);
  }
  ended.catch(() => {}); // from here on the program may end whenever it is told to
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((fulfil) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => fulfil(true)).once("error", () => fulfil(false));
    socket.once("connect", () => socket.destroy());
  });
}
