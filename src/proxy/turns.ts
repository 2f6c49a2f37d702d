/** Changes that must not meet: each begins when the one before it is over, however that ended. */
import type { ProxyConfig } from "../config/config.ts";
import type { ProxyControl } from "./control.ts";

export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when those are over that were asked for so far. */
  get over(): Promise<unknown> {
    return this.#last;
  }
}

const turns = new WeakMap<ProxyControl, Turns>();

/**
 * Gives a proxy the configuration that `change` makes of the one it has when its turn comes: reloads, the API and a
 * Toxiproxy client may ask for changes at the same time, and none of them is to be undone by another.
 */
export function reconfigure(proxy: ProxyControl, change: (now: ProxyConfig) => ProxyConfig): Promise<void> {
  let own = turns.get(proxy);
  if (!own) {
    own = new Turns();
    turns.set(proxy, own);
  }
  return own.run(async () => proxy.configure(change(proxy.config)));
}
