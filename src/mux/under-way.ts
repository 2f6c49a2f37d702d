/** The requests under way on one connection, and which of them a reply is for. */
import { Fifo } from "./fifo.ts";
import type { Keys } from "./message.ts";
import type { Request } from "./request.ts";

export interface UnderWay {
  readonly length: number;
  /** Replies come in the order of the requests, and may be shown in pieces. */
  readonly inOrder: boolean;
  /** So many replies may still come late that nobody waits for, that it is time for another connection. */
  readonly worn: boolean;
  /** Whose reply is being read. */
  readonly current: Request | undefined;
  /** Whether the reply to this request could be told from all others. */
  accepts(bytes: Uint8Array): boolean;
  /** A reply to another request that is called the same may still come late. */
  late(bytes: Uint8Array): boolean;
  /** Gives the bytes as they are to be sent. `bytes`: on loan. */
  add(request: Request, bytes: Uint8Array): Uint8Array;
  /**
   * A reply, or a piece of one: as its client is to get it; {@link current} is whom it is for. "late": whoever has asked
   * was told already that there is none; "unknown": nobody has asked.
   */
  match(bytes: Uint8Array): Uint8Array | "late" | "unknown";
  /** The reply of {@link current} is complete: it is no longer under way. */
  shift(): Request | undefined;
  /** The reply is not waited for any more, and may still come. False: its client is to get another one before. */
  forget(request: Request): boolean;
  /** Takes all of them out, in the order in which they were added. */
  drain(): readonly Request[];
}

/** `random`: from 0 up to 1, for the numbers of requests. */
export function underWay(keys: Keys | undefined, random: () => number): UnderWay {
  return keys ? new Keyed(keys, random) : new InOrder();
}

class InOrder implements UnderWay {
  readonly inOrder = true;
  readonly worn = false;
  readonly #requests = new Fifo<Request>();

  get length(): number {
    return this.#requests.length;
  }

  get current(): Request | undefined {
    return this.#requests.first;
  }

  accepts(): boolean {
    return true;
  }

  late(): boolean {
    return false;
  }

  add(request: Request, bytes: Uint8Array): Uint8Array {
    this.#requests.push(request);
    return bytes;
  }

  match(bytes: Uint8Array): Uint8Array | "unknown" {
    return this.#requests.length > 0 ? bytes : "unknown";
  }

  shift(): Request | undefined {
    return this.#requests.shift();
  }

  forget(request: Request): boolean {
    const { client } = request;
    return this.#requests.find((each) => each.client === client && !each.givenUp) === request;
  }

  drain(): readonly Request[] {
    return this.#requests.drain();
  }
}

type Key = string | number;

/** Keys that cannot be used again over one connection, at most. */
const LATE_MAX = 1_000;

class Keyed implements UnderWay {
  readonly inOrder = false;
  current: Request | undefined;
  readonly #keys: Keys;
  /** By the keys as the target sees them. */
  readonly #requests = new Map<Key, Request>();
  /** Of requests that were given up: whoever used them again would get the reply to another's. */
  readonly #late = new Set<Key>();
  readonly #random: () => number;

  constructor(keys: Keys, random: () => number) {
    this.#keys = keys;
    this.#random = random;
  }

  get length(): number {
    return this.#requests.size;
  }

  get worn(): boolean {
    return this.#late.size >= LATE_MAX;
  }

  accepts(bytes: Uint8Array): boolean {
    const { ids } = this.#keys;
    if (ids > 0) return this.#requests.size + this.#late.size <= ids / 2;
    return !this.#used(this.#keys.ofRequest(bytes));
  }

  late(bytes: Uint8Array): boolean {
    return this.#keys.ids === 0 && this.#late.has(this.#keys.ofRequest(bytes));
  }

  add(request: Request, bytes: Uint8Array): Uint8Array {
    const { ids } = this.#keys;
    request.key = this.#keys.ofRequest(bytes);
    request.sentKey = ids > 0 ? this.#unusedId(ids) : request.key;
    this.#requests.set(request.sentKey, request);
    return this.#with(request.sentKey, bytes);
  }

  match(bytes: Uint8Array): Uint8Array | "late" | "unknown" {
    this.current = undefined;
    const key = this.#keys.ofReply(bytes);
    if (key === undefined) return "unknown";
    const request = this.#requests.get(key);
    if (!request) return this.#late.delete(key) ? "late" : "unknown";
    if (this.#keys.answers?.(request.context, bytes) === false) return "unknown";
    this.current = request;
    return this.#with(request.key, bytes);
  }

  shift(): Request | undefined {
    const { current } = this;
    this.current = undefined;
    if (current) this.#requests.delete(current.sentKey);
    return current;
  }

  forget(request: Request): boolean {
    if (this.#requests.delete(request.sentKey)) this.#late.add(request.sentKey);
    return true;
  }

  drain(): readonly Request[] {
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    return requests;
  }

  #used(key: Key): boolean {
    return this.#requests.has(key) || this.#late.has(key);
  }

  /** One that nobody can guess, so that nobody can have a reply sent for it beforehand. */
  #unusedId(ids: number): number {
    for (;;) {
      const id = Math.floor(this.#random() * (ids + 1));
      if (!this.#used(id)) return id;
    }
  }

  /** A copy with another key, where keys are put into messages. */
  #with(key: Key, bytes: Uint8Array): Uint8Array {
    if (this.#keys.ids === 0) return bytes;
    const copy = new Uint8Array(bytes);
    this.#keys.stamp(copy, key);
    return copy;
  }
}
