/** Ends of a bridge: what all kinds of sources and destinations have in common. */
import type { Chunk, Runtime } from "../../net/runtime.ts";
import type { BridgeConfig } from "./bridge-config.ts";
import type { BridgeEvent } from "./bridge-events.ts";
import type { EndCounters } from "./end-counters.ts";

/** What an end is given by its bridge. */
export interface EndShare {
  readonly runtime: Runtime;
  readonly config: BridgeConfig;
  readonly counters: EndCounters;
  /** From 0 up to 1. */
  readonly random: () => number;
  tell(event: BridgeEvent): void;
}

export interface Source {
  /** It waits without a loss when it is not read, as a file and a connection do. */
  readonly patient: boolean;
  /** Where it really is: the port that was free has become a number. */
  readonly address: string;
  /** Rejects with a `SocketError` or `FileError` that names the address. */
  open(): Promise<void>;
  /** Stops reading, until `resume`. */
  pause(): void;
  resume(): void;
  /** Looks after itself, and counts what the kernel has counted; about once a second. */
  tend(): void;
  /** Nothing comes any more. */
  close(): Promise<void>;
}

/** Whom sources tell. */
export interface SourceOwner {
  /** `chunk`: on loan. */
  datagram(chunk: Chunk): void;
  /** There will be no more, as a file has an end. */
  ended(): void;
  /** Whether a datagram from here is one that this bridge has sent. */
  sentFrom(host: string, port: number): boolean;
}

export interface Sink {
  readonly address: string;
  open(): Promise<void>;
  /** `chunk`: on loan. What cannot be taken is counted. */
  send(chunk: Chunk): void;
  tend(): void;
  /** What was taken goes out, and then it is over. */
  finish(): Promise<void>;
  /** It is over now. */
  cut(): void;
  /** Local UDP ports that it sends from. */
  readonly ports: readonly number[];
}

/** Whom destinations tell. */
export interface SinkOwner {
  /** Sources are to wait for it, as often as this is called. */
  hold(): void;
  /** And no longer. */
  release(): void;
  /** Those sources that lose nothing by it are to wait, as the kernel takes no more: files and connections. */
  slow(): void;
  /** And no longer. */
  swift(): void;
}
