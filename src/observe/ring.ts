/**
 * Bytes that wait for an observer, in one array that grows up to a limit and is given up when nothing waits, so that
 * sessions whose observers keep up cost nothing.
 *
 * A ring of records keeps what was added together together, behind eight bytes that say how much that is. A ring of
 * a stream is bytes alone.
 *
 *     ┌─────────┬─────────┬──────────┬──────────┬─ …
 *     │ head, 4 │ body, 4 │ the head │ the body │
 *     └─────────┴─────────┴──────────┴──────────┴─ …
 */
const NONE = new Uint8Array(0);

/** Bytes before a record. */
const PREFIX = 8;
/** The smallest array. */
const LEAST = 4_096;
/** Bytes of a stream that are taken out at once, at most. */
const PIECE = 65_536;
/** Bytes of an array that can be kept. */
const KEPT = 16_384;

export class Ring {
  readonly #limit: number;
  readonly #records: boolean;
  #bytes: Uint8Array = NONE;
  #start = 0;
  #used = 0;
  #payload = 0;
  #keeps = false;

  /** `limit`: bytes, prefixes included. `records`: it keeps records, not a stream. */
  constructor(limit: number, records: boolean) {
    this.#limit = limit;
    this.#records = records;
  }

  /** Bytes of memory it takes. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Bytes that wait. */
  get used(): number {
    return this.#used;
  }

  /** Bytes of bodies among them. */
  get payload(): number {
    return this.#payload;
  }

  get full(): boolean {
    return this.#used >= this.#limit;
  }

  /** There is room for so many bytes that are added at once. */
  fits(length: number): boolean {
    return this.#used + this.#room(length) <= this.#limit;
  }

  /** Takes a copy of both, beyond the limit as well: whoever wants to keep to it asks before. A stream has no heads. */
  add(head: Uint8Array, body: Uint8Array): void {
    this.#grow(this.#used + this.#room(head.length + body.length));
    if (this.#records) {
      this.#number(head.length);
      this.#number(body.length);
      this.#append(head);
    }
    this.#append(body);
    this.#payload += body.length;
  }

  /** The first record, head and body, or the first bytes of the stream: valid until the next call of a method. */
  next(): Uint8Array | undefined {
    if (this.#used === 0) return undefined;
    if (!this.#records) return this.#view(0, Math.min(this.#used, PIECE, this.#bytes.length - this.#start));
    return this.#view(PREFIX, this.#read(0) + this.#read(4));
  }

  /** Removes what {@link next} has shown: how many bytes of body that was. */
  shift(): number {
    const stream = Math.min(this.#used, PIECE, this.#bytes.length - this.#start);
    const payload = this.#records ? this.#read(4) : stream;
    this.#drop(this.#records ? PREFIX + this.#read(0) + payload : stream);
    this.#payload -= payload;
    return payload;
  }

  /** Whether a small array is kept when nothing waits, for what comes soon. */
  keep(keeps: boolean): void {
    this.#keeps = keeps;
    if (!keeps && this.#used === 0) this.#bytes = NONE;
  }

  /** Forgets everything: how many bytes of bodies that was. */
  clear(): number {
    const payload = this.#payload;
    this.#drop(this.#used);
    this.#payload = 0;
    return payload;
  }

  #room(length: number): number {
    return this.#records ? PREFIX + length : length;
  }

  /** Makes the array hold `needed` bytes at least. */
  #grow(needed: number): void {
    const capacity = this.#bytes.length;
    if (needed <= capacity) return;
    const bytes = new Uint8Array(Math.max(needed, Math.min(this.#limit, Math.max(LEAST, capacity * 2))));
    const tail = this.#bytes.subarray(this.#start, this.#start + this.#used);
    bytes.set(tail);
    bytes.set(this.#bytes.subarray(0, this.#used - tail.length), tail.length);
    this.#bytes = bytes;
    this.#start = 0;
  }

  #append(bytes: Uint8Array): void {
    const at = (this.#start + this.#used) % this.#bytes.length;
    const tail = bytes.subarray(0, this.#bytes.length - at);
    this.#bytes.set(tail, at);
    this.#bytes.set(bytes.subarray(tail.length), 0);
    this.#used += bytes.length;
  }

  /** Bytes from `offset` on, in one piece: a copy where they go around the end. */
  #view(offset: number, length: number): Uint8Array {
    const at = (this.#start + offset) % this.#bytes.length;
    const tail = this.#bytes.subarray(at, at + length);
    if (tail.length === length) return tail;
    const whole = new Uint8Array(length);
    whole.set(tail);
    whole.set(this.#bytes.subarray(0, length - tail.length), tail.length);
    return whole;
  }

  #drop(count: number): void {
    this.#used -= count;
    if (this.#used > 0) {
      this.#start = (this.#start + count) % this.#bytes.length;
      return;
    }
    if (!this.#keeps || this.#bytes.length > KEPT) this.#bytes = NONE;
    this.#start = 0;
  }

  /** Appends a whole number of 32 bits. */
  #number(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) {
      this.#bytes[(this.#start + this.#used++) % this.#bytes.length] = value >>> shift;
    }
  }

  #read(offset: number): number {
    let value = 0;
    for (let at = this.#start + offset; at < this.#start + offset + 4; at++) {
      value = value * 256 + (this.#bytes[at % this.#bytes.length] as number);
    }
    return value;
  }
}
