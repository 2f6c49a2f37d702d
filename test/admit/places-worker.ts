/** One of several threads that take a place and give it back, as fast as they can. */
import { addBelow } from "../../src/admit/places.ts";

export interface Task {
  /** Of one cell. */
  readonly count: Int32Array;
  readonly limit: number;
}

/** `most`: the highest count that this thread saw; `taken`: how often it got a place. */
export type FromThread = "ready" | { readonly most: number; readonly taken: number };

const TURNS = 1_000_000;

const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Task>) => void) | null;
  postMessage(message: FromThread): void;
};

thread.onmessage = ({ data }) => thread.postMessage(hammer(data));
thread.postMessage("ready");

function hammer({ count, limit }: Task): FromThread {
  let [most, taken] = [0, 0];
  for (let turn = 0; turn < TURNS; turn++) {
    const mine = addBelow(count, 0, limit);
    most = Math.max(most, Atomics.load(count, 0));
    if (!mine) continue;
    taken++;
    Atomics.sub(count, 0, 1);
  }
  return { most, taken };
}
