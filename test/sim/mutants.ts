/**
 * Rules of the core, and what the core is without each of them. A simulation that does not notice that a rule is
 * gone does not test it: `bun run sim --mutants` takes one after the other out and expects a seed to fail.
 */
import { join } from "node:path";
import { BRIDGE_MUTANTS } from "./bridges/mutants.ts";
import { DATAGRAM_MUTANTS } from "./datagrams/mutants.ts";
import { MUX_MUTANTS } from "./mux/mutants.ts";
import { ROUTE_MUTANTS } from "./route-mutants.ts";

export interface Mutant {
  /** The rule that it lacks. */
  readonly rule: string;
  readonly file: string;
  /** What stands there, exactly once, and what stands there instead. */
  readonly find: string;
  readonly replace: string;
  /** It is one of the multiplexer, and dies in storms over shared connections. */
  readonly mux?: true;
  /** It is one of UDP sessions. */
  readonly udp?: true;
  /** It is one of bridges. */
  readonly bridges?: true;
}

const RELAY = "src/proxy/relay.ts";
const SIDE = "src/proxy/side.ts";
const DEADLINES = "src/proxy/deadlines.ts";
const HOLDER = "src/filter/holder.ts";
const TAP = "src/observe/tap.ts";
const SESSION = "src/proxy/session.ts";
const OPENING = "src/proxy/opening.ts";
const DIAL = "src/proxy/dial.ts";
const ENTRANCE = "src/proxy/entrance.ts";

