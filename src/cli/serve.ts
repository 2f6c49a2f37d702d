/** Runs a service from its start to its end, whoever asks for that: signals, or the admin API. */
import type { Config } from "../config/config.ts";
import { type Context, stopSignals } from "./context.ts";
import type { Host } from "./host.ts";
import { type ReadConfig, Service } from "./service.ts";

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
    const service = await Service.start(runtime, openThreads, talking(host, config), config, read);
    reloads.serve(() => void service.reload().catch(() => {}));
    const ended = started(service);
    await Promise.race([signals.first, service.drained]);
    ended();
    await service.stop(signals.again);
    return 0;
  } finally {
    reloads.end();
  }
}

/** Where what passes goes to standard output, nothing else may stand among it. */
function talking(host: Host, { bridges }: Config): Host {
  const taken = bridges.some(({ to }) => to.some((sink) => sink.kind === "descriptor" && sink.descriptor === 1));
  return taken ? { ...host, out: (line) => host.err(line) } : host;
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
