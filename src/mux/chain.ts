/** A list whose members know their neighbours: whoever leaves it, from wherever, does so at once. */

export interface Link<T> {
  /** The list it is in. */
  chain: Leavable<T> | undefined;
  before: T | undefined;
  after: T | undefined;
}

interface Leavable<T> {
  remove(member: T): void;
}

export class Chain<T extends Link<T>> implements Leavable<T> {
  first: T | undefined;
  last: T | undefined;

  /** Appends a member, which leaves the list it is in. */
  push(member: T): void {
    member.chain?.remove(member);
    member.chain = this;
    member.before = this.last;
    if (this.last) this.last.after = member;
    else this.first = member;
    this.last = member;
  }

  /** Puts a member behind the last one of which `before` is true; it leaves the list it is in. */
  place(member: T, before: (other: T) => boolean): void {
    member.chain?.remove(member);
    let other = this.last;
    while (other && !before(other)) other = other.before;
    if (other === this.last) {
      this.push(member);
      return;
    }
    const next = other ? other.after : this.first;
    member.chain = this;
    member.before = other;
    member.after = next;
    if (next) next.before = member;
    if (other) other.after = member;
    else this.first = member;
  }

  /** Does nothing to one that is not in it. */
  remove(member: T): void {
    if (member.chain !== this) return;
    if (member.before) member.before.after = member.after;
    else this.first = member.after;
    if (member.after) member.after.before = member.before;
    else this.last = member.before;
    member.chain = undefined;
    member.before = undefined;
    member.after = undefined;
  }
}
