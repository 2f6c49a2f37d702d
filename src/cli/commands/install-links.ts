/** `weir install-links DIR`: links, or scripts, by which weir is started under the names of older programs. */
import { visible } from "../../config/problem.ts";
import type { Flags } from "../config-flags.ts";
import type { CommandRun } from "../context.ts";
import type { Entry, Folders, Host } from "../host.ts";
import { OLD_NAMES } from "../old-names.ts";

/** 0: all of them are there; 1: something else is in the way, and nothing was made. */
export const installLinks: CommandRun = async ({ host, line }) => {
  const { only = OLD_NAMES, force = false } = line.flags as Flags<"install-links">;
  const { folders } = host;
  const given = line.positionals[0] ?? "";
  const folder = await attempt(`use "${given}"`, () => folders.absolute(given));
  const starters = await Promise.all(only.map((name) => starter(host, folder, name)));
  const foreign = starters.filter(({ state }) => state === "impossible" || (state === "foreign" && !force));
  for (const { path, what, state } of foreign) {
    const remedy = state === "foreign" ? "--force replaces it" : "take it away first";
    host.err(`weir install-links: ${path} is ${what}, not weir's; ${remedy}`);
  }
  if (foreign.length > 0) {
    host.err("weir install-links: nothing was made");
    return 1;
  }
  for (const each of starters) {
    if (each.state !== "ready") await attempt(`make "${each.path}"`, () => make(folders, each));
    host.out(`${each.path} -> ${each.shown}${each.state === "ready" ? ", as it was" : ""}`);
  }
  if (host.program.length > 1) {
    const granted = host.program.includes("--allow-all") ? ", with all permissions" : "";
    host.out(`These are scripts: a link to the source would not say what runs it${granted}.`);
  }
  return 0;
};

/** How weir is started under one name, and what is there now. */
interface Starter {
  readonly path: string;
  /** Where a link leads; a script, otherwise. */
  readonly link: boolean;
  readonly content: string;
  /** What it leads to, for people. */
  readonly shown: string;
  readonly state: "missing" | "ready" | "stale" | "foreign" | "impossible";
  /** What is there, for people. */
  readonly what: string;
}

async function starter({ program, folders }: Host, folder: string, name: string): Promise<Starter> {
  const [executable] = program;
  const link = program.length === 1 && folders.posix;
  const path = `${folder}/${name}${folders.posix ? "" : ".cmd"}`;
  const content = link ? linkTo(executable, folder) : folders.posix ? shellScript(program, name) : batch(program, name);
  const entry = await attempt(`look at "${path}"`, () => folders.look(path));
  const shown = link ? content : `${program.join(" ")} as ${name}`;
  return { path, link, content, shown, state: stateOf(entry, { link, content }), what: describe(entry) };
}

/** One beside the program says no more than its name, so that both can be moved together. */
function linkTo(executable: string, folder: string): string {
  return executable.startsWith(`${folder}/`) && !executable.slice(folder.length + 1).includes("/")
    ? executable.slice(folder.length + 1)
    : executable;
}

/** By which weir knows its scripts again. */
const MARK = 'Made by "weir install-links"';

function shellScript(program: readonly string[], name: string): string {
  const words = [...program, "as", name].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return `#!/bin/sh\n# ${MARK}: weir under the name of ${name}.\nexec ${words.join(" ")} "$@"\n`;
}

function batch(program: readonly string[], name: string): string {
  const words = [...program, "as", name].map((word) => `"${word.replaceAll("%", "%%")}"`);
  return `@rem ${MARK}: weir under the name of ${name}.\r\n@${words.join(" ")} %*\r\n`;
}

function stateOf(entry: Entry, wanted: Pick<Starter, "link" | "content">): Starter["state"] {
  switch (entry.kind) {
    case "none":
      return "missing";
    case "link":
      return wanted.link && entry.to === wanted.content ? "ready" : "foreign";
    case "file":
      if (!wanted.link && entry.text === wanted.content) return "ready";
      return entry.text.includes(MARK) ? "stale" : "foreign";
    case "other":
      return "impossible";
  }
}

function describe(entry: Entry): string {
  if (entry.kind === "link") return `a link to ${entry.to}`;
  return entry.kind === "file" ? "a file" : "a folder or a device";
}

async function make(folders: Folders, { path, link, content, state }: Starter): Promise<void> {
  if (state !== "missing") await folders.remove(path);
  await (link ? folders.link(path, content) : folders.script(path, content));
}

/** @throws {Error} which says what could not be done, and why. */
async function attempt<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { code = "", message } = error as { code?: string; message?: string };
    throw new Error(visible(`Cannot ${what}: ${WHY[code] ?? message}`), { cause: error });
  }
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "something else is there since a moment ago",
  ENOENT: "there is no such folder; make it first",
  ENOTDIR: "it is not a folder",
  EROFS: "nothing can be written there",
};
