/** Runs a service from its start to its end, whoever asks for that: signals, or the admin API. */
import { type Context, stopSignals } from "./context.ts";
import { type ReadConfig, Service } from "./service.ts";

/** `read` reads the configuration, now and on SIGHUP; `started` may begin something, and answers how to end it. */
export async function serve(
  { runtime, openThreads, host }: Context,
  read: ReadConfig,
  started: (service: Service) => () => void = () => () => {},
): Promise<number> {
  const config = await read();
  const signals = stopSignals(host);
  const service = await Service.start(runtime, openThreads, host, config, read);
  const ends = [host.onReload(() => void service.reload().catch(() => {})), started(service)];
  await Promise.race([signals.first, service.drained]);
  for (const end of ends) end();
  await service.stop(signals.again);
  return 0;
}
