/** A process for commands that need no more of one: its files are given, what it prints is kept. */
import type { Folders, Host } from "../../src/cli/host.ts";
import { main } from "../../src/cli/main.ts";
import type { Runtime } from "../../src/net/runtime.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

export interface Outcome {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

export function fakeHost(files: Files, args: readonly string[] = [], out: string[] = [], err: string[] = []): Host {
  return {
    name: "weir",
    args,
    program: ["/opt/weir"],
    folders: NO_FOLDERS,
    env: () => undefined,
    out: (line) => out.push(line),
    outBytes: (bytes) => out.push(new TextDecoder().decode(bytes)),
    err: (line) => err.push(line),
    progress: () => {},
    printed: async () => {},
    readFile: async (path) => {
      const content = contentOf(files, path);
      return typeof content === "string" ? content : new TextDecoder().decode(content);
    },
    readBytes: async (path) => {
      const content = contentOf(files, path);
      return typeof content === "string" ? new TextEncoder().encode(content) : content;
    },
    readInput: async () => String(contentOf(files, "-")),
    notify: async () => {},
    onSignal: () => () => {},
    onReload: () => () => {},
    openTerminal: () => undefined,
  };
}

const NO_FOLDERS: Folders = {
  posix: true,
  absolute: async () => refuse(),
  look: async () => refuse(),
  link: async () => refuse(),
  script: async () => refuse(),
  remove: async () => refuse(),
};

function refuse(): never {
  throw new Error("such a command changes no folder");
}

function contentOf(files: Files, path: string): string | Uint8Array {
  const content = files[path];
  if (content === undefined) throw Object.assign(new Error(`no file ${path}`), { code: "ENOENT" });
  return content;
}

/** Runs a command that opens no socket. `now`: milliseconds since 1970 UTC; `name`: what weir was started as. */
export async function runCommand(args: readonly string[], files: Files = {}, now = 0, name = "weir"): Promise<Outcome> {
  const [out, err]: string[][] = [[], []];
  const runtime = { wallClock: () => now } as Runtime;
  const threads = () => {
    throw new Error("such a command needs no threads");
  };
  const host = { ...fakeHost(files, args, out, err), name };
  return { code: await main(runtime, threads, host), out: out ?? [], err: err ?? [] };
}
