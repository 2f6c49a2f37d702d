/** Runs a service from its start to its end, whoever asks for that: signals, or the admin API. */

import { beginEngine, type Choice, withoutThreads } from "../engine/engine.ts";
import { ThreadsError } from "../engine/threads.ts";
import { type Context, stopSignals } from "./context.ts";
import type { Host } from "./host.ts";
import type { ReadConfig, Service } from "./service.ts";

/** `read` reads the configuration, now and on SIGHUP; `started` may begin something, and answers how to end it. */
export async function serve(
  { runtime, openThreads, host }: Context,
  read: ReadConfig,
  started: (service: Service) => () => void = () => () => {},
): Promise<number> {
  const signals = stopSignals(host);
  const reloads = reloadSignals(host);
  try {
    const config = await read();
    // Threads load while the main thread does; it listens before they have started.
    const loading = import("./service.ts");
    const [choice, { Service }] = await Promise.all([beginEngine(runtime, openThreads, config.engine), loading]);
    const start = (each: Choice) => Service.start(runtime, each, host, config, read);
    const service = await start(choice).catch(async (error) => {
      if (!(error instanceof ThreadsError)) throw error;
      return await start(await withoutThreads(runtime, config.engine, error));
    });
    reloads.serve(() => void reload(service, host));
    const ended = started(service);
    await host.notify("ready", statusOf(service));
    await Promise.race([signals.first, service.drained]);
    ended();
    await host.notify("stopping", "connections may finish");
    await service.stop(signals.again);
    return 0;
  } finally {
    reloads.end();
  }
}

/** A supervisor waits for the second word, whether there is another configuration then or still the old one. */
async function reload(service: Service, host: Host): Promise<void> {
  await host.notify("reloading", "the configuration is read again");
  const failed = await service.reload().then(
    () => false,
    () => true,
  );
  await host.notify("ready", `${statusOf(service)}${failed ? "; the new configuration is wrong, see the log" : ""}`);
}

function statusOf({ proxies, bridges }: Service): string {
  const [addresses, routes] = [proxies.length, bridges.length];
  return `${addresses} ${addresses === 1 ? "proxy" : "proxies"}, ${routes} ${routes === 1 ? "bridge" : "bridges"}`;
}

/** Like signals to stop, one to reload must never find the program without its handler: it would end it. */
function reloadSignals(host: Host): { serve(run: () => void): void; end(): void } {
  let early = false;
  let reload = () => {
    early = true;
  };
  const end = host.onReload(() => reload());
  return {
    serve(run) {
      reload = run;
      if (early) run();
    },
    end,
  };
}
