/** `weir mux`: clients that share connections, from the command line; `weir mux server`: from that of tcp-multiplexer. */
import { withRangeFiles } from "../../config/range-files.ts";
import type { CommandRun } from "../context.ts";
import { muxConfig, muxServerConfig } from "../mux-line.ts";
import { rangeReader } from "../read-file.ts";
import { serve } from "../serve.ts";

export const mux: CommandRun = (context) => {
  const { host, line } = context;
  // To read it again is to read its files again.
  return serve(context, () => withRangeFiles(muxConfig(line), rangeReader(host)));
};

export const muxServer: CommandRun = (context) => {
  const config = muxServerConfig(context.line);
  return serve(context, async () => config);
};
