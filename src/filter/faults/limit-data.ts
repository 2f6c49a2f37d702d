/** A side that closes the connection in the middle. */
import type { Chunk } from "../../net/runtime.ts";
import { Step, type StepContext } from "../step.ts";
import type { FaultKind } from "./kind.ts";

type Attributes = Readonly<Record<"bytes", number>>;

export const LIMIT_DATA: FaultKind<Attributes> = {
  about: "Closes the connection after so many bytes; with 0 as soon as one comes.",
  attributes: {
    bytes: {
      unit: "bytes",
      default: undefined,
      least: 0,
      most: Number.MAX_SAFE_INTEGER,
      about: "What passes before.",
    },
  },
  create: (attributes, context) => new LimitData(attributes, context),
};

class LimitData extends Step {
  readonly #context: StepContext;
  readonly #limit: number;
  #left: number;
  #closed = false;

  constructor({ bytes }: Attributes, context: StepContext) {
    super();
    this.#context = context;
    this.#limit = bytes;
    this.#left = bytes;
  }

  override write(chunk: Chunk): boolean {
    if (this.#closed) return true;
    const going = chunk.subarray(0, this.#left);
    this.#left -= going.length;
    const room = going.length === 0 || this.next.write(going);
    if (this.#left > 0) return room;
    this.#closed = true;
    this.#context.close("fault", `closed after ${this.#limit} bytes`);
    return true;
  }

  override end(): void {
    if (!this.#closed) this.next.end();
  }
}
