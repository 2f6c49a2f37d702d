/** How fast counters grow, and how fast they did: two minutes for each. */

/** Moments that are kept. */
const KEPT = 120;

/** Of one thing, by the second. */
export interface Course {
  /** Milliseconds on the clock of weir. */
  readonly at: number[];
  readonly up: number[];
  readonly down: number[];
}

interface Known {
  readonly course: Course;
  at: number;
  up: number;
  down: number;
  seen: boolean;
}

export class Rates {
  readonly #known = new Map<string, Known>();

  /** `up` and `down` are what was counted until `at`. */
  add(key: string, at: number, up: number, down: number): Course {
    const known = this.#known.get(key);
    if (!known || at <= known.at || up < known.up || down < known.down) {
      // New, or another that begins at zero.
      const course = known && at > known.at ? known.course : { at: [], up: [], down: [] };
      this.#known.set(key, { course, at, up, down, seen: true });
      return course;
    }
    const seconds = (at - known.at) / 1_000;
    push(known.course, at, (up - known.up) / seconds, (down - known.down) / seconds);
    Object.assign(known, { at, up, down, seen: true });
    return known.course;
  }

  /** Forgets what was not added since the last call. */
  sweep(): void {
    for (const [key, known] of this.#known) {
      if (!known.seen) this.#known.delete(key);
      known.seen = false;
    }
  }
}

/** The rates at the end. */
export function latest({ up, down }: Course): { readonly up: number; readonly down: number } {
  return { up: up.at(-1) ?? 0, down: down.at(-1) ?? 0 };
}

export function push({ at, up, down }: Course, time: number, one: number, other: number): void {
  at.push(time);
  up.push(one);
  down.push(other);
  if (at.length > KEPT) for (const list of [at, up, down]) list.shift();
}
