/** Addresses in the kernel's form. A proxy connects to the same few for ever, so they are encoded once. */
import { type Address, isIPv4, isIPv6, isLoopback, type UnixAddress } from "../../src/net/address.ts";
import type { Endpoint } from "../../src/net/runtime.ts";
import { AF_UNIX } from "./abi.ts";
import type { Block } from "./arena.ts";
import { encodeEndpoint, encodePath, familyOf, SOCKADDR_MAX } from "./sockaddr.ts";
import type { System } from "./system.ts";

export interface Destination {
  readonly family: number;
  readonly block: Block;
  readonly length: number;
  /** This machine, whatever way there is to others. */
  readonly loopback: boolean;
}

const KEPT = 256;

export class Destinations {
  readonly #system: System;
  readonly #known = new Map<Address | Endpoint, Destination>();

  constructor(system: System) {
    this.#system = system;
  }

  /** Undefined for a name, which has to be resolved first. What is returned is valid until the next call. */
  of(to: Address | Endpoint): Destination | undefined {
    return this.#known.get(to) ?? this.#encode(to);
  }

  destroy(): void {
    for (const { block } of this.#known.values()) this.#system.arena.give(block);
    this.#known.clear();
  }

  #encode(to: Address | Endpoint): Destination | undefined {
    const path = "kind" in to && to.kind === "unix" ? to : undefined;
    const endpoint = path ? undefined : (to as Endpoint);
    if (endpoint && !isIPv4(endpoint.host) && !isIPv6(endpoint.host)) return undefined;
    if (this.#known.size >= KEPT) this.destroy();
    const block = this.#system.arena.take(SOCKADDR_MAX);
    const family = endpoint ? familyOf(endpoint.host) : AF_UNIX;
    const length = endpoint
      ? encodeEndpoint(block.bytes, endpoint, this.#system)
      : encodePath(block.bytes, to as UnixAddress);
    const destination = { family, block, length, loopback: endpoint !== undefined && isLoopback(endpoint.host) };
    this.#known.set(to, destination);
    return destination;
  }
}
