/** `weir tcp LISTEN TARGET…`: one proxy from the command line. */
import { withRangeFiles } from "../../config/range-files.ts";
import { tcpConfig } from "../config-flags.ts";
import type { CommandRun } from "../context.ts";
import { rangeReader } from "../read-file.ts";
import { serve } from "../serve.ts";

export const tcp: CommandRun = (context) => {
  const { host, line } = context;
  // To read it again is to read its files again.
  return serve(context, () => withRangeFiles(tcpConfig(line), rangeReader(host)));
};
