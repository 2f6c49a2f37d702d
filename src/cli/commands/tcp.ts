/** `weir tcp LISTEN TARGET`: one proxy from the command line. */
import { tcpConfig } from "../config-flags.ts";
import { type CommandRun, untilSignal } from "../context.ts";
import { Service } from "../service.ts";

export const tcp: CommandRun = async ({ runtime, host, line }) => {
  const service = await Service.start(runtime, host, tcpConfig(line));
  const { again } = await untilSignal(host);
  await service.stop(again);
  return 0;
};
