/** The orderly end of proxies: no new connections, time for the live ones, and an end to that time. */
import type { Runtime } from "../net/runtime.ts";
import type { ProxyControl } from "./control.ts";

/**
 * Stops listening and lets connections finish for `grace` milliseconds; then, or when `hurry` resolves, they are
 * cut. Resolves when the last connection is gone.
 */
export async function shutDown(
  runtime: Runtime,
  proxies: readonly ProxyControl[],
  grace: number,
  hurry?: Promise<unknown>,
): Promise<void> {
  const drained = Promise.all(proxies.map((proxy) => proxy.drain()));
  const cut = () => {
    for (const proxy of proxies) proxy.cut();
  };
  const timer = grace > 0 ? runtime.after(grace, cut) : undefined;
  if (!timer) cut();
  hurry?.then(cut);
  await drained;
  timer?.cancel();
}
