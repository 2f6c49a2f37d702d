/** `weir run CONFIG`: everything a configuration file asks for. */
import { overrideConfig } from "../config-flags.ts";
import { type CommandRun, stopSignals } from "../context.ts";
import { readConfig } from "../read-config.ts";
import { Service } from "../service.ts";

export const run: CommandRun = async ({ runtime, openThreads, host, line }) => {
  const config = overrideConfig(await readConfig(host, line.positionals[0] ?? ""), line);
  const signals = stopSignals(host);
  const service = await Service.start(runtime, openThreads, host, config);
  await signals.first;
  await service.stop(signals.again);
  return 0;
};
