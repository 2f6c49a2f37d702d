/** The one source of chance in a simulation: the same seed makes the same choices, on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;
  readonly #seed: number;

  /** `seed`: any integer. The generator is sfc32 by Chris Doty-Humphrey. */
  constructor(seed: number) {
    this.#seed = seed;
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    for (let n = 0; n < 12; n++) this.next();
  }

  /** Another one that depends on the seed and `name` alone: what it is asked does not change what this one says. */
  fork(name: string): Random {
    let hash = this.#seed % 2 ** 32;
    for (const letter of name) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
    return new Random(hash + Math.floor(this.#seed / 2 ** 32) * 2 ** 32);
  }

  /** 32 random bits. */
  next(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** At least 0, less than 1. */
  fraction(): number {
    return this.next() / 2 ** 32;
  }

  /** An integer of at least `least` and at most `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** The same, but each order of magnitude is as likely as the next: most sizes are small, some are not. */
  size(least: number, most: number): number {
    const low = Math.log(least + 1);
    return Math.floor(Math.exp(low + this.fraction() * (Math.log(most + 2) - low))) - 1;
  }

  /** Between 1 and `most`; as often as not it is all of it. */
  part(most: number): number {
    return this.chance(0.5) ? most : this.size(1, most);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.fraction() * choices.length)] as T;
  }
}
