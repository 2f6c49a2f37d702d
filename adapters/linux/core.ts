/** What all sockets of one thread share. */

import type { Endpoint, Timer } from "../../src/net/runtime.ts";
import type { Block } from "./arena.ts";
import { Departures } from "./departures.ts";
import { type Destination, Destinations } from "./destinations.ts";
import { FastPath } from "./fast-path.ts";
import { Inbox } from "./inbox.ts";
import { Loop } from "./loop.ts";
import { Pacing } from "./pacing.ts";
import { PipePool } from "./pipes.ts";
import type { System } from "./system.ts";
import type { Due } from "./timers.ts";

/** Bytes that one recv(2) can take. */
export const INBOX_SIZE = 262_144;
/** No new pipes when the process has opened this part of the descriptors that it may: connections come first. */
const PIPE_CEILING = 7 / 8;

/** Where all sockets of UDP receive, and what they send. */
interface Datagrams {
  readonly inbox: Inbox;
  readonly departures: Departures;
}

export class Core {
  readonly system: System;
  readonly loop: Loop;
  readonly fastPath: FastPath;
  /** Where every socket reads into; its bytes are shown to their owner at once, or sent on. */
  readonly inbox: Block;
  /** Where bytes of other memory are copied before they are sent. */
  readonly stage: Block;
  readonly pipes: PipePool;
  readonly destinations: Destinations;
  readonly pacing: Pacing;
  /** `Runtime.after`. Not from `loop.now`: the batch may have taken its time. */
  readonly after = (ms: number, run: Due | (() => void)): Timer => this.loop.timers.set(performance.now() + ms, run);
  #shown: Uint8Array | undefined;
  /** As many as the configuration names. */
  readonly #sources = new Map<string, Endpoint>();
  #datagrams: Datagrams | undefined;

  /** `descriptors`: how many the process may open. `wake`: see {@link Loop}. */
  constructor(system: System, descriptors: number, wake?: number) {
    this.system = system;
    this.inbox = system.arena.take(INBOX_SIZE);
    this.fastPath = new FastPath(system, this.inbox);
    this.loop = new Loop(system, wake, this.fastPath);
    this.stage = system.arena.take(65_536);
    this.destinations = new Destinations(system);
    this.pacing = new Pacing(system);
    this.pipes = new PipePool(system, Math.floor(descriptors * PIPE_CEILING));
  }

  /** Where connections from `source` are bound, any port of it. */
  sourceOf(source: string): Destination | undefined {
    let endpoint = this.#sources.get(source);
    if (!endpoint) {
      endpoint = { host: source, port: 0 };
      this.#sources.set(source, endpoint);
    }
    return this.destinations.of(endpoint);
  }

  /** The first `count` bytes of the inbox, on loan. */
  received(count: number): Uint8Array {
    // Answers of one size follow each other more often than not.
    if (this.#shown?.length !== count) this.#shown = this.inbox.bytes.subarray(0, count);
    return this.#shown;
  }

  /** Made for the first socket of UDP: 4 MB. */
  get datagrams(): Datagrams {
    if (!this.#datagrams) {
      const inbox = new Inbox(this.system);
      this.#datagrams = { inbox, departures: new Departures(this.system, this.loop, inbox) };
    }
    return this.#datagrams;
  }

  /** Frees everything; no socket may be open any more. */
  destroy(): void {
    this.#datagrams?.departures.destroy();
    this.#datagrams?.inbox.destroy();
    this.pipes.destroy();
    this.destinations.destroy();
    this.loop.destroy();
    this.system.arena.give(this.inbox);
    this.system.arena.give(this.stage);
  }
}
