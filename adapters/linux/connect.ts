/**
 * Connecting: the name, then its addresses one after the other with a head start for the first (RFC 8305
 * section 5), until one answers, the time is over, or the owner gives up.
 */
import type { Address, UnixAddress } from "../../src/net/address.ts";
import type { Connecting, ConnectOptions, Endpoint, StreamSocket, Timer } from "../../src/net/runtime.ts";
import { Attempt } from "../portable/connecting.ts";
import {
  AF_UNIX,
  EAGAIN,
  EINPROGRESS,
  EPOLLERR,
  EPOLLHUP,
  EPOLLOUT,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./abi.ts";
import type { Core } from "./core.ts";
import { STREAM_EVENTS } from "./listener.ts";
import type { Pollable } from "./loop.ts";
import { applyStreamOptions, lingerZero } from "./options.ts";
import type { Resolver } from "./resolver.ts";
import { familyOf } from "./sockaddr.ts";
import { openSocket, withAddress } from "./sockets.ts";
import { LinuxStream } from "./stream.ts";
import { errnoName, SystemError } from "./system.ts";

/** RFC 8305 section 8: the Connection Attempt Delay, milliseconds. */
const HEAD_START = 250;

type Goal = Endpoint | UnixAddress;

export function connect(core: Core, resolver: Resolver, to: Address, options: ConnectOptions): Connecting {
  const attempt = new Attempt(to, options.timeout, (ms, run) => core.loop.timers.set(performance.now() + ms, run));
  const race = new Race(core, to, options, attempt);
  attempt.stop = () => race.stop();
  const known = to.kind === "unix" ? [to] : resolver.known(to.host)?.map((host) => ({ host, port: to.port }));
  if (known) race.run(known);
  else if (to.kind === "tcp") {
    const run = (hosts: readonly string[]) => race.run(hosts.map((host) => ({ host, port: to.port })));
    resolver.resolve(to.host).then(run, (error) => attempt.fail(error));
  }
  return attempt;
}

class Race {
  readonly core: Core;
  readonly #to: Address;
  readonly #options: ConnectOptions;
  readonly #attempt: Attempt;
  readonly #runners = new Set<Runner>();
  #left: readonly Goal[] = [];
  #timer: Timer | undefined;
  #failure: unknown;

  constructor(core: Core, to: Address, options: ConnectOptions, attempt: Attempt) {
    this.core = core;
    this.#to = to;
    this.#options = options;
    this.#attempt = attempt;
  }

  run(goals: readonly Goal[]): void {
    this.#left = goals;
    this.#next();
  }

  stop(): void {
    this.#timer?.cancel();
    for (const runner of this.#runners) runner.stop();
    this.#runners.clear();
  }

  won(runner: Runner, fd: number, events: number): void {
    this.#runners.delete(runner);
    this.stop();
    this.#arrive(fd, events);
  }

  lost(runner: Runner, code: string): void {
    this.#runners.delete(runner);
    this.#failure ??= { code };
    this.core.loop.settles = true;
    this.#next();
  }

  #next(): void {
    if (this.#attempt.settled) return;
    this.#timer?.cancel();
    const [goal, ...left] = this.#left;
    if (!goal) {
      if (this.#runners.size === 0) this.#attempt.fail(this.#failure);
      return;
    }
    this.#left = left;
    if (left.length > 0) {
      const { loop } = this.core;
      this.#timer = loop.timers.set(loop.now + HEAD_START, () => this.#next());
    }
    this.#start(goal);
  }

  #start(goal: Goal): void {
    const { system, loop } = this.core;
    let fd = -1;
    try {
      const unix = "kind" in goal;
      fd = openSocket(system, unix ? AF_UNIX : familyOf(goal.host), SOCK_STREAM);
      if (!unix) applyStreamOptions(system, fd, this.#options);
      const result = withAddress(system, "connect", fd, goal);
      const { errno } = system;
      if (result < 0 && errno !== EINPROGRESS) throw refusal(errno);
      const runner = new Runner(this, fd);
      loop.add(fd, STREAM_EVENTS, runner);
      this.#runners.add(runner);
    } catch (error) {
      if (fd >= 0) loop.close(fd);
      this.#failure ??= error;
      this.#next();
    }
  }

  #arrive(fd: number, events: number): void {
    const { core } = this;
    const stream = new LinuxStream(
      core,
      fd,
      this.#options.buffer,
      this.#to,
      this.#to.kind === "unix" ? this.#to : undefined,
    );
    core.loop.hand(fd, stream);
    core.loop.settles = true;
    // What else this event says, such as bytes that came at once, no other event says again.
    stream.ready(events & ~EPOLLOUT);
    if (!this.#attempt.succeed(stream as StreamSocket)) stream.abort();
  }
}

/** One socket on its way to one address. */
class Runner implements Pollable {
  readonly #race: Race;
  readonly #fd: number;

  constructor(race: Race, fd: number) {
    this.#race = race;
    this.#fd = fd;
  }

  ready(events: number): void {
    const { system, loop } = this.#race.core;
    if (events & (EPOLLERR | EPOLLHUP)) {
      const errno = system.getInt(this.#fd, SOL_SOCKET, SO_ERROR) ?? 0;
      // A peer that takes the connection and drops it at once has still taken it: the stream will tell.
      if (errno !== 0) {
        loop.close(this.#fd);
        this.#race.lost(this, errnoName(errno));
        return;
      }
    }
    if (events & (EPOLLOUT | EPOLLHUP)) this.#race.won(this, this.#fd, events);
  }

  failed(cause: unknown): void {
    this.#race.core.loop.close(this.#fd);
    console.error("weir: connecting failed", cause);
    this.#race.lost(this, "EUNKNOWN");
  }

  /** A target that has just taken the connection must not think that its client is done. */
  stop(): void {
    const { system, loop } = this.#race.core;
    lingerZero(system, this.#fd);
    loop.close(this.#fd);
  }
}

/** A unix socket whose backlog is full says EAGAIN (unix(7)): nobody accepts there now. */
function refusal(errno: number): SystemError {
  return new SystemError("connect", errno === EAGAIN ? "ECONNREFUSED" : errnoName(errno));
}
