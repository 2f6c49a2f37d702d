/** Who is compared: how each contender is found, configured to do the same job, and started. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A relay that can be started, or the plain connection without one. */
export interface Contender {
  readonly name: string;
  /** For the report: which program in which version. */
  readonly version: string;
  /** The folder it is started in. */
  readonly cwd?: string;
  /** It copies what clients send to an observer: one that reads everything, or one that stands still. */
  readonly observer?: "sink" | "stuck";
  /**
   * The program with its arguments, relaying 127.0.0.1:`listen` to 127.0.0.1:`target`, with its observer at
   * 127.0.0.1:`observer`. Undefined: nothing between.
   */
  command(listen: number, target: number, observer: number): readonly string[] | undefined;
}

/** What finding a contender needs to know. */
export interface Ground {
  /** A folder for configuration files, gone with the benchmark. */
  readonly folder: string;
  /** Open files that a process may have (`ulimit -n`). */
  readonly openFiles: number;
  /** The command given with --weir. */
  readonly weir: string | undefined;
  /** The load generator's program, in which the floor is. */
  readonly loader: string;
}

/** Why a contender is left out. */
export interface Missing {
  readonly missing: string;
}

/** Sessions each relay is set up for. Two sockets each, and HAProxy counts a pipe for every fourth: 2.5 descriptors. */
export function sessions(openFiles: number): number {
  return Math.min(4_000, Math.floor((openFiles - 100) / 2.5));
}

const ROOT = join(import.meta.dirname, "../..");
const WEIR = "bun src/main.ts tcp 127.0.0.1:LP 127.0.0.1:TP --quiet --workers 1";

export const CONTENDERS: Readonly<Record<string, (ground: Ground) => Contender | Missing>> = {
  weir({ weir }) {
    if (weir === undefined && !existsSync(join(ROOT, "src/main.ts"))) return { missing: "there is no src/main.ts" };
    const words = (weir ?? WEIR).trim().split(/\s+/);
    // The runtime that runs this file, not whichever is first in PATH.
    const argv = words[0] === "bun" ? [process.execPath, ...words.slice(1)] : words;
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    return {
      name: "weir",
      version: weir === undefined ? `weir ${version}, Bun ${process.versions.bun}` : `weir as \`${weir}\``,
      cwd: ROOT,
      command: (listen, target) => argv.map((word) => fill(word, listen, target)),
    };
  },

  /** weir with all its rules in the way of a connection. */
  guard({ folder, weir }) {
    if (weir !== undefined) return { missing: "--weir gives the whole command" };
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    const ranges = join(folder, "ranges.txt");
    // Ten thousand that nobody comes from, and the one from which the flood does.
    const far = Array.from({ length: 10_000 }, (_, n) => `${1 + (n % 99)}.${n >> 8}.${n & 255}.0/24`);
    writeFileSync(ranges, ["127.0.0.9", ...new Set(far)].join("\n"));
    const flags =
      `--deny-file ${ranges} --max-connections 20000 --max-connections-per-source 20000 --rate 1000000/s ` +
      "--balance least_connections --health-interval 2s";
    const targets = [1, 2, 3, 4].map((host) => `127.0.0.${host}:TP`).join(" ");
    const words = WEIR.replace("127.0.0.1:TP", targets).split(" ");
    const argv = [process.execPath, ...words.slice(1), ...flags.split(" ")];
    return {
      name: "guard",
      version: `weir ${version} with 10,000 ranges, limits, least_connections over 4 targets, health checks`,
      cwd: ROOT,
      command: (listen, target) => argv.map((word) => fill(word, listen, target)),
    };
  },

  /** With an observer that reads everything. */
  mirror: (ground) => ours(ground, "mirror", "with one fast observer", "--observer 127.0.0.1:OP", "sink"),

  /** With an observer that stands still, and misses what does not fit into its buffer. */
  stalled: (ground) => ours(ground, "stalled", "with one observer that stalls", "--observer 127.0.0.1:OP", "stuck"),

  /** Every byte is read and sent, and none is moved by the kernel alone: what steps are to be compared with. */
  copy: (ground) =>
    ours(
      ground,
      "copy",
      "with no splice",
      "--fault down:after=1000000GB,stream=upstream --fault down:after=1000000GB",
      undefined,
    ),

  /** Clients share one connection, over which one request is under way at a time. */
  mux: (ground) => multiplexed(ground, "mux", "multiplexing over one connection", ""),

  /** The same with up to 64 requests under way. */
  mux64: (ground) => multiplexed(ground, "mux64", "multiplexing, 64 under way", "--in-flight 64"),

  /** With three filters that change nothing, both ways. */
  filters(ground) {
    const path = join(ground.folder, "filters.toml");
    const filter = (word: string) =>
      `[[proxy.filter]]\ntype = "replace"\ndirection = "both"\nfind = "${word}"\nwith = ""\n`;
    const text = `[admin]\nlisten = "off"\n[engine]\nworkers = 1\n[log]\nlevel = "error"\n[[proxy]]\nlisten = "127.0.0.1:LP"\ntarget = "127.0.0.1:TP"\n`;
    const config = text + ["never-1", "never-2", "never-3"].map(filter).join("");
    const found = ours(ground, "filters", "with three filters that change nothing", "", undefined);
    if ("missing" in found) return found;
    const command = (listen: number, target: number) => {
      writeFileSync(path, fill(config, listen, target, 0));
      return [process.execPath, "src/main.ts", "run", path];
    };
    return { ...found, command };
  },

  haproxy({ folder, openFiles }) {
    const program = find("haproxy");
    if (program === undefined) return { missing: "not installed (Debian package: haproxy)" };
    const config = `global
  maxconn ${sessions(openFiles)}
  nbthread 1
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 5m
  timeout server 5m
listen relay
  bind 127.0.0.1:LP
  tcp-request connection reject if { src 127.0.0.9 }
  server target 127.0.0.1:TP
`;
    return {
      name: "haproxy",
      version: firstLine(program, "-v"),
      command: (listen, target) => [program, "-db", "-f", write(folder, "haproxy", config, listen, target)],
    };
  },

  nginx({ folder, openFiles }) {
    const program = find("nginx");
    if (program === undefined) return { missing: "not installed (Debian packages: nginx libnginx-mod-stream)" };
    const module = streamModule(program);
    if (module === undefined) return { missing: "has no stream module (Debian package: libnginx-mod-stream)" };
    const config = `${module}daemon off;
master_process off;
worker_processes 1;
pid ${folder}/nginx-LP.pid;
error_log stderr error;
events { worker_connections ${2 * sessions(openFiles) + 50}; }
stream {
  proxy_buffer_size 64k;
  proxy_timeout 5m;
  tcp_nodelay on;
  server { listen 127.0.0.1:LP; proxy_pass 127.0.0.1:TP; }
}
`;
    return {
      name: "nginx",
      version: firstLine(program, "-v"),
      // -e: the log it opens before it has read its configuration is root's otherwise.
      command: (listen, target) => [program, "-e", "stderr", "-c", write(folder, "nginx", config, listen, target)],
    };
  },

  floor: ({ loader }) => ({
    name: "floor",
    version: "the least in C (floor.c)",
    command: (listen, target) => [loader, "relay", String(listen), String(target)],
  }),

  direct: () => ({ name: "direct", version: "no relay between", command: () => undefined }),
};

