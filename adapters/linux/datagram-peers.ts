/** Peers of a datagram socket, from and to the kernel's form. Who has been met is known by its bytes, or as an object. */
import type { Endpoint } from "../../src/net/runtime.ts";
import { AF_INET, AF_INET6 } from "./abi.ts";
import type { Inbox } from "./inbox.ts";
import { decodeEndpoint, encodeEndpoint, familyOf, SOCKADDR_MAX } from "./sockaddr.ts";
import type { System } from "./system.ts";

/** Addresses remembered as objects. */
const PEERS_MAX = 4_096;
/** Words of 32 bits in `struct sockaddr_in6`; the second is the flow, which is no part of an address. */
const IPV6_WORDS = 7;
const FLOW = 1;

/** Senders of what lies in the inbox, each the same object every time as long as it is remembered. */
export class Peers {
  readonly #inbox: Inbox;
  readonly #words: Int32Array;
  readonly #ipv4 = new Map<number, Endpoint>();
  readonly #ipv6 = new Map<string, Endpoint>();
  /** The one of the last datagram, and its words: most follow one of their own kind. */
  #last: Endpoint | undefined;
  readonly #lastWords = new Int32Array(IPV6_WORDS);

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
    this.#words = inbox.nameWords;
  }

  /** Who sent number `index`. */
  of(index: number): Endpoint {
    const at = this.#inbox.nameAt(index);
    const words = this.#words;
    const first = words[at] as number;
    const ipv4 = (first & 0xffff) === AF_INET;
    if (this.#last && this.#isLast(at, ipv4)) return this.#last;
    const peer = ipv4 ? this.#ofIPv4(index, at) : this.#ofIPv6(index, at);
    this.#last = peer;
    for (let i = 0; i < IPV6_WORDS; i++) this.#lastWords[i] = words[at + i] as number;
    return peer;
  }

  #isLast(at: number, ipv4: boolean): boolean {
    const words = this.#words;
    const last = this.#lastWords;
    if (words[at] !== last[0]) return false;
    if (ipv4) return words[at + 1] === last[1];
    for (let i = FLOW + 1; i < IPV6_WORDS; i++) if (words[at + i] !== last[i]) return false;
    return true;
  }

  #ofIPv4(index: number, at: number): Endpoint {
    const key = ((this.#words[at + 1] as number) >>> 0) * 65_536 + ((this.#words[at] as number) >>> 16);
    const known = this.#ipv4.get(key);
    if (known) return known;
    if (this.#ipv4.size >= PEERS_MAX) this.#ipv4.clear();
    const peer = decodeEndpoint(this.#inbox.name(index));
    this.#ipv4.set(key, peer);
    return peer;
  }

  #ofIPv6(index: number, at: number): Endpoint {
    const words = this.#words;
    const key = `${words[at]} ${words[at + 2]} ${words[at + 3]} ${words[at + 4]} ${words[at + 5]} ${words[at + 6]}`;
    const known = this.#ipv6.get(key);
    if (known) return known;
    if (this.#ipv6.size >= PEERS_MAX) this.#ipv6.clear();
    const peer = decodeEndpoint(this.#inbox.name(index));
    this.#ipv6.set(key, peer);
    return peer;
  }
}

/** Where datagrams go, encoded once for each endpoint. */
export class Names {
  readonly #system: System;
  readonly #family: number;
  readonly #known = new WeakMap<Endpoint, Uint8Array>();
  #last: Endpoint | undefined;
  #lastName: Uint8Array | undefined;

  constructor(system: System, family: number) {
    this.#system = system;
    this.#family = family;
  }

  /** Undefined if its zone is no interface of this machine. */
  of(to: Endpoint): Uint8Array | undefined {
    if (to === this.#last) return this.#lastName;
    const name = this.#known.get(to) ?? this.#encode(to);
    if (!name) return undefined;
    this.#last = to;
    this.#lastName = name;
    return name;
  }

  #encode(to: Endpoint): Uint8Array | undefined {
    const name = new Uint8Array(SOCKADDR_MAX);
    // An IPv6 socket reaches IPv4 by mapped addresses (RFC 4291 section 2.5.5.2).
    const mapped = this.#family === AF_INET6 && familyOf(to.host) !== AF_INET6;
    const host = mapped ? `::ffff:${to.host}` : to.host;
    try {
      const length = encodeEndpoint(name, { host, port: to.port }, this.#system);
      this.#known.set(to, name.subarray(0, length));
      return this.#known.get(to);
    } catch {
      return undefined;
    }
  }
}
