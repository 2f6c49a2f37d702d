/** One of several threads that enter and leave the same few sources as fast as they can. */
import { type Entry, isRefused, type SourceRules, Sources } from "../../src/admit/sources.ts";
import type { IpWords } from "../../src/net/cidr.ts";

export interface Task {
  readonly memory: SharedArrayBuffer;
  readonly workers: number;
  readonly worker: number;
  /** Addresses from which connections stay for some turns. */
  readonly staying: readonly IpWords[];
  readonly stay: SourceRules;
  /** How many connections each of them has, as the threads themselves count. */
  readonly open: Int32Array;
  /** An address whose connections come one after the other. */
  readonly passing: IpWords;
  readonly pass: SourceRules;
}

/** `most`: the highest number of connections that one source ever had, as far as this thread saw. */
export type FromThread = "ready" | { readonly most: number; readonly refused: number; readonly passed: number };

const TURNS = 100_000;

const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Task>) => void) | null;
  postMessage(message: FromThread): void;
};

thread.onmessage = ({ data }) => thread.postMessage(hammer(data));
thread.postMessage("ready");

/** Time stands still, so no token is refilled. */
function hammer({ memory, workers, worker, staying, stay, open, passing, pass }: Task): FromThread {
  const sources = new Sources(memory, workers, worker);
  const held: Entry[][] = staying.map(() => []);
  let [most, refused, passed] = [0, 0, 0];
  const leave = (source: number) => {
    const entry = held[source]?.shift();
    if (entry === undefined) return;
    Atomics.sub(open, source, 1);
    sources.leave(entry);
  };
  for (let turn = 0; turn < TURNS; turn++) {
    const source = (turn + worker) % staying.length;
    const entry = sources.enter(staying[source] ?? [], 0, stay);
    if (isRefused(entry)) refused++;
    else {
      most = Math.max(most, Atomics.add(open, source, 1) + 1);
      held[source]?.push(entry);
    }
    if (turn % 4 !== 0) leave(source);
    const short = sources.enter(passing, 0, pass);
    if (!isRefused(short)) passed++;
    sources.leave(short);
  }
  for (const [source, entries] of held.entries()) {
    while (entries.length > 0) leave(source);
  }
  return { most, refused, passed };
}
