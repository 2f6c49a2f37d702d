/**
 * The way in, for all connections of one proxy in one thread: rules, limits of sources, room for so many connections,
 * a queue in front of it, and the choice of a target. What a session takes here it gives back when it ends.
 */
import { abandonGate, Gate, gateMemory, type Waiter } from "../admit/gate.ts";
import { limitsSources, Sources, sourceTable } from "../admit/sources.ts";
import { Pool } from "../balance/pool.ts";
import type { Unrouted } from "../balance/routes.ts";
import type { ProxyConfig } from "../config/config.ts";
import { formatDuration } from "../config/units.ts";
import { CELL, type Counters } from "../metrics/counters.ts";
import { ipWords } from "../net/cidr.ts";
import type { Runtime, StreamSocket, Timer } from "../net/runtime.ts";
import { fatalAlert } from "../tls/alert.ts";
import { Door } from "./door.ts";
import type { Rules } from "./rules.ts";
import type { Session } from "./session.ts";

/** What the threads of one proxy share. */
export interface EntranceMemory {
  readonly gate: SharedArrayBuffer;
  /** One number: the connections so far. */
  readonly ordinals: SharedArrayBuffer;
  /** As long as sources are limited. */
  readonly sources: SharedArrayBuffer | null;
}

/** One thread of several. */
export interface EntranceShare {
  readonly worker: number;
  readonly workers: number;
  readonly memory: EntranceMemory;
}

/** Sources that are told apart: as many as connect within minutes to a busy service. */
const SOURCES = 32_768;

/** Memory for `workers` threads; `before`: what they share already, and keep. */
export function entranceMemory(
  { perSource }: ProxyConfig,
  workers: number,
  seed: number,
  before?: EntranceMemory,
): EntranceMemory {
  const limited = limitsSources(perSource);
  return {
    gate: before?.gate ?? gateMemory(workers),
    ordinals: before?.ordinals ?? new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    sources: limited ? (before?.sources ?? sourceTable(SOURCES, workers, seed)) : null,
  };
}

/** A thread is gone, with all that it held. */
export function abandonEntrance({ gate, sources }: EntranceMemory, workers: number, worker: number): void {
  abandonGate(gate, worker);
  if (sources) new Sources(sources, workers, worker).abandon(worker);
}

export class Entrance {
  readonly pool: Pool;
  readonly #runtime: Runtime;
  readonly #front: Counters;
  readonly #gate: Gate;
  /** Of connections, as it is now: also for those that wait since it was another. */
  #limit = 0;
  /** How many wait here, and the next look at whether there is room for them. */
  #waiting = 0;
  #look: Timer | undefined;
  readonly #door: Door;

  /** `nudge`: tells the other threads that there may be room. */
  constructor(runtime: Runtime, config: ProxyConfig, front: Counters, share: EntranceShare, nudge: () => void) {
    this.#runtime = runtime;
    this.#front = front;
    this.#door = new Door(runtime, share);
    this.pool = new Pool(config.name, config, share.worker, () => runtime.wallClock());
    this.#gate = new Gate(share.memory.gate, share.worker, nudge);
    this.configure(config, share.memory);
  }

  configure(config: ProxyConfig, { sources }: EntranceMemory): void {
    this.#limit = config.maxConnections;
    this.pool.configure(config);
    this.#door.configure(sources);
  }

