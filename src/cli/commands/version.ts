/** `weir version`: what this is and what it runs on. */
import { DEFAULTS } from "../../config/config.ts";
import { startEngine } from "../../engine/engine.ts";
import type { OpenThreads } from "../../engine/threads.ts";
import type { Runtime } from "../../net/runtime.ts";
import { descriptorBudget } from "../../proxy/descriptors.ts";
import { BUILD, VERSION } from "../../version.ts";
import { describeEngine } from "../announce.ts";
import type { CommandRun } from "../context.ts";

export const version: CommandRun = async ({ runtime, openThreads, host, line }) => {
  host.out(`weir ${VERSION}`);
  if (!line.flags.verbose) return 0;
  const { can, descriptors } = runtime;
  const { capacity } = descriptorBudget(runtime);
  host.out(`built from       ${BUILD ? `${BUILD.commit} of ${BUILD.date}` : "no build: these are its sources"}`);
  if (BUILD) host.out(`build            ${BUILD.kind}, by ${BUILD.by}`);
  host.out(`runtime          ${runtime.name} ${runtime.version}`);
  host.out(`engine           ${await engineHere(runtime, openThreads)}`);
  host.out(`open files       ${descriptors ? `${descriptors}, enough for ${capacity} connections` : "unknown"}`);
  host.out(`pause accepting  ${can.pauseAccept ? "yes" : "no: connections beyond the limit are reset"}`);
  host.out(`abstract unix    ${can.abstractUnix ? "yes" : "no"}`);
  return 0;
};

/** What `--engine auto` takes on this machine, and why. */
async function engineHere(runtime: Runtime, openThreads: OpenThreads): Promise<string> {
  const { engine, fallback } = await startEngine(runtime, openThreads, DEFAULTS.engine);
  await engine.close();
  return fallback ? `${engine.mode}: ${fallback}` : describeEngine(engine);
}
