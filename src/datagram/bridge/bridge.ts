/**
 * A bridge: datagrams of all its sources go to all its destinations.
 *
 *     udp://  tcp://  listen://  file ──► datagrams ──► udp://  a group  listen://  file
 */
import type { Chunk, Runtime, Timer } from "../../net/runtime.ts";
import type { BridgeConfig } from "./bridge-config.ts";
import type { BridgeEvent } from "./bridge-events.ts";
import type { EndShare, Sink, SinkOwner, Source, SourceOwner } from "./end.ts";
import { EndCounters, endMemory } from "./end-counters.ts";
import { FileSink } from "./file-sink.ts";
import { InputSource } from "./input-source.ts";
import { ListenSink } from "./listen-sink.ts";
import { ListenSource } from "./listen-source.ts";
import type { SinkAddress, SourceAddress } from "./route-address.ts";
import { StreamSource } from "./stream-source.ts";
import { UdpSink } from "./udp-sink.ts";
import { UdpSource } from "./udp-source.ts";

/** Milliseconds between two looks at what the kernel has counted, and at memberships. */
const TEND = 500;

export interface BridgeShare {
  /** For all ends: see {@link endMemory}. */
  readonly memory: SharedArrayBuffer;
  /** From 0 up to 1. */
  readonly random: () => number;
  tell(event: BridgeEvent): void;
}

export class Bridge implements SourceOwner, SinkOwner {
  /** Resolves when all sources have ended, which those that listen never do, and what they sent is gone. */
  readonly finished: Promise<void>;
  readonly #runtime: Runtime;
  readonly #sources: readonly Source[];
  readonly #sinks: readonly Sink[];
  readonly #ports = new Set<number>();
  /** Addresses of this machine. */
  #hosts = new Set<string>();
  /** Sources that have not ended. */
  #left: number;
  /** Destinations that sources wait for. */
  #holds = 0;
  /** Destinations whose kernel is full. */
  #slow = 0;
  #timer: Timer | undefined;
  #drained: Promise<void> | undefined;
  #finish: () => void = () => {};

  /** Rejects with a `SocketError` or a `FileError` that names the end which cannot be opened; then nothing is open. */
  static async open(runtime: Runtime, config: BridgeConfig, share: BridgeShare): Promise<Bridge> {
    const bridge = new Bridge(runtime, config, share);
    try {
      // Nothing may come before there is somewhere to go.
      for (const sink of bridge.#sinks) await sink.open();
      for (const sink of bridge.#sinks) for (const port of sink.ports) bridge.#ports.add(port);
      bridge.#look();
      for (const source of bridge.#sources) await source.open();
    } catch (error) {
      bridge.cut();
      await bridge.drain();
      throw error;
    }
    bridge.#pace();
    bridge.#tend();
    return bridge;
  }

  private constructor(runtime: Runtime, config: BridgeConfig, { memory, random, tell }: BridgeShare) {
    this.#runtime = runtime;
    const share = (end: number): EndShare => {
      return { runtime, config, random, tell, counters: new EndCounters(memory, end) };
    };
    this.#sources = config.from.map((address, index) => sourceOf(address, share(index), this));
    this.#sinks = config.to.map((address, index) => sinkOf(address, share(config.from.length + index), this));
    this.#left = this.#sources.length;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Where its ends really are, sources first. */
  get addresses(): readonly string[] {
    return [...this.#sources, ...this.#sinks].map(({ address }) => address);
  }

  datagram(chunk: Chunk): void {
    for (const sink of this.#sinks) sink.send(chunk);
  }

  sentFrom(host: string, port: number): boolean {
    return this.#ports.has(port) && this.#hosts.has(host);
  }

  ended(): void {
    this.#left--;
    if (this.#left === 0) void this.drain().then(() => this.#finish());
  }

  hold(): void {
    this.#holds++;
    if (this.#holds === 1) this.#pace();
  }

  release(): void {
    this.#holds--;
    if (this.#holds === 0) this.#pace();
  }

  slow(): void {
    this.#slow++;
    if (this.#slow === 1) this.#pace();
  }

  swift(): void {
    this.#slow--;
    if (this.#slow === 0) this.#pace();
  }

  /** Reads no more; resolves when what was read is gone. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Ends at once what drains. */
  cut(): void {
    for (const sink of this.#sinks) sink.cut();
  }

  async #drain(): Promise<void> {
    this.#timer?.cancel();
    await Promise.all(this.#sources.map((source) => source.close()));
    await Promise.all(this.#sinks.map((sink) => sink.finish()));
  }

  #tend(): void {
    this.#timer = this.#runtime.after(TEND, () => {
      this.#look();
      for (const end of [...this.#sources, ...this.#sinks]) end.tend();
      this.#tend();
    });
  }

  /** Each source reads, or waits. */
  #pace(): void {
    for (const source of this.#sources) {
      if (this.#holds > 0 || (source.patient && this.#slow > 0)) source.pause();
      else source.resume();
    }
  }

  #look(): void {
    if (this.#ports.size > 0) this.#hosts = new Set(this.#runtime.interfaces().flatMap(({ addresses }) => addresses));
  }
}

/** Memory for what a bridge of this configuration counts. */
export function bridgeMemory({ from, to }: BridgeConfig): SharedArrayBuffer {
  return endMemory(from.length + to.length);
}

function sourceOf(address: SourceAddress, share: EndShare, owner: SourceOwner): Source {
  switch (address.kind) {
    case "udp":
      return new UdpSource(address, share, owner);
    case "stream":
      return new StreamSource(address, share, owner);
    case "listen":
      return new ListenSource(address, share, owner);
    case "file":
    case "descriptor":
      return new InputSource(address, share, owner);
  }
}

function sinkOf(address: SinkAddress, share: EndShare, owner: SinkOwner): Sink {
  switch (address.kind) {
    case "udp":
      return new UdpSink(address, share, owner);
    case "listen":
      return new ListenSink(address, share, owner);
    case "file":
    case "descriptor":
      return new FileSink(address, share);
  }
}
