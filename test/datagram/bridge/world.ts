/** Bridges on each engine, with sockets around them. */
import { openThreads } from "#native";
import { runtime } from "#runtime";
import { BRIDGE, type BridgeConfig } from "../../../src/datagram/bridge/bridge-config.ts";
import type { BridgeEvent } from "../../../src/datagram/bridge/bridge-events.ts";
import type { BridgeControl, EndView } from "../../../src/datagram/bridge/control.ts";
import { parseRoute } from "../../../src/datagram/bridge/route-address.ts";
import { type Engine, startEngine } from "../../../src/engine/engine.ts";
import { parseAddress } from "../../../src/net/address.ts";
import type { Endpoint, StreamSocket } from "../../../src/net/runtime.ts";
import { type DatagramProbe, open } from "../../contract/datagram-probe.ts";
import { Kit } from "../../contract/kit.ts";
import { Probe } from "../../contract/probe.ts";
import { Watch } from "../../contract/watch.ts";
import type { ENGINES } from "../../proxy/world.ts";

export const FREE_PORT = "udp://127.0.0.1:0";

/** What bridges have told. */
class Told extends Watch {
  readonly events: BridgeEvent[] = [];

  tell(event: BridgeEvent): void {
    this.events.push(event);
    this.wake();
  }
}

export class BridgeWorld implements AsyncDisposable {
  readonly kit = new Kit(runtime);
  readonly engine: Engine;
  readonly told = new Told();
  readonly #bridges: BridgeControl[] = [];

  static async on(engine: (typeof ENGINES)[number]): Promise<BridgeWorld> {
    return new BridgeWorld((await startEngine(runtime, openThreads, { mode: engine, workers: 2 })).engine);
  }

  private constructor(engine: Engine) {
    this.engine = engine;
  }

  async bridge(
    from: readonly string[],
    to: readonly string[],
    config: Partial<BridgeConfig> = {},
  ): Promise<BridgeControl> {
    const ends = {
      from: from.map((text) => parseRoute(text, "from")),
      to: to.map((text) => parseRoute(text, "to")),
    };
    const bridge = await this.engine.bridge({ ...BRIDGE, name: "b", ...config, ...ends }, (event) =>
      this.told.tell(event),
    );
    this.#bridges.push(bridge);
    return bridge;
  }

  /** A socket of a test, and what a bridge calls it. */
  async receiver(): Promise<{ probe: DatagramProbe; address: string }> {
    const probe = await open(this.kit);
    return { probe, address: `udp://127.0.0.1:${probe.socket.local.port}` };
  }

  /** Resolves with the event that the bridges tell, or have told. */
  async event<E extends BridgeEvent["event"]>(event: E): Promise<Extract<BridgeEvent, { event: E }>> {
    const find = () => this.told.events.find((each) => each.event === event);
    await this.told.until(() => find() !== undefined, event);
    return find() as Extract<BridgeEvent, { event: E }>;
  }

  /** Connected to an end that listens. */
  async connected({ address }: EndView): Promise<Probe> {
    return new Probe(await this.kit.connect(parseAddress(address.replace("listen://", ""), "target")), true);
  }

  /** A server whose connections are given out one by one; `port`: of one that was there before. */
  async server(accept: (socket: StreamSocket) => void, port = 0) {
    return await this.kit.listen({ kind: "tcp", host: "127.0.0.1", port }, accept);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const bridge of this.#bridges) bridge.cut();
    await Promise.all(
      this.#bridges.map((bridge) => {
        const drained = bridge.drain();
        bridge.cut();
        return drained;
      }),
    );
    await this.kit.clean();
    await this.engine.close();
  }
}

/** The ends of a bridge, told apart. */
export function endsOf({ ends }: BridgeControl) {
  const side = (direction: "from" | "to") => ends.filter((end) => end.direction === direction);
  return { from: side("from"), to: side("to") };
}

/** Where datagrams to an end are sent. */
export function endpointOf({ address }: EndView): Endpoint {
  const route = parseRoute(address, "from");
  if (route.kind !== "udp") throw new Error(`${address} is no address of datagrams`);
  return { host: route.host, port: route.port };
}

export function texts({ received }: DatagramProbe): string[] {
  return received.map(({ bytes }) => new TextDecoder().decode(bytes));
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The first, which is there. */
export function only<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error("there is none");
  return first;
}