export const MUTANTS: readonly Mutant[] = [
  {
    rule: "backpressure: a full socket pauses the one that feeds it",
    file: SIDE,
    find: "    this.socket.pause();\n    this.held();",
    replace: "    this.held();",
  },
  {
    rule: "backpressure: a drain resumes it",
    file: SIDE,
    find: "    else this.peer.resume();",
    replace: "",
  },
  {
    rule: "half-close: a FIN leaves the other direction open",
    file: RELAY,
    find: "    side.finish();",
    replace: "    side.finish();\n    side.socket.end();",
  },
  {
    rule: "half-close: a FIN is passed on",
    file: RELAY,
    find: "    side.finish();",
    replace: "",
  },
  {
    rule: "RST: a reset is passed on as a reset",
    file: RELAY,
    find: "    else this.#resetWhenFlushed(peer);",
    replace: "    else peer.socket.end();",
  },
  {
    rule: "RST: it waits for the bytes before it",
    file: RELAY,
    find: "    else this.#resetWhenFlushed(peer);",
    replace: "    else peer.socket.abort();",
  },
  {
    rule: "RST: two broken sides do not wait for each other",
    file: RELAY,
    find: "    if (!peer.closed && !first) return;",
    replace: "    if (!peer.closed) return;",
  },
  {
    rule: "RST: what breaks after the other side has ended well is no clean end",
    file: RELAY,
    find: "    this.#broke(side, error);\n    this.#abort();",
    replace: "    this.#abort();",
  },
  {
    rule: "stale event: a target that answers when the session was cut is let go",
    file: SESSION,
    find: "    if (this.#reason) {\n      socket.abort();\n      return;\n    }",
    replace: "",
  },
  {
    rule: "stale event: an attempt is given up when its client leaves",
    file: DIAL,
    find: "    this.#over = true;\n    this.#attempt?.cancel();",
    replace: "    this.#over = true;",
  },
  {
    rule: "retry: a session that is over tries no more",
    file: DIAL,
    find: "    this.#later?.cancel();\n",
    replace: "",
  },
  {
    rule: "retry: as often as was asked for",
    file: DIAL,
    find: "    if (this.#rounds >= this.#rules.config.retries) return false;\n",
    replace: "",
  },
  {
    rule: "retry: a target that was tried is not tried again in the same round",
    file: DIAL,
    find: "    this.#tried = [...this.#tried, this.target];\n",
    replace: "",
  },
  {
    rule: "target: the place on it is given back",
    file: SESSION,
    find: "    this.#dial?.give();\n",
    replace: "",
  },
  {
    rule: "target: the place on one that failed is given back",
    file: DIAL,
    find: "    this.give();\n    this.target = target;",
    replace: "    this.target = target;",
  },
  {
    rule: "limit: a place that is free again is given to who waits",
    file: ENTRANCE,
    find: "    if (session.admitted) this.#gate.give();\n    if (this.#gate.waiting > 0) this.#gate.next();",
    replace: "    if (session.admitted) this.#gate.give();",
  },
  {
    rule: "limit: who ends gives his place back",
    file: ENTRANCE,
    find: "    if (session.admitted) this.#gate.give();\n",
    replace: "",
  },
  {
    rule: "limit: who finds no target gives his place back",
    file: ENTRANCE,
    find: "    session.admitted = false;\n    this.#gate.give();\n",
    replace: "",
  },
  {
    rule: "limit: a worker tells the others that there is room",
    file: "src/engine/worker.ts",
    find: 'this.#hooks.send({ type: "nudge", proxy })',
    replace: "{}",
  },
  {
    rule: "queue: who leaves it is forgotten",
    file: ENTRANCE,
    find: "    if (session.waiter) this.#unqueue(session);\n",
    replace: "",
  },
  {
    rule: "queue: who has waited for too long is refused",
    file: SESSION,
    find: "this.#owner.outwaited(this)",
    replace: "{}",
  },
  {
    rule: "PROXY header: what comes behind it is the client's",
    file: OPENING,
    find: "return { taken: header.length };",
    replace: "return { taken: bytes.length };",
  },
  {
    rule: "PROXY header: a client that breaks off before its target is there is let go",
    file: SESSION,
    find: '    this.#error ??= error;\n    this.cut("client_gone");',
    replace: "",
  },
  {
    rule: "workers: the places of a dead one are free",
    file: "src/engine/native-proxy.ts",
    find: "    abandonEntrance(this.#memory, this.#workers.length, worker);\n",
    replace: "",
  },
  {
    rule: "fin timeout",
    file: DEADLINES,
    find: "halfClosed && fin > 0 ?",
    replace: "halfClosed && false ?",
  },
  {
    rule: "idle timeout: bytes put it off",
    file: DEADLINES,
    find: "this.#relay.activeAt + idle",
    replace: "this.#openedAt + idle",
  },
  {
    rule: "lifetime",
    file: DEADLINES,
    find: "return lifetime > 0 ?",
    replace: "return false ?",
  },
  {
    rule: "timers: a session takes its timer along",
    file: SESSION,
    find: "  #finish(): void {\n    this.#deadlines.cancel();",
    replace: "  #finish(): void {",
  },
  {
    rule: "counters: undelivered bytes",
    file: SESSION,
    find: "      counters.add(CELL.undeliveredDownstream, this.#relay.target.undelivered);\n",
    replace: "",
  },
  {
    rule: "counters: bytes, while they move",
    file: SIDE,
    find: "    (this.#cells[this.#bytesCell] as number) += bytes;\n",
    replace: "",
  },
  {
    rule: "descriptors: accepting stops before they are gone, where it can",
    file: "src/proxy/descriptors.ts",
    find: "sessions <= this.#capacity || this.#runtime.can.pauseAccept",
    replace: "sessions <= this.#capacity",
  },
  {
    rule: "descriptors: accepting goes on when a session has ended",
    file: "src/proxy/descriptors.ts",
    find: "    if (!this.#recovery) this.#resume();\n  }",
    replace: "  }",
  },
  {
    rule: "shutdown: what is left after the grace period is cut",
    file: "src/proxy/shutdown.ts",
    find: "runtime.after(grace, cut)",
    replace: "runtime.after(grace, () => {})",
  },
  {
    rule: "shutdown: who waits in the kernel's queue is accepted before the listening ends",
    file: "src/engine/native-proxy.ts",
    find: "      this.#listening.stop();",
    replace: "      this.#listening.close();",
  },
  {
    rule: "shutdown: who is accepted after the cut is cut as well",
    file: "src/proxy/proxy.ts",
    find: '      if (this.#cutting) session.cut("shutdown");\n      else if (fits)',
    replace: "      if (fits)",
  },
  {
    rule: "workers: what a dead one had open is closed",
    file: "src/engine/worker-handle.ts",
    find: "    this.#threads.reclaim(this.#setup.ledger);",
    replace: "",
  },
  {
    rule: "workers: a dead one is replaced",
    file: "src/engine/worker-handle.ts",
    find: "this.#runtime.after(this.#patience, () => this.#start())",
    replace: "this.#runtime.after(this.#patience, () => {})",
  },
  {
    rule: "workers: the connections of a dead one are no longer active",
    file: "src/metrics/counters.ts",
    find: "    this.add(CELL.active, -lost);",
    replace: "",
  },
  {
    rule: "faults: what one holds goes on when it is taken away",
    file: HOLDER,
    find: "this.#released ? ALL : this.turn(first, this.context.runtime.now())",
    replace: "this.turn(first, this.context.runtime.now())",
  },
  {
    rule: "faults: one that comes while the next is full waits for its drain",
    file: HOLDER,
    find: "    this.#owesDrain ||= this.#blocked;\n",
    replace: "",
  },
  {
    rule: "faults: one that comes while the socket is full knows that",
    file: SIDE,
    find: "this.peer.socket, steps, this.#waits)",
    replace: "this.peer.socket, steps)",
  },
  {
    rule: "steps: the last bytes before a reset pass those that are held",
    file: RELAY,
    find: "const held = side.peer.path?.held ?? 0;",
    replace: "const held = 0;",
  },
  {
    rule: "observers: every byte is offered to each of them",
    file: TAP,
    find: "feed.offer(this.#direction, chunk);",
    replace: "feed !== this.#feeds[1] && feed.offer(this.#direction, chunk);",
  },
  {
    rule: "observers: what is moved past one that is too slow is counted",
    file: TAP,
    find: "for (const feed of this.#deaf) feed.missed(this.#direction, bytes);",
    replace: "",
  },
  {
    rule: "observers: no session meets one any more when all are cut",
    file: "src/proxy/proxy.ts",
    find: "this.#cutting ? undefined : this.#processing.steps(session)",
    replace: "this.#processing.steps(session)",
  },
  ...ROUTE_MUTANTS,
  ...MUX_MUTANTS,
  ...DATAGRAM_MUTANTS,
  ...BRIDGE_MUTANTS,
];

