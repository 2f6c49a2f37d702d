/** What a kind of fault is: its words for people, what can be set, and the step that it puts into a session. */
import type { MuxConfig } from "../../mux/mux-config.ts";
import type { Chunk, Runtime } from "../../net/runtime.ts";
import type { Step, StepContext } from "../step.ts";

/** As Toxiproxy counts: 1 KB/s are 1000 bytes in a second. */
export type Unit = "ms" | "us" | "bytes" | "KB/s" | "messages" | "share";

/** A number that can be set. Of these units all but KB/s and share have whole numbers alone. */
export interface NumberAttribute {
  readonly unit: Unit;
  readonly about: string;
  /** Where nobody has written one; undefined: it has to be written. */
  readonly default: number | undefined;
  readonly least: number;
  readonly most: number;
}

/** Of what happens to datagrams by chance, to each for itself. */
export const PROBABILITY: NumberAttribute = {
  unit: "share",
  default: undefined,
  least: 0,
  most: 1,
  about: "How probable it is, from 0 to 1.",
};

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

/** What people are told of a fault. `A`: its attributes, once they are read. */
export interface FaultWords<A extends AttributeValues = AttributeValues> {
  /** One line. */
  readonly about: string;
  readonly attributes: { readonly [N in keyof A]: AttributeOf<A[N]> };
}

/** A fault of the datagrams of one direction of a UDP session. */
export interface DatagramFaultKind<A extends AttributeValues = AttributeValues> extends FaultWords<A> {
  /** The fault begins now. */
  join(attributes: A, context: DatagramContext): DatagramStep;
}

/** What a fault of datagrams may use and do. */
export interface DatagramContext {
  /** The only clock there is. */
  readonly runtime: Pick<Runtime, "now" | "after">;
  /** As in {@link StepContext}. */
  readonly random: () => number;
  /** Goes on: on loan until it returns. */
  next(chunk: Chunk): void;
  /** One that does not go on is counted. */
  lost(): void;
}

/** What is done with the datagrams of one direction of a session. */
export interface DatagramStep {
  /** The next one, on loan until it returns. */
  pass(chunk: Chunk): void;
  /** It is taken away: what it holds goes on now. */
  release(): void;
  /** The session is over: no timer of it may be left, and what it holds is lost. */
  stop(): void;
}

/** A fault of the bytes of a stream. */
export interface FaultKind<A extends AttributeValues = AttributeValues> extends FaultWords<A> {
  /** The fault begins now. What ends a session does so later than this returns. */
  create(attributes: A, context: FaultContext): Step;
}
