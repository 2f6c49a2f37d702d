/** The process around the program: `node:process` and `node:fs`, which Bun, Deno and Node have alike. */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import process from "node:process";
import type { Host } from "../src/cli/host.ts";
import { folders } from "./folders.ts";
import { LineWriter } from "./line-writer.ts";
import { openTerminal } from "./terminal.ts";

// Bun and Node make a pipe non-blocking when its stream is first touched; from then on a reader that stalls
// cannot stall the relay. (Deno has no such way.)
process.stdout.isTTY;
process.stderr.isTTY;
const stdout = new LineWriter(1);
const stderr = new LineWriter(2);

/** The code of an executable of Bun's is a file within itself. */
const BUNDLED = /^(?:\/\$bunfs|[A-Z]:[\\/]~BUN)[\\/]/;

export const host: Host = {
  name: basename(startedAs(), ".exe"),
  args: process.argv.slice(2),
  program: program(),
  folders,
  env: (name) => process.env[name],
  out: (line) => stdout.line(line),
  outBytes: (bytes) => stdout.bytes(bytes),
  err: (line) => stderr.line(line),
  progress(line) {
    if (process.stderr.isTTY) stderr.bytes(new TextEncoder().encode(`\r\u001b[K${line(process.stderr.columns || 80)}`));
  },
  printed: () => stdout.written(),
  readFile: (path) => readFile(path, "utf8"),
  readBytes: (path) => readFile(path),
  readInput: () => input(),
  async notify(notice, status) {
    const socket = process.env["NOTIFY_SOCKET"];
    if (!socket) return;
    try {
      (await import("#notify")).notify(socket, notice, status);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      stderr.line(`weir: cannot tell the supervisor at ${socket} (NOTIFY_SOCKET) that it is ${notice}: ${why}`);
    }
  },
  onReload(run) {
    if (process.platform === "win32") return () => {};
    process.on("SIGHUP", run);
    return () => process.off("SIGHUP", run);
  },
  onSignal(run) {
    const signals = ["SIGINT", "SIGTERM"] as const;
    const handlers = signals.map((signal) => [signal, () => run(signal)] as const);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    return () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    };
  },
  openTerminal,
};

/** The path by which the program was started: that of a link, if there was one. */
function startedAs(): string {
  const [, script = "", ...args] = process.argv;
  if (BUNDLED.test(script)) return process.argv0;
  if (!process.versions["bun"] || process.platform !== "linux") return script;
  try {
    // Bun has followed the link; the kernel knows what was written.
    const line = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
    return line.at(-1 - args.length) ?? script;
  } catch {
    return script;
  }
}

/** Deno would ask for each permission. */
function program(): [string, ...string[]] {
  const { execPath, argv, versions } = process;
  const { Deno } = globalThis as { Deno?: { build?: { standalone?: boolean } } };
  if (BUNDLED.test(argv[1] ?? "") || Deno?.build?.standalone) return [execPath];
  return [execPath, ...(versions["deno"] ? ["run", "--allow-all"] : []), argv[1] ?? ""];
}

async function input(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString("utf8");
}

export function exit(code: number): never {
  process.exit(code);
}
