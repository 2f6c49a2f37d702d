/** A proxy in front of targets that are for some TLS clients each. */
import { expect } from "bun:test";
import { runtime } from "#runtime";
import type { ProxyOptions } from "../../src/index.ts";
import { formatAddress } from "../../src/net/address.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { type ENGINES, World } from "./world.ts";

/** One target for each set of options, and a proxy in front of them. */
export class Routed implements AsyncDisposable {
  readonly world: World;
  readonly addresses: readonly string[];
  readonly #kit: Kit;
  readonly #arrived: readonly Probe[][];
  readonly #waiting: readonly ((probe: Probe) => void)[][];

  static async with(engine: (typeof ENGINES)[number], options: readonly string[], more: ProxyOptions = {}) {
    const kit = new Kit(runtime);
    const arrived: Probe[][] = options.map(() => []);
    const waiting: ((probe: Probe) => void)[][] = options.map(() => []);
    const listening = options.map((_, at) =>
      kit.listen(LOOPBACK, (socket) => {
        const probe = new Probe(socket, false);
        probe.raw = true;
        probe.resume();
        kit.later(() => probe.abort());
        const first = waiting[at]?.shift();
        if (first) first(probe);
        else arrived[at]?.push(probe);
      }),
    );
    const addresses = (await Promise.all(listening)).map(({ address }) => formatAddress(address));
    const targets = addresses.map((address, at) => [address, options[at]].filter(Boolean).join());
    const world = await World.with(engine, more, targets);
    return new Routed(world, addresses, kit, arrived, waiting);
  }

  private constructor(
    world: World,
    addresses: readonly string[],
    kit: Kit,
    arrived: readonly Probe[][],
    waiting: readonly ((probe: Probe) => void)[][],
  ) {
    this.world = world;
    this.addresses = addresses;
    this.#kit = kit;
    this.#arrived = arrived;
    this.#waiting = waiting;
  }

  /** The next connection of a target. */
  target(at: number): Promise<Probe> {
    const probe = this.#arrived[at]?.shift();
    return probe ? Promise.resolve(probe) : new Promise((resolve) => this.#waiting[at]?.push(resolve));
  }

  /** How many connections targets have had that nobody has asked for. */
  get strays(): number {
    return this.#arrived.reduce((sum, { length }) => sum + length, 0);
  }

  async client(...parts: Uint8Array[]): Promise<Probe> {
    const client = await this.world.client();
    client.raw = true;
    for (const part of parts) client.socket.write(part);
    return client;
  }

  /** A client that says this gets that target, which gets exactly this, and both can go on. */
  async meets(at: number, bytes: Uint8Array): Promise<void> {
    const client = await this.client(bytes);
    const target = await this.target(at);
    await target.until(() => target.received >= bytes.length, "what the client has said");
    expect(target.bytes).toEqual(bytes);
    target.writeText("welcome");
    await client.until(() => client.received === 7, "the answer");
    client.finish();
    await target.untilEnd();
    target.finish();
    await client.untilClose();
    const moved = { bytesUpstream: bytes.length, bytesDownstream: 7, undeliveredUpstream: 0 };
    expect(await this.world.record()).toMatchObject({
      target: this.addresses[at] ?? "",
      reason: "client_closed",
      ...moved,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await this.#kit.clean();
  }
}
