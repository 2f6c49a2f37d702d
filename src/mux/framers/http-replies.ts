/** Cuts what a target of HTTP sends into replies (RFC 9112). Heads and trailers are collected, bodies pass as they come. */
import type { ReplyReader, ReplySink } from "../message.ts";
import { Chunks } from "./http-chunks.ts";
import { type HttpContext, outOfStep } from "./http-own.ts";
import { ReplyHead } from "./http-reply-head.ts";
import { Trailers } from "./http-trailers.ts";

const EMPTY = new Uint8Array(0);
/** Bytes that are copied at first to complete what has begun in another chunk. */
const LEAST = 512;
/** Bytes that are copied at most so that they go out with a head that was, and not in a packet of their own. */
const TOGETHER = 16_384;

/** Bytes of a head, and of a trailer section, even where messages are to be shorter: servers send more than clients. */
const HEAD = 65_536;

/** A part of a reply that is collected. */
interface Section {
  end(bytes: Uint8Array, start: number, limit: number): number;
}

export class HttpReplies implements ReplyReader {
  readonly #head: ReplyHead;
  readonly #chunks = new Chunks(outOfStep);
  readonly #trailers: Trailers;
  #in: "nothing" | "head" | "length" | "chunks" | "trailers" | "close" | "over" = "nothing";
  /** Of a body with a length: what is still to come. */
  #left = 0;
  /** The beginning of a section. */
  #kept = EMPTY;
  #used = 0;
  /** A head that had to be copied, and was not given to the sink. */
  #first: Uint8Array | undefined;
  /** Where what passes unchanged, but was not given to the sink, begins in the present chunk. */
  #from = 0;

  /** `max`: bytes of a reply's head, if it is more than {@link HEAD}. */
  constructor(max: number) {
    this.#head = new ReplyHead(Math.max(HEAD, max));
    this.#trailers = new Trailers(outOfStep, Math.max(HEAD, max));
  }

  get waiting(): number {
    return this.#in === "head" ? this.#used : 0;
  }

  read(chunk: Uint8Array, sink: ReplySink): void {
    this.#from = 0;
    let at = 0;
    while (at < chunk.length && this.#in !== "over") at = this.#read(chunk, at, sink);
    this.#give(chunk, at, sink);
  }

  end(sink: ReplySink): void {
    if (this.#in !== "close") return;
    this.#in = "over";
    sink.done(true, true);
  }

  /** Reads on from `at`. Gives where it stopped. */
  #read(chunk: Uint8Array, at: number, sink: ReplySink): number {
    switch (this.#in) {
      case "nothing":
        if (sink.unasked) throw outOfStep("a reply that nobody has asked for");
        this.#in = "head";
        this.#head.begin();
        return at;
      case "head":
        return this.#readHead(chunk, at, sink);
      case "length":
        return this.#readLength(chunk, at, sink);
      case "chunks":
        return this.#readChunks(chunk, at, sink);
      case "trailers":
        return this.#readTrailers(chunk, at, sink);
      default:
        return chunk.length;
    }
  }

  #readHead(chunk: Uint8Array, at: number, sink: ReplySink): number {
    const head = this.#head;
    const end = this.#section(head, chunk, at, sink);
    if (end < 0) return chunk.length;
    const context = sink.context as HttpContext;
    head.decide(context);
    this.#showHead(chunk, at, end, sink);
    if (head.interim) this.#in = "nothing";
    else this.#begin(chunk, end, sink);
    return end;
  }

