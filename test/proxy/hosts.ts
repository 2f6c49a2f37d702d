/** Targets on one port of several addresses, as names of DNS have them. */
import { type Address, formatAddress } from "../../src/net/address.ts";
import type { Listener } from "../../src/net/runtime.ts";
import type { Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";

const HOSTS = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "::1"] as const;

/** Each says its address to whoever connects. */
export class Hosts {
  readonly port: number;
  /** Those that have connected, by host, in their order. */
  readonly arrived = new Map<string, Probe[]>(HOSTS.map((host) => [host, []]));
  readonly #listeners = new Map<string, Listener>();

  static async open(kit: Kit): Promise<Hosts> {
    for (;;) {
      const first = await kit.listen({ kind: "tcp", host: HOSTS[0], port: 0 }, () => {});
      const { port } = first.address as Extract<Address, { kind: "tcp" }>;
      await first.close();
      const hosts = new Hosts(port);
      try {
        for (const host of HOSTS) await hosts.start(kit, host);
        return hosts;
      } catch {
        // Somebody else has that port on one of the addresses.
        for (const host of hosts.#listeners.keys()) await hosts.stop(host);
      }
    }
  }

  private constructor(port: number) {
    this.port = port;
  }

  async start(kit: Kit, host: string): Promise<void> {
    const listener = await kit.listen({ kind: "tcp", host, port: this.port }, (socket) => {
      const probe = new Probe(socket);
      probe.raw = true;
      probe.writeText(host);
      this.arrived.get(host)?.push(probe);
      kit.later(() => probe.abort());
    });
    this.#listeners.set(host, listener);
  }

  async stop(host: string): Promise<void> {
    await this.#listeners.get(host)?.close();
  }

  /** The addresses of targets on some of them. */
  on(...hosts: string[]): string[] {
    return hosts.map((host) => formatAddress({ kind: "tcp", host, port: this.port }));
  }
}
