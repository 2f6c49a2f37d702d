/**
 * Faults of whole messages: what they have in common. Bytes are cut into messages, and what belongs to none that is meant
 * goes on as it came, in one write for each that came in.
 */
import type { Framer } from "../../mux/collector.ts";
import { FRAMERS } from "../../mux/framings.ts";
import { BadMessage, type Framing } from "../../mux/message.ts";
import { MUX, type MuxConfig, PROTOCOL_NAMES, type ProtocolName } from "../../mux/mux-config.ts";
import type { Chunk } from "../../net/runtime.ts";
import { Holder, type Parcel, type Turn } from "../holder.ts";
import { Output } from "../scan.ts";
import type { FaultContext } from "./kind.ts";
import { type MessageAttributes, WhichMessage } from "./which-message.ts";

/** The protocol of messages, and how they are cut; undefined: nobody has said. */
export function framingOf(
  { protocol, delimiter }: Pick<MessageAttributes, "protocol" | "delimiter">,
  mux: MuxConfig | null,
): { readonly protocol: ProtocolName; readonly framing: Framing } | undefined {
  const name = protocol === "mux" ? mux?.protocol : PROTOCOL_NAMES.find((each) => each === protocol);
  const own = mux?.protocol === name ? mux : null;
  // Where the length is only a mux says.
  if (!name || (name === "length" && !own)) return undefined;
  const framing = own ?? MUX;
  return { protocol: name, framing: delimiter === "" ? framing : { ...framing, delimiter } };
}

const NOTHING = new Uint8Array(0);
/** Bytes that a message gets at first which is not complete. */
const LEAST = 512;

/**
 * Once something is no message, or larger than one may be, it all passes as it comes: nobody knows where the next one
 * begins. The same goes for the FIN, and for the end of the fault: what is not complete by then passes as it is. Holds
 * what has come of a message, whatever its size, and besides what the next one does not take.
 */
export abstract class Messages extends Holder {
  readonly #which: WhichMessage;
  readonly #max: number;
  /** Undefined: everything passes. */
  #framer: Framer | undefined;
  readonly #out = new Output();
  /** The beginning of a message, and how much of it there is. */
  #kept = NOTHING;
  #begun = 0;

  constructor(attributes: MessageAttributes, context: FaultContext) {
    super(context);
    const { protocol, framing = MUX } = framingOf(attributes, context.mux) ?? {};
    this.#framer = protocol && FRAMERS[protocol][context.direction]?.(framing);
    this.#max = framing.maxMessage;
    this.#which = new WhichMessage(attributes);
  }

  /** A message that is meant; what of it is to go on is given to {@link pass}. On loan until {@link write} returns. */
  protected abstract hit(message: Chunk): void;

  /** Goes on, behind what has passed before. */
  protected pass(bytes: Chunk): void {
    this.#out.add(bytes);
  }

  protected override turn(_first: Parcel, _now: number): Turn {
    return { take: Number.POSITIVE_INFINITY };
  }

  override get held(): number {
    return super.held + this.#begun;
  }

  override write(chunk: Chunk): boolean {
    if (!this.#framer) return super.write(chunk);
    const bytes = this.#begun > 0 ? this.#keep(chunk) : chunk;
    const at = this.#cut(bytes, this.#framer);
    if (!this.#framer) this.#forget();
    else if (at > 0) this.#begin(bytes.subarray(at));
    else if (bytes === chunk) this.#begin(chunk);
    this.#send();
    return !this.full;
  }

  override end(): void {
    this.#giveUp();
    super.end();
  }

  override release(done: () => void): void {
    this.#giveUp();
    super.release(done);
  }

  /** Takes whole messages out of the beginning of `bytes`. Gives where the rest begins that is no whole one. */
  #cut(bytes: Chunk, framer: Framer): number {
    let at = 0;
    try {
      while (at < bytes.length) {
        const end = framer.end(bytes, at, bytes.length);
        const size = end < 0 ? Math.max(framer.size, bytes.length - at) : end - at;
        if (size > this.#max) throw new BadMessage(`a message of more than ${this.#max} bytes`);
        if (end < 0) break;
        const message = bytes.subarray(at, end);
        if (this.#which.takes(message)) this.hit(message);
        else this.pass(message);
        at = end;
      }
    } catch (thrown) {
      if (!(thrown instanceof BadMessage)) throw thrown;
      this.#framer = undefined;
      this.pass(bytes.subarray(at));
    }
    return at;
  }

  /** What is not complete is all there is, and whatever follows passes. */
  #giveUp(): void {
    this.#framer = undefined;
    const rest = this.#kept.subarray(0, this.#begun);
    this.#forget();
    super.write(rest);
  }

  #send(): void {
    this.#out.send({ write: (bytes) => super.write(bytes) });
  }

  /** `rest` is on loan. */
  #begin(rest: Chunk): void {
    this.#kept = rest.length > 0 ? new Uint8Array(rest) : NOTHING;
    this.#begun = rest.length;
  }

  #forget(): void {
    this.#kept = NOTHING;
    this.#begun = 0;
  }

  /** The message that has begun, with more of it. */
  #keep(chunk: Chunk): Uint8Array {
    const size = this.#begun + chunk.length;
    if (size > this.#kept.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#kept.length, LEAST));
      larger.set(this.#kept.subarray(0, this.#begun));
      this.#kept = larger;
    }
    this.#kept.set(chunk, this.#begun);
    this.#begun = size;
    return this.#kept.subarray(0, size);
  }
}
