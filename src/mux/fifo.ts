/** A queue that costs no copy of itself for each member that leaves. */

/** Members that have left, and are still in the array. */
const SLACK = 64;

export class Fifo<T> {
  #members: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#members.length - this.#head;
  }

  get first(): T | undefined {
    return this.#members[this.#head];
  }

  push(member: T): void {
    this.#members.push(member);
  }

  shift(): T | undefined {
    const member = this.#members[this.#head];
    if (this.length === 0) return undefined;
    this.#members[this.#head++] = undefined;
    if (this.#head === this.#members.length) {
      this.#members.length = 0;
      this.#head = 0;
    } else if (this.#head >= SLACK && this.#head * 2 >= this.#members.length) {
      this.#members = this.#members.slice(this.#head);
      this.#head = 0;
    }
    return member;
  }

  find(fits: (member: T) => boolean): T | undefined {
    return this.#members.find((member) => member !== undefined && fits(member));
  }

  /** Puts members in front, in their order. */
  unshift(...members: readonly T[]): void {
    this.#members = [...members, ...this.#members.slice(this.#head)];
    this.#head = 0;
  }

  /** Takes all of them out. */
  drain(): readonly T[] {
    const members = this.#members.slice(this.#head) as T[];
    this.#members = [];
    this.#head = 0;
    return members;
  }
}
