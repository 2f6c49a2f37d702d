/** Datagrams of one socket on their way out, alone or as segments of one packet. */
import { SOL_UDP, UDP_SEGMENT } from "./abi.ts";
import type { Block } from "./arena.ts";
import type { Inbox } from "./inbox.ts";
import { addressOf, Headers, MESSAGES } from "./messages.ts";
import { SOCKADDR_MAX } from "./sockaddr.ts";
import type { System } from "./system.ts";

/** Bytes of datagrams that do not lie in the inbox; more than one can have. */
const STAGE = 65_536;

/** `struct cmsghdr` and 16 bits behind it: CMSG_LEN and CMSG_SPACE, and the 64-bit words of which 32 are in use. */
const CONTROL_USED = 18;
const CONTROL_SIZE = 24;
const CONTROL_WORDS = CONTROL_SIZE / 4;
const SEGMENT = 4;
/** Bytes that one packet has room for, with an IPv4 header (RFC 791) and one of UDP before them. */
const TOGETHER_MAX = 65_507;

/** Up to {@link MESSAGES} of them. */
export class Outgoing extends Headers {
  /** How many there are. */
  count = 0;
  readonly #inbox: Inbox;
  readonly #stage: Block;
  readonly #address: number;
  #staged = 0;
  readonly #addresses = new Float64Array(MESSAGES);
  readonly #lengths = new Uint32Array(MESSAGES);
  /** What each slot of {@link names} holds. */
  readonly #named: (Uint8Array | undefined)[] = new Array(MESSAGES).fill(undefined);
  /** How many datagrams each header stands for. */
  readonly #standsFor = new Uint8Array(MESSAGES);
  readonly #control: Block;
  readonly #controlWords: Uint32Array;
  readonly #controlAddress: number;

  constructor(system: System, inbox: Inbox) {
    super(system);
    this.#inbox = inbox;
    this.#stage = system.arena.take(STAGE);
    this.#address = addressOf(system, this.#stage);
    this.#control = system.arena.take(MESSAGES * CONTROL_SIZE);
    this.#controlAddress = addressOf(system, this.#control);
    const { buffer, byteOffset, length } = this.#control.bytes;
    this.#controlWords = new Uint32Array(buffer, byteOffset, length / 4);
    for (let i = 0; i < MESSAGES; i++) {
      this.#controlWords.set([CONTROL_USED, 0, SOL_UDP, UDP_SEGMENT, 0, 0], i * CONTROL_WORDS);
    }
  }

  /**
   * Writes the headers for all from number `first` on, and returns how many they are. In segments (udp(7),
   * UDP_SEGMENT) those of one size and one address that follow each other pass through the kernel as one and come out
   * of it as they are; the last of them may be shorter. It takes 64 of them.
   */
  compose(first: number, segments: boolean): number {
    let headers = 0;
    for (let next = first; next < this.count; headers++) {
      const number = segments ? this.#together(next) : 1;
      this.head(headers, next, number);
      this.setNameLength(headers, this.#named[next]?.length ?? 0);
      if (number > 1) {
        this.#controlWords[headers * CONTROL_WORDS + SEGMENT] = this.#lengths[next] ?? 0;
        this.say(headers, this.#controlAddress + headers * CONTROL_SIZE, CONTROL_SIZE);
      } else this.say(headers, 0, 0);
      this.#standsFor[headers] = number;
      next += number;
    }
    return headers;
  }

  /** How many datagrams header `index` stands for. */
  standsFor(index: number): number {
    return this.#standsFor[index] ?? 0;
  }

  /** How many from number `first` on can be segments of one packet. */
  #together(first: number): number {
    const size = this.#lengths[first] ?? 0;
    let total = size;
    let next = first + 1;
    for (; next < this.count && this.#named[next] === this.#named[first]; next++) {
      const length = this.#lengths[next] ?? 0;
      total += length;
      if (length === 0 || length > size || total > TOGETHER_MAX) break;
      // A shorter one is the last.
      if (length < size) return next + 1 - first;
    }
    return next - first;
  }

  fits(length: number): boolean {
    return this.count < MESSAGES && this.#staged + length <= STAGE;
  }

  /**
   * Adds a datagram that {@link fits}. What lies in the inbox is sent from there, so it must leave before anything else
   * is received; the rest is copied. `name` is never written into once it was given.
   */
  put(chunk: Uint8Array, name: Uint8Array): void {
    const index = this.count++;
    const { length } = chunk;
    let address = this.#inbox.addressOf(chunk);
    if (address === 0) {
      address = this.#address + this.#staged;
      this.#stage.bytes.set(chunk, this.#staged);
      this.#staged += length;
    }
    this.#addresses[index] = address;
    this.#lengths[index] = length;
    this.aim(index, address, length);
    if (this.#named[index] === name) return;
    this.#named[index] = name;
    this.names.set(name, index * SOCKADDR_MAX);
  }

  /** The bytes of number `index`, as long as nothing is received or put. */
  bytes(index: number): Uint8Array {
    const [address = 0, length = 0] = [this.#addresses[index], this.#lengths[index]];
    const staged = address - this.#address;
    if (staged < 0 || staged >= STAGE) return this.#inbox.bytesAt(address, length);
    return this.#stage.bytes.subarray(staged, staged + length);
  }

  /** Where number `index` goes. */
  name(index: number): Uint8Array {
    return this.#named[index] ?? this.names.subarray(0, 0);
  }

  clear(): void {
    this.count = 0;
    this.#staged = 0;
  }

  override destroy(): void {
    super.destroy();
    this.system.arena.give(this.#stage);
    this.system.arena.give(this.#control);
  }
}
