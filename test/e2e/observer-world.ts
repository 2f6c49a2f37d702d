/** weir as a process with observers, and clients, targets and observers of the test, which check every byte. */
import { randomInt } from "node:crypto";
import { type Address, formatAddress, parseAddress } from "../../src/net/address.ts";
import type { ObserverView } from "../../src/observe/observer-counters.ts";
import { type Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { Weir } from "./weir.ts";

export const ENGINES = ["portable", "native"] as const;
export type Engine = (typeof ENGINES)[number];

export const MEGABYTE = 1 << 20;

/** Linux has all of 127.0.0.0/8 without being asked: where a test can have any port, and nobody else connects from. */
export const linux = process.platform === "linux";

/** An address of this machine that nobody else uses. */
export function ownHost(): string {
  return `127.${randomInt(1, 255)}.${randomInt(255)}.${randomInt(1, 255)}`;
}

/** Connections as they come, each a probe. */
export class Arrivals {
  readonly all: Probe[] = [];
  #taken = 0;
  #wake: () => void = () => {};

  /** `reads`: from the beginning. */
  static async at(kit: Kit, address: Address, reads = true): Promise<Arrivals & { readonly address: string }> {
    const arrivals = new Arrivals();
    const listener = await kit.listen(address, (socket) => {
      kit.later(() => socket.abort());
      arrivals.all.push(new Probe(socket, reads));
      arrivals.#wake();
    });
    return Object.assign(arrivals, { address: formatAddress(listener.address) });
  }

  /** The first that nobody has asked for. */
  async next(): Promise<Probe> {
    for (;;) {
      const probe = this.all[this.#taken];
      if (probe) {
        this.#taken++;
        return probe;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** The two ends of one session. */
export interface Session {
  readonly client: Probe;
  readonly target: Probe;
}

export interface ProxyView {
  readonly name: string;
  readonly listen: string;
  readonly state: string;
  readonly bytes_upstream: number;
  readonly bytes_downstream: number;
  readonly connections_active: number;
  readonly observers: readonly ObserverView[];
}

/** A weir that runs, what its API says, and clients of it. */
export class Stage implements AsyncDisposable {
  readonly kit: Kit;
  readonly weir: Weir;
  readonly targets: Arrivals;
  readonly metrics: string;

  private constructor(kit: Kit, weir: Weir, targets: Arrivals, metrics: string) {
    this.kit = kit;
    this.weir = weir;
    this.targets = targets;
    this.metrics = metrics;
  }

  /** `args`: made from the address of the target. */
  static async run(kit: Kit, args: (target: string) => readonly string[]): Promise<Stage> {
    const targets = await Arrivals.at(kit, LOOPBACK);
    const weir = await Weir.start([...args(targets.address), "--metrics", "127.0.0.1:0"]);
    const metrics = (await weir.stdout.next((line) => line.startsWith("metrics "))).replace("metrics ", "");
    return new Stage(kit, weir, targets, metrics);
  }

  /** One proxy, with these observers as the command line has them. */
  static tcp(kit: Kit, engine: Engine, observers: readonly string[], ...flags: readonly string[]): Promise<Stage> {
    const given = observers.flatMap((observer) => ["--observer", observer]);
    return Stage.run(kit, (target) => ["tcp", "127.0.0.1:0", target, "--engine", engine, ...given, ...flags]);
  }

  /** A client, and the connection to the target that weir has opened for it; one after the other. */
  async session(proxy = 0): Promise<Session> {
    const { listen } = await this.proxy(proxy);
    const client = new Probe(await this.kit.connect(parseAddress(listen, "target")));
    return { client, target: await this.targets.next() };
  }

  async proxies(): Promise<readonly ProxyView[]> {
    const api = this.metrics.replace("/metrics", "/api/proxies");
    const { proxies } = (await (await fetch(api)).json()) as { proxies: readonly ProxyView[] };
    return proxies;
  }

  async proxy(index = 0): Promise<ProxyView> {
    const proxy = (await this.proxies())[index];
    if (!proxy) throw new Error(`there is no proxy ${index}`);
    return proxy;
  }

  async observer(index = 0): Promise<ObserverView> {
    const view = (await this.proxy()).observers[index];
    if (!view) throw new Error(`there is no observer ${index}`);
    return view;
  }

  /** Asks until something holds for all observers. */
  async until(holds: (view: ObserverView) => boolean): Promise<void> {
    while (!(await this.proxy()).observers.every(holds));
  }

  page(): Promise<string> {
    return fetch(this.metrics).then((response) => response.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.weir[Symbol.asyncDispose]();
  }
}

/** Both ends say that they are done, and both have got all. */
export async function finish({ client, target }: Session): Promise<void> {
  client.finish();
  target.finish();
  await Promise.all([client.untilEnd(), target.untilEnd()]);
  if (target.received !== client.sent) throw new Error(`${target.received} of ${client.sent} bytes upstream`);
  if (client.received !== target.sent) throw new Error(`${client.received} of ${target.sent} bytes downstream`);
}

/** A word of the client, and one of the target, so many times: the sizes vary, up to `most` bytes. */
export async function pingPong({ client, target }: Session, rounds: number, most = 1_000): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await say(client, target, 1 + ((round * 331) % most));
    await say(target, client, 1 + ((round * 101) % most));
  }
}

async function say(from: Probe, to: Probe, count: number): Promise<void> {
  from.write(count);
  await to.until(() => to.closed || to.received === from.sent, "what was said");
  if (to.received !== from.sent) throw new Error(`closed in the middle: ${to.error?.code}`);
}
