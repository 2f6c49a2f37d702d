/** One observer of one proxy in one thread: where it is, what is counted for it, and what is said about it. */
import type { Runtime } from "../net/runtime.ts";
import { DatagramDestination } from "./datagram-sink.ts";
import { Feed, type FeedOwner } from "./feed.ts";
import { FileDestination } from "./file-sink.ts";
import type { FrameBench, SessionInfo } from "./framed.ts";
import { Gathering } from "./gathering.ts";
import { formatObserverAddress, type ObserverAddress } from "./observer-address.ts";
import type { ObserverConfig } from "./observer-config.ts";
import type { ObserverCounters } from "./observer-counters.ts";
import type { Destination, SinkError } from "./sink.ts";
import { StreamDestination } from "./stream-sink.ts";

/** What observers need of a runtime. */
export type ObserverRuntime = Pick<
  Runtime,
  "now" | "after" | "wallClock" | "connect" | "datagram" | "resolve" | "openFile"
>;

/** What there is to say about observers, as data for the log. `observer` is its address. */
export type ObserverEvent =
  /** It cannot be connected; said once, until it can again. */
  | { readonly event: "unreachable"; readonly observer: string; readonly code: string; readonly message: string }
  | { readonly event: "reachable"; readonly observer: string }
  /** It is too slow for this session: reads are skipped; said once for each session. */
  | { readonly event: "behind"; readonly observer: string; readonly session: number }
  /** It was too slow for this session, and is cut off from it. */
  | { readonly event: "disconnected"; readonly observer: string; readonly session: number };

export class Observer implements FeedOwner {
  readonly runtime: ObserverRuntime;
  readonly config: ObserverConfig;
  readonly counters: ObserverCounters;
  readonly bench: FrameBench;
  readonly destination: Destination;
  readonly gathering: Gathering;
  readonly #name: string;
  readonly #tell: (event: ObserverEvent) => void;
  readonly #idle: () => void;
  readonly #live = new Set<Feed>();
  #unreachable = false;

  /** `idle`: called whenever its last feed has ended. */
  constructor(
    runtime: ObserverRuntime,
    config: ObserverConfig,
    counters: ObserverCounters,
    bench: FrameBench,
    tell: (event: ObserverEvent) => void,
    idle: () => void,
  ) {
    this.runtime = runtime;
    this.config = config;
    this.counters = counters;
    this.bench = bench;
    this.destination = destinationOf(runtime, config.address, counters);
    this.gathering = new Gathering(runtime);
    this.#name = formatObserverAddress(config.address);
    this.#tell = tell;
    this.#idle = idle;
  }

  /** Feeds that have not ended. */
  get live(): number {
    return this.#live.size;
  }

  /** `released`: called when the feed, once full, has room again. */
  feed(session: SessionInfo, released: () => void): Feed {
    const feed = new Feed(this, session, released);
    this.#live.add(feed);
    return feed;
  }

  cut(): void {
    for (const feed of this.#live) feed.cut();
  }

  /** No feed is left, and there will be no other. */
  close(): void {
    this.destination.close();
  }

  reachable(): void {
    if (this.#unreachable) this.#tell({ event: "reachable", observer: this.#name });
    this.#unreachable = false;
  }

  unreachable({ code, message }: SinkError): void {
    if (!this.#unreachable) this.#tell({ event: "unreachable", observer: this.#name, code, message });
    this.#unreachable = true;
  }

  behind(session: number): void {
    this.#tell({ event: "behind", observer: this.#name, session });
  }

  disconnected(session: number): void {
    this.#tell({ event: "disconnected", observer: this.#name, session });
  }

  ended(feed: Feed): void {
    this.#live.delete(feed);
    if (this.#live.size === 0) this.#idle();
  }
}

function destinationOf(runtime: ObserverRuntime, address: ObserverAddress, counters: ObserverCounters): Destination {
  if (address.kind === "udp") return new DatagramDestination(runtime, address, counters);
  if (address.kind === "file") return new FileDestination(runtime, address);
  return new StreamDestination(runtime, address);
}
