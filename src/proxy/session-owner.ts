/** What a session needs from the proxy it belongs to. */
import type { Pool } from "../balance/pool.ts";
import type { Target } from "../balance/target.ts";
import type { FaultConfig } from "../filter/faults/fault.ts";
import type { Counters } from "../metrics/counters.ts";
import type { Connecting, Runtime } from "../net/runtime.ts";
import type { Session } from "./session.ts";
import type { Role } from "./side.ts";
import type { SessionSteps } from "./steps.ts";

export interface SessionOwner {
  readonly runtime: Runtime;
  readonly pool: Pool;
  /** Of the proxy, for what concerns no target. */
  readonly front: Counters;
  /** Once: it is known who the client is. Unless it is over already, it is refused, waits or dials next. */
  arrived(session: Session): void;
  /** What it has said is known: it is refused, waits or dials next. */
  greeted(session: Session): void;
  /** It has waited for long enough. */
  outwaited(session: Session): void;
  /** What is done with the bytes of a session that is about to begin; undefined: nothing, they are passed on. */
  steps(session: Session): SessionSteps | undefined;
  /** For a session that has begun without any: faults alone may still come. */
  lateSteps(session: Session): SessionSteps;
  /** The faults of this moment. */
  readonly faults: readonly FaultConfig[];
  /** A connection to a target, or what stands for one. */
  connect(target: Target, session: Session): Connecting;
  /** There may be room on a target. */
  freed(): void;
  sessionEnded(session: Session): void;
  readonly read: ((session: Session, from: Role, bytes: number) => void) | undefined;
}
