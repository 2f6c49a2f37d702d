/**
 * Reads numbers and vectors (RFC 8446 section 3) from bytes that anybody may have sent. What would lie behind the end
 * is empty or 0, and `fault.why` says what it was: whoever has read all looks there, once.
 */
export class Cursor {
  readonly fault: { why: string | undefined };
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length, fault: Cursor["fault"] = { why: undefined }) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.fault = fault;
  }

  /** Bytes left; 0 as soon as something is wrong, so that every loop ends. */
  get left(): number {
    return this.fault.why === undefined ? this.#end - this.#at : 0;
  }

  /** A number of `width` bytes; `what`: for the fault. */
  number(width: 1 | 2 | 3, what: string): number {
    const at = this.#take(width, what);
    if (at < 0) return 0;
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + (this.#bytes[at + i] as number);
    return value;
  }

  skip(length: number, what: string): void {
    this.#take(length, what);
  }

  /** What comes behind its own length in `width` bytes; fewer than `least` bytes are a fault. */
  vector(width: 1 | 2 | 3, what: string, least = 0): Cursor {
    const length = this.number(width, what);
    if (length < least) this.wrong(`${what} has ${length} bytes, and needs ${least}`);
    const at = this.#take(length, what);
    return at < 0 ? new Cursor(this.#bytes, 0, 0, this.fault) : new Cursor(this.#bytes, at, at + length, this.fault);
  }

  /** Nothing may be left. */
  done(what: string): void {
    if (this.left > 0) this.wrong(`${this.left} bytes follow ${what}`);
  }

  /** The rest, one character for each byte. */
  text(): string {
    let text = "";
    for (let at = this.#at; at < this.#end; at++) text += String.fromCharCode(this.#bytes[at] as number);
    this.#at = this.#end;
    return text;
  }

  /** The first fault counts. */
  wrong(why: string): void {
    this.fault.why ??= why;
  }

  #take(length: number, what: string): number {
    if (this.fault.why !== undefined) return -1;
    if (this.#end - this.#at < length) {
      this.wrong(`${what} runs past the end`);
      return -1;
    }
    this.#at += length;
    return this.#at - length;
  }
}
