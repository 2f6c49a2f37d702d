/**
 * Threads for the native engine, as the main thread has them: starts them, opens listening sockets for them,
 * wakes them, and cleans up behind those that die.
 */
import { availableParallelism } from "node:os";
import { arch, env, platform } from "node:process";
import { ffi } from "#ffi";
import type { ToWorker } from "../../src/engine/protocol.ts";
import type { Thread, ThreadEvents, Threads, WorkerSetup } from "../../src/engine/threads.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK } from "./abi.ts";
import { bindDatagram } from "./datagram.ts";
import { listenOn } from "./listen.ts";
import { Loop } from "./loop.ts";
import { lingerZero } from "./options.ts";
import { Resolver } from "./resolver.ts";
import { System } from "./system.ts";
import { trimCode } from "./trim.ts";
import type { FromThread, ToThread } from "./worker.ts";

/** See `OpenThreads`. */
export async function openThreads(workers: number | "auto", entry: URL = workerEntry()): Promise<Threads> {
  if (platform !== "linux") throw new Error(`it needs Linux, and this is ${platform}`);
  if (arch !== "x64" && arch !== "arm64") throw new Error(`it knows x64 and arm64, and this is ${arch}`);
  const system = new System(ffi, checked());
  probe(system);
  const cores = availableParallelism();
  const loading = Array.from({ length: workers === "auto" ? cores : workers }, () => new Loading(entry));
  const resolver = new Resolver(lookup, () => performance.now());
  return {
    cores,
    listen: (at, options, count) => listenOn(system, resolver, at, options, count),
    async datagram(at, options) {
      const { fd, local } = bindDatagram(system, at, options);
      const descriptors = [fd];
      const close = () => {
        for (const each of descriptors.splice(0)) system.close(each);
      };
      return { address: { ...at, port: local.port }, descriptors, stop() {}, close };
    },
    start: (setup, events) => startThread(system, loading.shift() ?? new Loading(entry), setup, events),
    reclaim: (ledger) => reclaim(system, ledger),
    lookup,
    trimCode: () => trimCode(system),
  };
}

/** Where it lies in the bundles of the npm package, which say so: beside the rest. */
declare const WEIR_WORKER: string | undefined;

/** In an executable of `bun build --compile` every entry lies where it lay in the project, as JavaScript. */
function workerEntry(): URL {
  if (import.meta.url.includes("/$bunfs/")) return new URL("file:///$bunfs/root/adapters/linux/worker.js");
  return new URL(typeof WEIR_WORKER === "undefined" ? "./worker.ts" : WEIR_WORKER, import.meta.url);
}

/** `WEIR_CHECK=1` guards native memory; see arena.ts. */
export const checked = (): boolean => env["WEIR_CHECK"] === "1";

/** A system call that is blocked here (seccomp, an old kernel) is better found now than by the first client. */
function probe(system: System): void {
  new Loop(system).destroy();
}

/** Milliseconds in which a thread that was told to terminate is gone; its loop sleeps half of that at most. */
const DYING = 2_000;

/** A thread that does not know yet what it is for. */
class Loading {
  readonly worker: Worker;
  /** It has failed before anybody could listen. */
  failure: ErrorEvent | undefined;

  constructor(entry: URL) {
    this.worker = new Worker(entry.href, { type: "module", smol: true } as WorkerOptions);
    this.worker.onerror = (event) => {
      // Not handled here, it would end the whole process under Deno.
      event.preventDefault();
      this.failure = event;
    };
  }
}

function startThread(system: System, loading: Loading, setup: WorkerSetup, events: ThreadEvents): Thread {
  const { worker, failure } = loading;
  // Ours, not the thread's: who wakes it must never write into what has its number by then.
  const wake = system.libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  /** Posted before the thread could take anything. */
  const early: ToWorker[] = [];
  let started = false;
  let over = false;
  const end = (stack: string | undefined, patience: number) => {
    if (over) return;
    over = true;
    worker.terminate();
    rouse(system, wake);
    const gone = () => {
      system.libc.close(wake);
      events.ended(stack);
    };
    if (patience > 0) setTimeout(gone, patience);
    else gone();
  };
  worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
    if (data.kind === "message") events.message(data.message);
    else if (data.kind === "ended") end(data.stack, 0);
    else {
      started = true;
      events.started();
      for (const message of early.splice(0)) post(message);
    }
  };
  const failed = (event: ErrorEvent) => {
    event.preventDefault();
    const stack = event.error instanceof Error ? (event.error.stack ?? event.message) : event.message;
    // Its loop has not ended by itself: what it has open is closed when it is gone for certain.
    end(stack, started ? DYING : 0);
  };
  worker.onerror = failed;
  // Whoever starts it does not expect to hear of its end before there is a thread.
  if (failure) queueMicrotask(() => failed(failure));
  worker.postMessage({ kind: "setup", setup, wake } satisfies ToThread);
  return { post };

  function post(message: ToWorker): void {
    if (over) return;
    if (!started) {
      early.push(message);
      return;
    }
    worker.postMessage({ kind: "message", message } satisfies ToThread);
    rouse(system, wake);
  }
}

/** Adds 1 to the eventfd(2) that the loop of the thread watches. */
function rouse(system: System, wake: number): void {
  const { bytes, pointer } = system.scratch;
  bytes.fill(0, 0, 8);
  bytes[0] = 1;
  system.libc.write(wake, pointer, 8);
}

function reclaim(system: System, ledger: Uint8Array): void {
  for (let fd = ledger.indexOf(1); fd >= 0; fd = ledger.indexOf(1, fd + 1)) {
    ledger[fd] = 0;
    lingerZero(system, fd);
    system.libc.close(fd);
  }
}

async function lookup(host: string): Promise<readonly string[]> {
  const dns = await import("node:dns/promises");
  return (await dns.lookup(host, { all: true })).map(({ address }) => address);
}
