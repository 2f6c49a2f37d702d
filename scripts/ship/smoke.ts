/** What every executable has to do before it is given to anybody. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { VERSION } from "./stamp.ts";
import { Stranger } from "./stranger.ts";

export interface SmokeOptions {
  /** What runs it, for executables of other machines. */
  readonly prefix: readonly string[];
  /** Its native engine has to work. */
  readonly native: boolean;
}

export interface Finding {
  readonly what: string;
  readonly seconds: number;
  /** What was wrong, if anything was. */
  readonly failure?: string;
}

const CONFIG = `[admin]
listen = "127.0.0.1:0"

[[proxy]]
name = "web"
listen = "127.0.0.1:0"
target = "127.0.0.1:9"
`;
/** Sent through each engine; its odd length makes a lost or moved byte show. */
const BYTES = Uint8Array.from({ length: 3_000_017 }, (_, index) => (index * 31) ^ (index >> 11));

/** Tries all of it, one after the other. */
export async function smoke(executable: string, options: SmokeOptions): Promise<readonly Finding[]> {
  const world = new World(executable, options.prefix);
  const cases: readonly (readonly [string, () => Promise<void>])[] = [
    ["says its version", () => says(world, ["version"], `weir ${VERSION}\n`)],
    ["says what it was built from", () => matches(world, ["version", "--verbose"], /^built from +\S+ of \d{4}-/m)],
    ["takes a good configuration", () => says(world, ["check", "--quiet", world.config], "")],
    ["places an error of a bad one", () => refuses(world)],
    ["lists the protocols of the multiplexer", () => matches(world, ["mux", "list"], /^\* iso8583/m)],
    ["answers to an old name", () => answersToOldName(world)],
    ["relays, portable", () => relays(world, "portable")],
    ...(options.native ? [["relays, native", () => relays(world, "native")] as const] : []),
    ["serves metrics and health", () => servesMetrics(world)],
    ["leaves nothing behind", async () => world.expectClean()],
  ];
  const findings: Finding[] = [];
  for (const [what, run] of cases) {
    const begin = performance.now();
    const failure = await run().then(
      () => undefined,
      (error: Error) => error.message,
    );
    const seconds = (performance.now() - begin) / 1_000;
    findings.push({ what, seconds, ...(failure !== undefined && { failure }) });
  }
  world.remove();
  return findings;
}

