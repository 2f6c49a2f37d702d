/** `weir run CONFIG`: everything a configuration file asks for. */
import { overrideConfig } from "../config-flags.ts";
import { type CommandRun, untilSignal } from "../context.ts";
import { readConfig } from "../read-config.ts";
import { Service } from "../service.ts";

export const run: CommandRun = async ({ runtime, host, line }) => {
  const config = overrideConfig(await readConfig(host, line.positionals[0] ?? ""), line);
  const service = await Service.start(runtime, host, config);
  const { again } = await untilSignal(host);
  await service.stop(again);
  return 0;
};
