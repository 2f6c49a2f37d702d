/** `weir version`: what this is and what it runs on. */
import { descriptorBudget } from "../../proxy/descriptors.ts";
import { VERSION } from "../../version.ts";
import type { CommandRun } from "../context.ts";

export const version: CommandRun = async ({ runtime, host, line }) => {
  host.out(`weir ${VERSION}`);
  if (!line.flags.verbose) return 0;
  const { can, descriptors } = runtime;
  const { capacity } = descriptorBudget(runtime);
  host.out(`runtime          ${runtime.name} ${runtime.version}`);
  host.out("engine           portable (the runtime's own event loop)");
  host.out(`open files       ${descriptors ? `${descriptors}, enough for ${capacity} connections` : "unknown"}`);
  host.out(`pause accepting  ${can.pauseAccept ? "yes" : "no: connections beyond the limit are reset"}`);
  host.out(`abstract unix    ${can.abstractUnix ? "yes" : "no"}`);
  return 0;
};
