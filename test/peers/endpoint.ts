/**
 * A peer of weir that follows a script: it sends a stream that tells who sent it, checks what it receives byte by
 * byte, stalls, ends well or badly, and remembers what it saw. It knows the seam alone, so it plays on real sockets too.
 */
import { formatAddress } from "../../src/net/address.ts";
import type { Chunk, Runtime, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { NOISE } from "./noise.ts";

/** Sizes in bytes, times in milliseconds. */
export interface Script {
  /** Who it is; at least 1, at most 2^32 - 1. */
  readonly id: number;
  /** Bytes to send; with `echoes`, as many as it receives. */
  readonly send: number;
  readonly echoes: boolean;
  readonly starts: "at once" | "after the first byte" | "after the end";
  /** Of one write. */
  readonly write: number;
  /** Between two writes. */
  readonly pace: number;
  /** What follows the last byte. */
  readonly finish: "end" | "end after the peer" | "reset" | "close" | "nothing";
  /** After so many received bytes it stops reading for a while. */
  readonly stallEvery: number;
  readonly stallFor: number;
  /** After so many it never reads again. */
  readonly readsUpTo: number;
  /** What happens to it on the way, and when. */
  readonly accident: "none" | "reset" | "close" | "sever";
  readonly accidentAt: number;
  /** What it says before who it is, at once and whatever else it waits for. */
  readonly lead?: Uint8Array | undefined;
  /** How many bytes its peer says before that, as soon as they are there; undefined: not yet. */
  readonly skips?: ((bytes: Uint8Array) => number | undefined) | undefined;
  /** It gets no peer, and what it hears is weir's own. */
  readonly refused?: boolean | undefined;
}

/** What the seam does not have, because weir never does it. */
export interface Mischief {
  /** close(2) on both directions at once. */
  close(socket: StreamSocket): void;
  /** From now on the network swallows everything. */
  sever(socket: StreamSocket): void;
}

/** Whose bytes they are: first in every stream. */
const HEADER = 4;

export class Endpoint implements StreamEvents {
  readonly script: Script;
  readonly socket: StreamSocket;
  /** As its peer's peer sees it. */
  address: string;
  /** Taken by the socket. */
  sent = 0;
  received = 0;
  /** Its own FIN. */
  finished = false;
  /** The peer's FIN. */
  ended = false;
  closed = false;
  error: string | undefined;
  /** It ended the connection itself, not in the orderly way. */
  broke: "reset" | "close" | "sever" | undefined;
  /** It has stopped reading for good. */
  deaf = false;
  stalled = false;
  /** The id in the stream it receives; 0 before the header is complete. */
  peer = 0;
  /** What was wrong with what it saw. */
  readonly complaints: string[] = [];
  readonly #runtime: Runtime;
  readonly #mischief: Mischief;
  readonly #onChange: () => void;
  /** What the peer has said before who it is: as far as that is not known to be whole, and then how much it was. */
  #head: Uint8Array = new Uint8Array(0);
  #skipped: number | undefined;
  #stalledAt = 0;
  #blocked = false;
  #pacing = false;

  constructor(runtime: Runtime, socket: StreamSocket, script: Script, mischief: Mischief, onChange: () => void) {
    this.#runtime = runtime;
    this.socket = socket;
    this.address = formatAddress(socket.local);
    this.script = script;
    this.#mischief = mischief;
    this.#onChange = onChange;
    socket.on(this);
    socket.resume();
    if (script.starts === "at once" || script.lead) this.#send();
    if (script.accident !== "none") runtime.after(script.accidentAt, () => this.#breakOff(script.accident));
  }

  /** It knows who its peer is. */
  get introduced(): boolean {
    return this.#skipped !== undefined && this.received - this.#skipped >= HEADER;
  }

  /** Leaves, whatever it is doing. */
  leave(): void {
    if (!this.closed) this.#breakOff("reset");
  }

  data(chunk: Chunk): void {
    if (this.ended || this.closed) this.#complain("data after the end");
    if (this.script.refused) return;
    this.#check(chunk);
    this.received += chunk.length;
    const { starts, echoes, readsUpTo, stallEvery } = this.script;
    if (echoes || starts === "after the first byte") this.#send();
    if (this.received >= readsUpTo) {
      this.deaf = true;
      this.socket.pause();
      this.#onChange();
    } else if (this.received - this.#stalledAt >= stallEvery) this.#stall();
  }

  drain(): void {
    this.#blocked = false;
    this.#send();
  }

  end(): void {
    if (this.ended) this.#complain("a second end");
    this.ended = true;
    this.#send();
  }

  close(error?: { readonly code: string }): void {
    if (this.closed) this.#complain("a second close");
    this.closed = true;
    this.error = error?.code;
    this.#onChange();
  }

  /** How many bytes it has to send by now. */
  get #due(): number {
    const { send, echoes, starts } = this.script;
    const lead = this.#lead.length;
    if (starts === "after the end" && !this.ended) return lead;
    if (starts === "after the first byte" && this.received === 0) return lead;
    return lead + (echoes ? Math.max(this.received, this.ended ? HEADER : 0) : send);
  }

  #send(): void {
    while (!this.#blocked && !this.#pacing && !this.#over && this.sent < this.#due) {
      const count = Math.min(this.script.write, this.#due - this.sent);
      const chunk = this.#next(count);
      this.#blocked = !this.socket.write(chunk);
      this.sent += count;
      this.#pause();
    }
    if (!this.#over && !this.#pacing && this.#isDone) this.#finish();
  }

  get #lead(): Uint8Array {
    return this.script.lead ?? NOTHING;
  }

  #next(count: number): Uint8Array {
    const before = this.#lead.subarray(this.sent, this.sent + count);
    const own = stream(this.script.id, Math.max(0, this.sent - this.#lead.length), count - before.length);
    return before.length === 0 ? own : joined(before, own);
  }

  /** Everything is sent that will ever be. */
  get #isDone(): boolean {
    const { echoes, starts, finish } = this.script;
    if ((echoes || starts === "after the end" || finish === "end after the peer") && !this.ended) return false;
    if (starts === "after the first byte" && this.received === 0 && !this.ended) return false;
    return this.sent >= this.#due;
  }

  get #over(): boolean {
    return this.finished || this.closed || this.broke !== undefined;
  }

  #pause(): void {
    const { pace } = this.script;
    if (pace === 0) return;
    this.#pacing = true;
    this.#runtime.after(pace, () => {
      this.#pacing = false;
      this.#send();
    });
  }

  #finish(): void {
    const { finish } = this.script;
    if (finish === "nothing") return;
    if (finish === "reset" || finish === "close") this.#breakOff(finish);
    else {
      this.finished = true;
      this.socket.end();
    }
  }

  #breakOff(how: Script["accident"]): void {
    if (this.closed || this.broke || how === "none") return;
    this.broke = how;
    if (how === "reset") this.socket.abort();
    else this.#mischief[how](this.socket);
    // What its own process has not given to the kernel was never sent.
    if (how === "close") this.sent -= this.socket.buffered;
  }

  #stall(): void {
    this.#stalledAt = this.received;
    this.stalled = true;
    this.socket.pause();
    this.#runtime.after(this.script.stallFor, () => {
      this.stalled = false;
      if (!this.closed) this.socket.resume();
    });
  }

  #check(chunk: Chunk): void {
    if (this.#skipped !== undefined) {
      this.#compare(chunk, this.received - this.#skipped);
      return;
    }
    this.#head = joined(this.#head, chunk);
    this.#skipped = this.script.skips ? this.script.skips(this.#head) : 0;
    if (this.#skipped !== undefined) this.#compare(this.#head.subarray(this.#skipped), 0);
  }

  /** Bytes from `offset` on of what the peer sends, which tells who it is. */
  #compare(chunk: Chunk, offset: number): void {
    let at = 0;
    for (; offset + at < HEADER && at < chunk.length; at++) {
      this.peer += (chunk[at] as number) * 256 ** (offset + at);
    }
    if (offset + at < HEADER) return;
    const expected = stream(this.peer, offset + at, chunk.length - at);
    for (let i = at; i < chunk.length; i++) {
      if (chunk[i] === expected[i - at]) continue;
      this.#complain(`a wrong byte at ${offset + i}`);
      return;
    }
  }

  #complain(what: string): void {
    this.complaints.push(`endpoint ${this.script.id}: ${what}`);
  }
}

const NOTHING = new Uint8Array(0);

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** `count` bytes of the stream of `id` from `offset` on. */
function stream(id: number, offset: number, count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let at = 0; at < count; ) {
    if (offset + at < HEADER) {
      out[at] = Math.floor(id / 256 ** (offset + at)) & 255;
      at++;
      continue;
    }
    const from = (offset + at + id * 7_919) % NOISE.length;
    const part = NOISE.subarray(from, from + count - at);
    out.set(part, at);
    at += part.length;
  }
  return out;
}
