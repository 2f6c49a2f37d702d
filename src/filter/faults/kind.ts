/** What a kind of fault is: its words for people, what can be set, and the step that it puts into a session. */
import type { MuxConfig } from "../../mux/mux-config.ts";
import type { Step, StepContext } from "../step.ts";

/** As Toxiproxy counts: 1 KB/s are 1000 bytes in a second. */
export type Unit = "ms" | "us" | "bytes" | "KB/s" | "messages";

/** A number that can be set. Of these units all but KB/s have whole numbers alone. */
export interface NumberAttribute {
  readonly unit: Unit;
  readonly about: string;
  /** Where nobody has written one; undefined: it has to be written. */
  readonly default: number | undefined;
  readonly least: number;
  readonly most: number;
}

/** A text that can be set. */
export interface TextAttribute {
  readonly unit: "text";
  readonly about: string;
  /** Where nobody has written one. */
  readonly default: string;
  /** As people write it, in quotes. */
  readonly example: string;
  /** What is kept of what was written; of that, the same. @throws {UsageError} */
  parse(text: string): string;
}

export type Attribute = NumberAttribute | TextAttribute;

export type AttributeValues = Readonly<Record<string, number | string>>;

type AttributeOf<V> = V extends number ? NumberAttribute : TextAttribute;

/** What a fault may use and do. */
export interface FaultContext extends StepContext {
  /** How clients share connections, where they do. */
  readonly mux: MuxConfig | null;
}

/** `A`: its attributes, once they are read. */
export interface FaultKind<A extends AttributeValues = AttributeValues> {
  /** One line. */
  readonly about: string;
  readonly attributes: { readonly [N in keyof A]: AttributeOf<A[N]> };
  /** The fault begins now. What ends a session does so later than this returns. */
  create(attributes: A, context: FaultContext): Step;
}
