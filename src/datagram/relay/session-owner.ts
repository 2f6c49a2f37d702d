/** A UDP proxy as its sessions see it. */
import type { Target } from "../../balance/target.ts";
import type { Counters } from "../../metrics/counters.ts";
import type { Chunk, Endpoint, Runtime } from "../../net/runtime.ts";
import type { Role } from "../../proxy/side.ts";
import type { UdpSession } from "./session.ts";
import type { Treatment } from "./session-faults.ts";

/** What a session needs from the proxy it belongs to. */
export interface SessionOwner {
  readonly runtime: Runtime;
  /** Of the proxy, for what concerns no target. */
  readonly front: Counters;
  /** Where it listens. */
  readonly local: Endpoint;
  /** Goes to a client from the listening socket; false: there is none any more. */
  reply(chunk: Chunk, client: Endpoint): boolean;
  /** Another target, in place of those; undefined: there is none. */
  another(session: UdpSession, tried: readonly Target[]): Target | undefined;
  readonly treatment: Treatment;
  readonly read: ((session: UdpSession, from: Role, bytes: number) => void) | undefined;
  ended(session: UdpSession): void;
  /** Its socket is closed, if it had one. */
  released(): void;
}
