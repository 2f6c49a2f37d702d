/** A target, a proxy in front of it, and clients: what the tests of the relay play with. */
import { runtime } from "#runtime";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import { type Connection, type ConnectionRecord, Proxy, type ProxyOptions } from "../../src/index.ts";
import { parseAddress } from "../../src/net/address.ts";
import type { StreamSocket } from "../../src/net/runtime.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";

type Engine = "portable" | "native";

/** The engines that can run here: the relay's tests hold for each. */
export const ENGINES: Engine[] = process.platform === "linux" ? ["portable", "native"] : ["portable"];

export class World implements AsyncDisposable {
  readonly kit = new Kit(runtime);
  readonly proxy: Proxy;
  readonly records: ConnectionRecord[] = [];
  readonly #arrived: Probe[] = [];
  readonly #expecting: ((probe: Probe) => void)[] = [];
  readonly #ended: ((record: ConnectionRecord) => void)[] = [];

  private constructor(proxy: Proxy) {
    this.proxy = proxy;
    for (const event of ["closed", "failed"] as const) {
      proxy.on(event, (record) => {
        const waiting = this.#ended.shift();
        if (waiting) waiting(record);
        else this.records.push(record);
      });
    }
  }

  /** `target`: what to use instead of the world's own target. */
  static async with(
    engine: Engine,
    options: ProxyOptions = {},
    target?: string | readonly string[],
    listen = "127.0.0.1:0",
  ): Promise<World> {
    const kit = new Kit(runtime);
    let arrive: (socket: StreamSocket) => void = () => {};
    const listener = await kit.listen(LOOPBACK, (socket) => arrive(socket));
    const own = listener.address.kind === "tcp" ? `127.0.0.1:${listener.address.port}` : "";
    const world = new World(await Proxy.bind(listen, target ?? own, { engine, ...options }));
    world.kit.later(() => kit.clean());
    arrive = (socket) => world.#arrive(new Probe(socket, false));
    return world;
  }

  /** A client, resumed; `source`: the local address from which it connects. */
  async client(source?: string): Promise<Probe> {
    return new Probe(await this.kit.connect(parseAddress(this.proxy.address, "target"), { source }));
  }

  /** How a client that does this learns that it is not let in: the code of the error. It may come before all. */
  async refusal(act: (client: Probe) => void = () => {}): Promise<string | undefined> {
    const client = await this.client().catch(({ code }: { code: string }) => code);
    if (typeof client === "string") return client;
    act(client);
    return await client.untilClose();
  }

  /** The target's end of the next connection, paused. */
  target(): Promise<Probe> {
    const probe = this.#arrived.shift();
    return probe ? Promise.resolve(probe) : new Promise((resolve) => this.#expecting.push(resolve));
  }

  async both(): Promise<{ client: Probe; target: Probe }> {
    const client = await this.client();
    const target = await this.target();
    target.resume();
    return { client, target };
  }

  /** Resolves when so many connections are in this state. */
  async inState(state: Connection["state"], count: number): Promise<void> {
    for (;;) {
      const connections = await this.proxy.connections();
      if (connections.filter((each) => each.state === state).length === count) return;
      // The portable engine answers at once, and what is waited for would never get its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The record of the next connection that ends. */
  record(): Promise<ConnectionRecord> {
    const record = this.records.shift();
    return record ? Promise.resolve(record) : new Promise((resolve) => this.#ended.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.shutdown();
    await this.kit.clean();
  }

  #arrive(probe: Probe): void {
    this.kit.later(() => probe.abort());
    const waiting = this.#expecting.shift();
    if (waiting) waiting(probe);
    else this.#arrived.push(probe);
  }
}