/** The executable in a folder of its own, an empty one to run in, and a file. */
class World {
  readonly #root = mkdtempSync(join(tmpdir(), "weir-smoke-"));
  readonly #home = join(this.#root, "bin");
  readonly #here = join(this.#root, "empty");
  readonly #program: string;
  readonly #oldName: string;
  readonly #prefix: readonly string[];
  readonly config = join(this.#root, "weir.toml");
  readonly wrong = join(this.#root, "wrong.toml");

  constructor(executable: string, prefix: readonly string[]) {
    this.#prefix = prefix;
    const exe = executable.endsWith(".exe") ? ".exe" : "";
    this.#program = join(this.#home, `weir${exe}`);
    this.#oldName = join(this.#home, `tcp-multiplexer${exe}`);
    mkdirSync(this.#home);
    mkdirSync(this.#here);
    copyFileSync(executable, this.#program);
    chmodSync(this.#program, 0o555);
    symlinkSync(basename(this.#program), this.#oldName);
    writeFileSync(this.config, CONFIG);
    writeFileSync(this.wrong, CONFIG.replace("target", "tagret"));
    for (const folder of [this.#home, this.#here]) chmodSync(folder, 0o555);
  }

  start(...args: string[]): Stranger {
    return new Stranger([...this.#prefix, this.#program, ...args], this.#here);
  }

  startOld(...args: string[]): Stranger {
    return new Stranger([...this.#prefix, this.#oldName, ...args], this.#here);
  }

  expectClean(): void {
    const found = [...readdirSync(this.#home), ...readdirSync(this.#here)].sort().join(" ");
    const expected = [basename(this.#oldName), basename(this.#program)].sort().join(" ");
    if (found !== expected) throw new Error(`found ${found}`);
  }

  remove(): void {
    for (const folder of [this.#home, this.#here]) chmodSync(folder, 0o755);
    rmSync(this.#root, { recursive: true });
  }
}

async function says(world: World, args: string[], expected: string): Promise<void> {
  const { code, out, err } = await world.start(...args).end();
  if (code !== 0 || out !== expected) throw new Error(`exit code ${code}, printed ${JSON.stringify(out + err)}`);
}

async function matches(world: World, args: string[], expected: RegExp): Promise<void> {
  const { code, out, err } = await world.start(...args).end();
  if (code !== 0 || !expected.test(out)) throw new Error(`exit code ${code}, printed ${JSON.stringify(out + err)}`);
}

async function refuses(world: World): Promise<void> {
  const { code, err } = await world.start("check", world.wrong).end();
  const good =
    code === 2 && err.includes(`${world.wrong}:7:1: proxy[0].tagret: unknown key "tagret"; did you mean "target"?`);
  if (!good) throw new Error(`exit code ${code}, printed ${JSON.stringify(err)}`);
}

async function answersToOldName(world: World): Promise<void> {
  const { code, out, err } = await world.startOld("list").end();
  if (code !== 0 || !/^\* iso8583/m.test(out))
    throw new Error(`exit code ${code}, printed ${JSON.stringify(out + err)}`);
}

/** Bytes to an echo server, itself weir's, and back; and an orderly end. */
async function relays(world: World, engine: "native" | "portable"): Promise<void> {
  await using echo = world.start("echo", "127.0.0.1:0");
  const target = `127.0.0.1:${await echo.port()}`;
  const flags = ["--engine", engine, "--metrics", "off"];
  await using weir = world.start("tcp", "127.0.0.1:0", target, ...flags);
  const port = await weir.port();
  const [runs] = await weir.line(/^engine (\w+)/);
  if (runs !== `engine ${engine}`) throw new Error(`${runs} runs`);
  const received = await exchange(port, BYTES);
  if (Bun.hash(received) !== Bun.hash(BYTES))
    throw new Error(`${received.length} of ${BYTES.length} bytes came back, or others`);
  if (process.platform === "win32") return;
  weir.stop();
  const { code, out } = await weir.end();
  const total = /total: 1 \| up: 3\.0MB \| down: 3\.0MB/;
  if (code !== 0 || !total.test(out))
    throw new Error(`exit code ${code} after SIGTERM, printed ${JSON.stringify(out)}`);
}

async function servesMetrics(world: World): Promise<void> {
  await using weir = world.start("run", world.config);
  const [, base = ""] = await weir.line(/^metrics (http:\/\/127\.0\.0\.1:\d+)\/metrics$/);
  for (const [path, expected] of [
    ["/metrics", `weir_build_info{version="${VERSION}"`],
    ["/healthz", ""],
    ["/readyz", ""],
    ["/api/proxies", '"web"'],
    ["/", "<title>weir</title>"],
    ["/dashboard/client.js", "EventSource"],
  ] as const) {
    // As a browser asks: others get the page in plain words.
    const response = await fetch(`${base}${path}`, { headers: { accept: "text/html,*/*" } });
    const text = await response.text();
    if (!response.ok || !text.includes(expected)) throw new Error(`${path}: ${response.status} ${text.slice(0, 200)}`);
  }
}

/** Sends all of it, then the end, and collects what comes back until the end. */
async function exchange(port: number, bytes: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const over = Promise.withResolvers<void>();
  let sent = 0;
  const send = (socket: Bun.Socket) => {
    while (sent < bytes.length) {
      const taken = socket.write(bytes.subarray(sent));
      if (taken <= 0) return;
      sent += taken;
    }
    socket.shutdown();
  };
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: send,
      drain: send,
      data: (_, chunk) => void parts.push(new Uint8Array(chunk)),
      close: () => over.resolve(),
      error: (_, error) => over.reject(error),
    },
  });
  await over.promise;
  return new Uint8Array(Buffer.concat(parts));
}