  /**
   * Resets a client that the rules shut out, before it costs a session: so a flood of them costs little more than the
   * kernel's part. False: it is to be looked at in full.
   */
  turnsAway(socket: StreamSocket, rules: Rules): boolean {
    if (!rules.turnsAway) return false;
    const { remote } = socket;
    const words = remote.kind === "tcp" ? ipWords(remote.host) : undefined;
    const denial = rules.against(remote, words, this.#runtime.wallClock());
    if (!denial) return false;
    this.#front.add(CELL.connections, 1);
    this.#front.denied(denial.by ?? "allow");
    this.#front.ended("denied", 0);
    socket.abort();
    return true;
  }

  /** Refuses a session, lets it wait, or lets it dial. */
  enter(session: Session): void {
    const denial = this.#door.against(session);
    if (denial) {
      this.#front.denied(denial.by ?? "allow");
      session.refuse("denied", denial.rule);
    } else if (!this.#greets(session)) this.seat(session);
  }

  /** It is known what a session that may come in has said, if that matters: it dials, or waits for room. */
  seat(session: Session): void {
    if ((this.#gate.waiting > 0 && !this.#passes(session)) || !this.#proceed(session)) this.#wait(session);
  }

  /** Those who wait do so for other targets: a site that is full keeps nobody from another one. */
  #passes(session: Session): boolean {
    const line = this.#lineOf(session);
    return line !== undefined && !this.#gate.standsIn(line);
  }

  #lineOf({ said }: Session): string | undefined {
    return this.pool.routes?.find(said ?? null).join(";");
  }

  /** A session is over. */
  leave(session: Session): void {
    if (session.waiter) this.#unqueue(session);
    this.#door.leave(session);
    if (session.admitted) this.#gate.give();
    if (this.#gate.waiting > 0) this.#gate.next();
  }

  /** There may be room, and the others should know. */
  freed(): void {
    this.#gate.freed();
    this.nudged();
  }

  /** There may be room, another thread says, or other targets. */
  nudged(): void {
    if (this.#gate.waiting > 0) this.#gate.next();
  }

  /** A session has waited for too long. */
  outwaited(session: Session): void {
    this.#unqueue(session);
    session.refuse("queue_timeout", `queue.timeout ${formatDuration(session.rules.config.queue.timeout)}`);
    this.nudged();
  }

  /** True: targets are chosen by what clients say, and this one is asked first. */
  #greets(session: Session): boolean {
    const { routes } = this.pool;
    if (!routes || session.said !== undefined) return false;
    session.greet(routes.plain);
    return true;
  }

  /** No target is for this client, and it hears of that if it understands. */
  #unrouted(session: Session): void {
    const said = session.said ?? null;
    const { why, alert } = this.pool.routes?.lack(said) ?? NOBODY_THERE;
    if (said) this.#front.add(CELL.alerts, 1);
    session.refuse(said ? "no_route" : "no_tls", why, said ? fatalAlert(alert, said) : undefined);
  }

  /** False: there is no room. */
  #proceed(session: Session): boolean {
    // Others may have come in front of targets for everybody while it waited.
    if (this.#greets(session)) return true;
    if (!this.#gate.take(this.#limit)) return false;
    session.admitted = true;
    const choice = this.pool.choose(session, NOBODY);
    if (typeof choice !== "string") {
      session.dial(choice);
      return true;
    }
    session.admitted = false;
    this.#gate.give();
    if (choice === "none") session.refuse("no_target");
    if (choice === "unrouted") this.#unrouted(session);
    return choice !== "busy";
  }

  #wait(session: Session): void {
    const { maxConnections, queue } = session.rules.config;
    const waiter: Waiter = {
      line: this.#lineOf(session),
      proceed: () => {
        // It has its turn when another one ends, which is not to blame if it fails.
        try {
          if (!this.#proceed(session)) return false;
        } catch (cause) {
          session.failed(cause);
        }
        this.#unqueue(session);
        return true;
      },
    };
    if (!this.#gate.wait(waiter, queue.size)) {
      session.refuse("queue_full", maxConnections > 0 ? `max_connections ${maxConnections}` : "targets are full");
      return;
    }
    session.waiter = waiter;
    this.#front.add(CELL.waiting, 1);
    this.#waiting++;
    this.#lookLater();
    session.wait();
    this.#gate.next();
  }

  #unqueue(session: Session): void {
    if (!session.waiter) return;
    this.#gate.leave(session.waiter);
    session.waiter = undefined;
    this.#front.add(CELL.waiting, -1);
    if (--this.#waiting > 0) return;
    this.#look?.cancel();
    this.#look = undefined;
  }

  /** Room comes with a word, but for targets that were left alone for a while: nobody says when that is over. */
  #lookLater(): void {
    this.#look ??= this.#runtime.after(LOOK, () => {
      this.#look = undefined;
      this.#gate.next();
      if (this.#waiting > 0) this.#lookLater();
    });
  }
}

const NOBODY: readonly never[] = [];
const NOBODY_THERE: Unrouted = { why: "no target is for it", alert: "unrecognized_name" };

/** Milliseconds between two looks at whether there is room for those who wait. */
const LOOK = 1_000;
