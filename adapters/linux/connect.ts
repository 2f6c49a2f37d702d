/**
 * Connecting. A name is resolved first; its addresses are tried one after the other with a head start for
 * each (RFC 8305 section 5), until one answers, the time is over, or the owner gives up.
 */
import type { Address, TcpAddress } from "../../src/net/address.ts";
import type { Connecting, ConnectOptions, Endpoint, Timer } from "../../src/net/runtime.ts";
import { Attempt } from "../portable/connecting.ts";
import type { Core } from "./core.ts";
import { arrived, connectResult, Dial, startConnect } from "./dial.ts";
import type { Pollable } from "./loop.ts";
import { lingerZero } from "./options.ts";
import type { Resolver } from "./resolver.ts";
import { familyOf } from "./sockaddr.ts";
import { errnoName, SystemError } from "./system.ts";

/** RFC 8305 section 8: the Connection Attempt Delay, milliseconds. */
const HEAD_START = 250;

export function connect(core: Core, resolver: Resolver, to: Address, options: ConnectOptions): Connecting {
  const destination = core.destinations.of(to);
  if (destination) return new Dial(core, to, destination, options);
  return connectByName(core, resolver, to as TcpAddress, options);
}

function connectByName(core: Core, resolver: Resolver, to: TcpAddress, options: ConnectOptions): Connecting {
  const attempt = new Attempt(to, options.timeout, core.after);
  const race = new Race(core, to, options, attempt);
  attempt.stop = () => race.stop();
  const { source } = options;
  const run = (hosts: readonly string[]) => {
    // From an IPv4 address only IPv4 can be reached.
    const usable = source === undefined ? hosts : hosts.filter((host) => familyOf(host) === familyOf(source));
    race.run(usable.map((host) => ({ host, port: to.port })));
  };
  const known = resolver.known(to.host);
  if (known) run(known);
  else resolver.resolve(to.host).then(run, (error) => attempt.fail(error));
  return attempt;
}

class Race {
  readonly core: Core;
  readonly #to: TcpAddress;
  readonly #options: ConnectOptions;
  readonly #attempt: Attempt;
  readonly #runners = new Set<Runner>();
  #left: Endpoint[] = [];
  #timer: Timer | undefined;
  #failure: unknown = { code: "ENOTFOUND" };

  constructor(core: Core, to: TcpAddress, options: ConnectOptions, attempt: Attempt) {
    this.core = core;
    this.#to = to;
    this.#options = options;
    this.#attempt = attempt;
  }

  run(goals: Endpoint[]): void {
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
    const stream = arrived(this.core, fd, events, this.#to, this.#options);
    this.core.loop.settles = true;
    if (!this.#attempt.succeed(stream)) stream.abort();
  }

  lost(runner: Runner, thrown: unknown): void {
    this.#runners.delete(runner);
    this.#failure = thrown;
    this.core.loop.settles = true;
    this.#next();
  }

  #next(): void {
    this.#timer?.cancel();
    if (this.#attempt.settled) return;
    const goal = this.#left.shift();
    const destination = goal && this.core.destinations.of(goal);
    if (!destination) {
      if (this.#runners.size === 0) this.#attempt.fail(this.#failure);
      return;
    }
    if (this.#left.length > 0) this.#timer = this.core.after(HEAD_START, () => this.#next());
    const runner = new Runner(this);
    this.#runners.add(runner);
    try {
      runner.fd = startConnect(this.core, destination, this.#options, runner);
    } catch (error) {
      this.lost(runner, error);
    }
  }
}

/** One socket on its way to one address. */
class Runner implements Pollable {
  readonly #race: Race;
  fd = -1;

  constructor(race: Race) {
    this.#race = race;
  }

  ready(events: number): void {
    const { core } = this.#race;
    const errno = connectResult(core, this.fd, events);
    if (errno === undefined) return;
    if (errno === 0) {
      this.#race.won(this, this.fd, events);
      return;
    }
    core.loop.close(this.fd);
    this.#race.lost(this, new SystemError("connect", errnoName(errno)));
  }

  failed(cause: unknown): void {
    this.#race.core.loop.close(this.fd);
    this.#race.lost(this, cause);
  }

  stop(): void {
    const { system, loop } = this.#race.core;
    lingerZero(system, this.fd);
    loop.close(this.fd);
  }
}
