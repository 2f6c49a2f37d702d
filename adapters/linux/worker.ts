/** The entry of a worker thread: sockets over libc, the loop, and the core on top. */
import { versions } from "node:process";
import { ffi } from "#ffi";
import type { FromWorker, ToWorker } from "../../src/engine/protocol.ts";
import type { WorkerSetup } from "../../src/engine/threads.ts";
import { EngineWorker } from "../../src/engine/worker.ts";
import { SocketError } from "../../src/net/errors.ts";
import { Core } from "./core.ts";
import { checked } from "./native.ts";
import { Resolver } from "./resolver.ts";
import { type Host, linuxRuntime } from "./runtime.ts";
import { System } from "./system.ts";

export type ToThread =
  /** `wake` is an eventfd(2) that belongs to the main thread; it counts the messages posted to this one. */
  | { readonly kind: "setup"; readonly setup: WorkerSetup; readonly wake: number }
  | { readonly kind: "message"; readonly message: ToWorker };

export type FromThread =
  | { readonly kind: "started" }
  | { readonly kind: "message"; readonly message: FromWorker }
  | { readonly kind: "ended"; readonly stack?: string };

/** DNS would need the runtime's own loop, which stands still as long as ours runs. */
const noResolver = () =>
  Promise.reject(
    new SocketError("EOPNOTSUPP", "Cannot resolve a name in a thread: the main thread does it (EOPNOTSUPP)"),
  );

/** A thread has no HTTP server, and loads nothing of the portable adapter. */
const HOST: Omit<Host, "resolve"> = {
  version: versions["bun"] ? `bun ${versions["bun"]}` : `deno ${versions["deno"]}`,
  wallClock: () => Date.now(),
  resolveService: noResolver,
  serve: () => Promise.reject(new Error("HTTP is served by the main thread")),
};

const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ToThread>) => void) | null;
  postMessage(message: FromThread): void;
  close(): void;
};

thread.onmessage = ({ data }) => {
  if (data.kind === "setup") run(data.setup, data.wake).then(() => end(), end);
};

async function run(setup: WorkerSetup, wake: number): Promise<void> {
  const { descriptors, ledger } = setup;
  const core = new Core(new System(ffi, checked(), ledger), descriptors, wake);
  const { loop } = core;
  const asked = new Map<string, { resolve(hosts: readonly string[]): void; reject(error: unknown): void }>();
  const send = (message: FromWorker) => thread.postMessage({ kind: "message", message });
  const ask = (name: string) =>
    new Promise<readonly string[]>((resolve, reject) => {
      asked.set(name, { resolve, reject });
      send({ type: "resolve", host: name });
    });
  const resolver = new Resolver(ask, () => loop.now);
  const resolve: Host["resolve"] = (host, { servers }) =>
    servers.length > 0
      ? noResolver()
      : resolver.resolve(host).catch((thrown: { code?: unknown }) => {
          const code = String(thrown.code ?? "EAI_AGAIN");
          throw new SocketError(code, `Cannot resolve ${host} (${code})`, { cause: thrown });
        });
  const engine = new EngineWorker(linuxRuntime(core, resolver, { ...HOST, resolve }, descriptors), setup, {
    send,
    resolved(name, hosts, code) {
      const waiting = asked.get(name);
      asked.delete(name);
      if (code === undefined) waiting?.resolve(hosts);
      else waiting?.reject({ code });
    },
    stop: () => loop.stop(),
  });
  const mail = new Mail();
  thread.onmessage = ({ data }) => {
    mail.received++;
    loop.settles = true;
    if (data.kind === "message") engine.receive(data.message).catch(end);
  };
  thread.postMessage({ kind: "started" });
  await loop.run((calls) => mail.fetch(calls), false);
  core.destroy();
}

/**
 * Messages to this thread. The runtime delivers them between its own tasks, of which it has none as long as
 * our loop runs; a message to ourselves is one, and it comes behind those that were posted before.
 */
class Mail {
  received = 0;
  #expected = 0;
  readonly #channel = new MessageChannel();

  /** Waits until the last of `posted` further messages has arrived. */
  async fetch(posted: number): Promise<void> {
    this.#expected += posted;
    const { port1, port2 } = this.#channel;
    while (this.received < this.#expected) {
      await new Promise<void>((resolve) => {
        port1.onmessage = () => resolve();
        port2.postMessage(null);
      });
    }
  }
}

function end(error?: unknown): void {
  const stack =
    error instanceof Error ? (error.stack ?? error.message) : error === undefined ? undefined : String(error);
  thread.postMessage(stack === undefined ? { kind: "ended" } : { kind: "ended", stack });
  thread.close();
}