/** weir with further flags. */
function ours(
  { weir }: Ground,
  name: string,
  about: string,
  flags: string,
  observer: Contender["observer"],
): Contender | Missing {
  if (weir !== undefined) return { missing: "--weir gives the whole command" };
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const argv = [process.execPath, ...WEIR.split(" ").slice(1), ...flags.split(" ").filter(Boolean)];
  return {
    name,
    version: `weir ${version} ${about}`,
    cwd: ROOT,
    ...(observer ? { observer } : {}),
    command: (listen, target, port) => argv.map((word) => fill(word, listen, target, port)),
  };
}

function multiplexed(ground: Ground, name: string, about: string, flags: string): Contender | Missing {
  const found = ours(ground, name, about, flags, undefined);
  if ("missing" in found) return found;
  const words = (word: string) => (word === "tcp" ? ["mux", "-p", "echo"] : [word]);
  return { ...found, command: (...ports) => found.command(...ports)?.flatMap(words) };
}

function fill(text: string, listen: number, target: number, observer = 0): string {
  const ports = { LP: listen, TP: target, OP: observer };
  return text.replace(/\b(LP|TP|OP)\b/g, (word) => String(ports[word as keyof typeof ports]));
}

function write(folder: string, name: string, config: string, listen: number, target: number): string {
  const path = join(folder, `${name}-${listen}.conf`);
  writeFileSync(path, fill(config, listen, target));
  return path;
}

function find(program: string): string | undefined {
  // Debian installs servers in /usr/sbin, which is not in the PATH of ordinary users.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin"];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function firstLine(program: string, flag: string): string {
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: "utf8" });
  return (stdout || stderr).split("\n", 1)[0]?.replace(/^nginx version: | - http.*$/g, "") ?? program;
}

/** The directive that loads nginx's stream module: empty where it is built in, undefined where it is missing. */
function streamModule(program: string): string | undefined {
  const options = spawnSync(program, ["-V"], { encoding: "utf8" }).stderr;
  if (/--with-stream(\s|$)/.test(options)) return "";
  const folder = /--modules-path=(\S+)/.exec(options)?.[1] ?? "/usr/lib/nginx/modules";
  const path = join(folder, "ngx_stream_module.so");
  return existsSync(path) ? `load_module ${path};\n` : undefined;
}
