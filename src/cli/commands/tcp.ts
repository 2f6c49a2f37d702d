/** `weir tcp LISTEN TARGET`: one proxy from the command line. */
import { tcpConfig } from "../config-flags.ts";
import { type CommandRun, stopSignals } from "../context.ts";
import { Service } from "../service.ts";

export const tcp: CommandRun = async ({ runtime, openThreads, host, line }) => {
  const signals = stopSignals(host);
  const service = await Service.start(runtime, openThreads, host, tcpConfig(line));
  await signals.first;
  await service.stop(signals.again);
  return 0;
};