  #showHead(chunk: Uint8Array, at: number, end: number, sink: ReplySink): void {
    const head = this.#head;
    const context = sink.context as HttpContext;
    const inPlace = this.#used === 0;
    const changes = head.changes(context);
    if (inPlace && !changes) return;
    const bytes = inPlace ? chunk.subarray(at, end) : this.#kept.subarray(0, this.#used);
    this.#give(chunk, at, sink);
    this.#from = end;
    this.#kept = EMPTY;
    this.#used = 0;
    // To HTTP/1.0 there are no interim replies (RFC 9110, 15.2).
    if (!head.interim || !context.version10) this.#first = changes ? head.rewritten(bytes, context) : bytes;
  }

  /** The head was dealt with: what follows from `at` on? */
  #begin(chunk: Uint8Array, at: number, sink: ReplySink): void {
    const { body, head } = this.#head;
    if (body === "none") {
      this.#done(chunk, at, sink);
      return;
    }
    this.#in = body;
    if (body === "length") this.#left = head.length;
    if (body === "chunks") this.#chunks.begin();
  }

  #readLength(chunk: Uint8Array, at: number, sink: ReplySink): number {
    const to = Math.min(chunk.length, at + this.#left);
    this.#left -= to - at;
    if (this.#left === 0) this.#done(chunk, to, sink);
    return to;
  }

  #readChunks(chunk: Uint8Array, at: number, sink: ReplySink): number {
    const chunks = this.#chunks;
    const to = chunks.step(chunk, at, chunk.length);
    if (chunks.passed === "extension" || (this.#head.unpacked && chunks.passed === "frame")) {
      this.#give(chunk, at, sink);
      this.#from = to;
    }
    if (chunks.over) {
      this.#in = "trailers";
      this.#trailers.begin(0);
    }
    return to;
  }

  #readTrailers(chunk: Uint8Array, at: number, sink: ReplySink): number {
    const end = this.#section(this.#trailers, chunk, at, sink);
    if (end < 0) return chunk.length;
    if (this.#head.unpacked) {
      this.#give(chunk, at, sink);
      this.#from = end;
    } else if (this.#used > 0) {
      sink.part(this.#kept.subarray(0, this.#used));
      this.#from = end;
    }
    this.#kept = EMPTY;
    this.#used = 0;
    this.#done(chunk, end, sink);
    return end;
  }

  /** Where the section ends that began at `at`, or in an earlier chunk; -1: not in this one. */
  #section(section: Section, chunk: Uint8Array, from: number, sink: ReplySink): number {
    if (this.#used === 0) {
      const end = section.end(chunk, from, chunk.length);
      if (end >= 0) return end;
      this.#give(chunk, from, sink);
      this.#keep(chunk, from, chunk.length);
    } else {
      for (let at = from; at < chunk.length; ) {
        const before = this.#used;
        const to = Math.min(chunk.length, at + Math.max(LEAST, before));
        this.#keep(chunk, at, to);
        const end = section.end(this.#kept, 0, this.#used);
        if (end >= 0) {
          this.#used = end;
          return at + end - before;
        }
        at = to;
      }
    }
    this.#from = chunk.length;
    return -1;
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    const used = this.#used + to - from;
    if (used > this.#kept.length) {
      const bytes = new Uint8Array(Math.max(LEAST, used * 2));
      bytes.set(this.#kept.subarray(0, this.#used));
      this.#kept = bytes;
    }
    this.#kept.set(chunk.subarray(from, to), this.#used);
    this.#used = used;
  }

  /** Shows what passes unchanged, up to `to`, behind what was copied. */
  #give(chunk: Uint8Array, to: number, sink: ReplySink): void {
    const from = this.#from;
    const first = this.#first;
    const there = from < to;
    if (there) this.#from = to;
    this.#first = undefined;
    if (first && there && to - from <= TOGETHER) sink.part(joined(first, chunk, from, to));
    else {
      if (first) sink.part(first);
      if (there) sink.part(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
    }
  }

  #done(chunk: Uint8Array, to: number, sink: ReplySink): void {
    this.#give(chunk, to, sink);
    const { last, spent } = this.#head;
    this.#in = spent ? "over" : "nothing";
    sink.done(last, spent);
  }
}

function joined(first: Uint8Array, chunk: Uint8Array, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(first.length + to - from);
  bytes.set(first);
  bytes.set(chunk.subarray(from, to), first.length);
  return bytes;
}
