/** The contract suite: every case, run one after the other on whatever runtime is given. */
import { argv, stdout } from "node:process";
import type { Runtime } from "../../src/net/runtime.ts";
import { addresses } from "./cases/addresses.ts";
import { closing } from "./cases/closing.ts";
import { datagrams } from "./cases/datagrams.ts";
import { files } from "./cases/files.ts";
import { flow } from "./cases/flow.ts";
import { handshakes } from "./cases/handshakes.ts";
import { linking } from "./cases/linking.ts";
import { listening } from "./cases/listening.ts";
import { multicast } from "./cases/multicast.ts";
import { names } from "./cases/names.ts";
import { platform } from "./cases/platform.ts";
import { shortMessages } from "./cases/short-messages.ts";
import { tls } from "./cases/tls.ts";
import { type Case, Kit } from "./kit.ts";

export interface Outcome {
  readonly name: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly why?: string;
  readonly ms: number;
}

/** Long enough for a loaded machine; a case that gets here waits for an event that never comes. */
const GIVE_UP = 60_000;

export const cases: readonly Case[] = [
  ...addresses,
  ...closing,
  ...datagrams,
  ...files,
  ...flow,
  ...linking,
  ...listening,
  ...multicast,
  ...names,
  ...platform,
  ...shortMessages,
  ...tls,
  ...handshakes,
];

/**
 * Does what the command line says: `--list` prints the names of all cases; words run the cases with them in
 * their names, nothing runs all. One JSON line per case.
 */
export async function runSuite(runtime: Runtime): Promise<void> {
  const wanted = argv.slice(2).join(" ");
  if (wanted === "--list") {
    for (const { name } of cases) stdout.write(`${name}\n`);
    return;
  }
  for (const each of cases) {
    if (!each.name.includes(wanted)) continue;
    stdout.write(`${JSON.stringify(await outcome(each, runtime))}\n`);
  }
}

async function outcome(each: Case, runtime: Runtime): Promise<Outcome> {
  const { name } = each;
  const start = runtime.now();
  const skipped = each.skip?.(runtime);
  if (skipped) return { name, result: "skipped", why: skipped, ms: 0 };
  const kit = new Kit(runtime);
  let timer: { cancel(): void } | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = runtime.after(GIVE_UP, () => reject(new Error("an awaited event never came")));
  });
  try {
    await Promise.race([each.run(kit), late]);
    return { name, result: "passed", ms: Math.round(runtime.now() - start) };
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { name, result: "failed", why, ms: Math.round(runtime.now() - start) };
  } finally {
    timer?.cancel();
    await kit.clean();
  }
}
