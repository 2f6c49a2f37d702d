/**
 * How long it takes from the start of a process until it listens, and until a byte has come through it and back: medians,
 * beside HAProxy's where there is one.
 *
 *   bun scripts/start-up.ts [--rounds 20] [EXECUTABLE]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./bench/report.ts";

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "20" } },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const executable = positionals[0] ?? "dist/weir";

using echo = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: { data: (socket, bytes) => void socket.write(bytes) },
});
const port = freePort();
const files = mkdtempSync(join(tmpdir(), "weir-start-up-"));
const [listen, target] = [`127.0.0.1:${port}`, `127.0.0.1:${echo.port}`];
const toml = file("weir.toml", `[[proxy]]\nlisten = "${listen}"\ntarget = "${target}"\n`);
const haproxy = file(
  "haproxy.cfg",
  `global
  nbthread 2
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
listen weir
  bind ${listen}
  server echo ${target}
`,
);
const metrics = ["--metrics", "127.0.0.1:0"];
const CONTENDERS: Readonly<Record<string, readonly string[]>> = {
  "weir tcp": [executable, "tcp", listen, target, ...metrics],
  "weir tcp, portable": [executable, "tcp", listen, target, ...metrics, "--engine", "portable"],
  "weir run": [executable, "run", toml, ...metrics],
  ...(Bun.which("haproxy") && { haproxy: ["haproxy", "-f", haproxy] }),
};

const times = new Map(
  Object.keys(CONTENDERS).map((name) => [name, { listens: [] as number[], relays: [] as number[] }]),
);
// One of each in turn, so that what else the machine does falls on all of them.
for (let round = 0; round < rounds; round++) {
  for (const [name, argv] of Object.entries(CONTENDERS)) {
    const { listens, relays } = await start(argv);
    times.get(name)?.listens.push(listens);
    times.get(name)?.relays.push(relays);
  }
}
rmSync(files, { recursive: true });

console.log(`from start, medians of ${rounds}, ms    listens   relays`);
for (const [name, { listens, relays }] of times) {
  console.log(
    `  ${name.padEnd(32)} ${median(listens).toFixed(1).padStart(8)} ${median(relays).toFixed(1).padStart(8)}`,
  );
}

/** Milliseconds until somebody could connect, and until that one had an answer of the target. */
async function start(argv: readonly string[]): Promise<{ listens: number; relays: number }> {
  const begin = performance.now();
  const child = Bun.spawn([...argv], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  const answer = Promise.withResolvers<void>();
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data: () => answer.resolve(), error() {}, connectError() {} },
    }).catch(() => undefined);
    if (socket) {
      const listens = performance.now() - begin;
      socket.write("x");
      await answer.promise;
      const relays = performance.now() - begin;
      socket.terminate();
      child.kill("SIGKILL");
      await child.exited;
      return { listens, relays };
    }
    if (child.exitCode !== null) throw new Error(`${argv.join(" ")} has ended with ${child.exitCode}`);
    // Who asks without a pause takes one of the cores away from what is measured.
    Atomics.wait(nap, 0, 0, 0.2);
  }
}

function file(name: string, text: string): string {
  const path = join(files, name);
  writeFileSync(path, text);
  return path;
}

/** Of loopback, free a moment ago. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