/** Seeds in which a mutant has to be found. */
const SEEDS = 5_000;

/** Prints the table that stands in CONTRIBUTING.md; 1 if a mutant lives. */
export async function mutants(): Promise<number> {
  console.log("| the core without | fails at seed | after | says |\n| --- | ---: | ---: | --- |");
  let alive = 0;
  for (const [index, { rule, mux, udp, bridges }] of MUTANTS.entries()) {
    const report = await run(index, bridges ? ["--bridges"] : mux ? ["--mux"] : udp ? ["--udp"] : []);
    const seed = /^seed (\d+) FAILED/m.exec(report)?.[1];
    const seconds = / in ([\d.]+) s/.exec(report)?.[1];
    if (seed === undefined) alive++;
    const says = /^ {2}(?:[\w. ]+ at [\d.]+: )?(?:\d+ )?([^:\d\n]{1,60})/m.exec(report)?.[1]?.trim() ?? "";
    console.log(`| ${rule} | ${seed ?? "LIVES"} | ${seconds ?? "?"} s | ${says} |`);
    if (seconds === undefined) console.log(report);
  }
  return alive === 0 ? 0 : 1;
}

async function run(index: number, kind: readonly string[]): Promise<string> {
  const { dir } = import.meta;
  const flags = [...kind, "--seeds", String(SEEDS), "--from", "1", "--first"];
  const child = Bun.spawn([process.execPath, "--preload", join(dir, "mutate.ts"), join(dir, "main.ts"), ...flags], {
    env: { ...process.env, WEIR_MUTANT: String(index) },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return output.join("");
}
