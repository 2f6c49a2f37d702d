/** `weir udp send`, `recv`, `forward` and `reverse`: bridges from the command line. */
import type { CommandRun } from "../context.ts";
import { serve } from "../serve.ts";
import { udpConfig } from "../udp-line.ts";

export const udp: CommandRun = (context) => {
  const config = udpConfig(context.line);
  return serve(context, async () => config);
};
