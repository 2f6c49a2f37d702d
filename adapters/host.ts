/** The process around the program: `node:process` and `node:fs`, which Bun, Deno and Node have alike. */
import { readFile } from "node:fs/promises";
import process from "node:process";
import type { Host } from "../src/cli/host.ts";
import { LineWriter } from "./line-writer.ts";

// Bun and Node make a pipe non-blocking when its stream is first touched; from then on a reader that stalls
// cannot stall the relay. (Deno has no such way.)
process.stdout.isTTY;
process.stderr.isTTY;
const stdout = new LineWriter(1);
const stderr = new LineWriter(2);

export const host: Host = {
  args: process.argv.slice(2),
  env: (name) => process.env[name],
  out: (line) => stdout.line(line),
  outBytes: (bytes) => stdout.bytes(bytes),
  err: (line) => stderr.line(line),
  readFile: (path) => readFile(path, "utf8"),
  readBytes: (path) => readFile(path),
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
};

export function exit(code: number): never {
  process.exit(code);
}
