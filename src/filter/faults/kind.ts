/** What a kind of fault is: its words for people, what can be set, and the step that it puts into a session. */
import type { Step, StepContext } from "../step.ts";

/** As Toxiproxy counts: 1 KB/s are 1000 bytes in a second. */
export type Unit = "ms" | "us" | "bytes" | "KB/s";

/** A number that can be set. Of these units all but KB/s have whole numbers alone. */
export interface Attribute {
  readonly unit: Unit;
  readonly about: string;
  /** Where nobody has written one; undefined: it has to be written. */
  readonly default: number | undefined;
  readonly least: number;
  readonly most: number;
}

/** `N`: the names of its attributes. */
export interface FaultKind<N extends string = string> {
  /** One line. */
  readonly about: string;
  readonly attributes: Readonly<Record<N, Attribute>>;
  /** The fault begins now. What ends a session does so later than this returns. */
  create(attributes: Readonly<Record<N, number>>, context: StepContext): Step;
}
