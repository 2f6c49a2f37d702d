/** `weir load [TARGET]`: asks a server that echoes, and reports how it answers. */
import { startEngine } from "../../engine/engine.ts";
import { judge } from "../../load/assertion.ts";
import { progressLine } from "../../load/progress.ts";
import { htmlReport } from "../../load/report-html.ts";
import { jsonReport } from "../../load/report-json.ts";
import { type Outcome, textReport } from "../../load/report-text.ts";
import { runScenario } from "../../load/run-scenario.ts";
import { FileError } from "../../net/errors.ts";
import type { Runtime } from "../../net/runtime.ts";
import type { ClientTls } from "../../net/tls.ts";
import { PemReader } from "../../tls/files.ts";
import { VERSION } from "../../version.ts";
import type { Flags } from "../config-flags.ts";
import { type CommandRun, type Context, stopSignals } from "../context.ts";
import { loadPlan, type Planned } from "../load-line.ts";
import { tlsConfig } from "../tls-flags.ts";

export const load: CommandRun = async (context) => {
  const { runtime, openThreads, host, line } = context;
  const flags = line.flags as Flags<"load">;
  const plan = await loadPlan(host, line);
  const tls = clientTls(runtime, flags);
  const signals = stopSignals(host);
  const stop = { asked: false, first: signals.first };
  void signals.first.then(() => {
    stop.asked = true;
  });
  const { engine, fallback } = await startEngine(runtime, openThreads, {
    mode: flags.engine ?? "auto",
    workers: flags.workers ?? 1,
  });
  if (fallback !== undefined && !flags.quiet) host.err(`weir: engine portable: ${fallback}`);
  const outcomes: Outcome[] = [];
  try {
    for (const [index, { scenario, assertions }] of plan.entries()) {
      if (stop.asked) break;
      const place = { number: index + 1, of: plan.length };
      const result = await runScenario(
        runtime,
        engine,
        scenario,
        {
          progress: (soFar, elapsed) => {
            if (!flags.quiet) host.progress((columns) => progressLine(soFar, elapsed, place, columns));
          },
          stopped: stop.first,
        },
        tls,
      );
      outcomes.push({ result, verdicts: assertions.map((assertion) => judge(assertion, result)) });
    }
  } finally {
    host.progress(() => "");
    await engine.close();
  }
  report(context, engine, outcomes);
  await host.printed();
  return good(outcomes, plan) ? 0 : 1;
};

function report({ runtime, host, line }: Context, engine: { mode: string }, outcomes: readonly Outcome[]): void {
  const { json, html } = line.flags as Flags<"load">;
  if (json) host.out(JSON.stringify(jsonReport(engine, outcomes), undefined, 2));
  else for (const text of textReport(outcomes)) host.out(text);
  if (html === undefined) return;
  writeNew(runtime, html, htmlReport({ when: runtime.wallClock(), weir: VERSION }, outcomes));
  if (!json) host.out(`The page is in ${html}`);
}

/** All that was planned has run, something has come back each time, and what had to hold has held. */
function good(outcomes: readonly Outcome[], plan: readonly Planned[]): boolean {
  const held = outcomes.every(({ result, verdicts }) => result.requests > 0 && verdicts.every(({ met }) => met));
  return held && outcomes.length === plan.length;
}

function clientTls(runtime: Runtime, flags: Flags<"load">): ClientTls | undefined {
  const { targetTls } = tlsConfig("weir load", flags);
  return targetTls ? new PemReader(runtime, "load").client(targetTls).tls : undefined;
}

/** What was in the file before is gone. */
function writeNew(runtime: Runtime, path: string, text: string): void {
  try {
    runtime.removeFile(path);
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "ENOENT") throw error;
  }
  const file = runtime.openFile(path);
  file.write(new TextEncoder().encode(text));
  file.close();
}
