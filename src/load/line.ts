/** What a client asks over: a stream, or datagrams. It knows how requests travel, and nothing of when. */
import type { ConnectOptions, Runtime } from "../net/runtime.ts";
import type { Pattern } from "./pattern.ts";
import type { Trouble } from "./sample.ts";
import type { Scenario } from "./scenario.ts";

export interface Line {
  /** Sends a request, over a new connection if there is none; `replied` or `failed` follows once, unless it is dropped before. */
  ask(request: number): void;
  /** Nothing of what was asked is waited for any more, and the next request gets a new connection. */
  drop(): void;
  /** Ends it in good order; nothing is under way. */
  close(): void;
  /** What has become known in the meantime of who cannot be reached, as a code. */
  trouble?(): string | undefined;
}

export interface LineEvents {
  /** The request leaves now; connecting came before. */
  sent(): void;
  /** The reply is whole, and right. */
  replied(): void;
  failed(code: Trouble | string): void;
  /** Connections there are: one more, or one less. */
  connected(change: 1 | -1): void;
}

/** What the lines of one thread have in common. */
export interface LineSetup {
  readonly runtime: Runtime;
  readonly scenario: Scenario;
  readonly pattern: Pattern;
  readonly options: ConnectOptions;
}
