/** How far both directions of a session have come, and what the lines of frames say about that to one observer. */
import { DIRECTIONS, type Direction } from "../filter/step.ts";
import type { Reason } from "../metrics/reason.ts";
import type { FrameWriter } from "./framed.ts";
import { OBSERVER_CELL, type ObserverCounters } from "./observer-counters.ts";

interface Course {
  /** Bytes so far, those that were lost included. */
  offset: number;
  /** How many of the last of them were lost, and the observer has not been told. */
  gap: number;
}

const NOTHING = new Uint8Array(0);

export class Courses {
  readonly #frames: FrameWriter | undefined;
  readonly #counters: ObserverCounters;
  readonly #courses: Readonly<Record<Direction, Course>> = {
    upstream: { offset: 0, gap: 0 },
    downstream: { offset: 0, gap: 0 },
  };

  /** `frames`: undefined if the observer gets the bytes alone; all lines are empty then. */
  constructor(frames: FrameWriter | undefined, counters: ObserverCounters) {
    this.#frames = frames;
    this.#counters = counters;
  }

  /** The line before the next `length` bytes, which are {@link taken} or {@link lost} next. */
  line(direction: Direction, length: number): Uint8Array {
    const { offset, gap } = this.#courses[direction];
    return this.#frames?.data(direction, offset, length, gap) ?? NOTHING;
  }

  taken(direction: Direction, length: number): void {
    const course = this.#courses[direction];
    course.offset += length;
    course.gap = 0;
  }

  lost(direction: Direction, length: number): void {
    const course = this.#courses[direction];
    if (course.gap === 0) this.#counters.add(OBSERVER_CELL.gaps, 1);
    course.offset += length;
    course.gap += length;
    this.#counters.add(OBSERVER_CELL.lost, length);
  }

  /** The line for the FIN of a direction. */
  end(direction: Direction): Uint8Array {
    const { offset, gap } = this.#courses[direction];
    this.#courses[direction].gap = 0;
    return this.#frames?.end(direction, offset, gap) ?? NOTHING;
  }

  /** The lines for the end of the session, with the gaps that no other line has told. */
  close(reason: Reason): readonly Uint8Array[] {
    if (!this.#frames) return [];
    const untold = DIRECTIONS.filter((direction) => this.#courses[direction].gap > 0);
    return [...untold.map((direction) => this.line(direction, 0)), this.#frames.close(reason)];
  }
}
