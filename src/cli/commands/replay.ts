/** `weir replay FILE TARGET`: sends what clients sent in a recording, and looks at what comes back. */

import { visible } from "../../config/problem.ts";
import { formatAddress, parseAddress } from "../../net/address.ts";
import { readRecording } from "../../observe/replay/read-recording.ts";
import type { RecordedSession } from "../../observe/replay/recording.ts";
import { type ReplayReport, replay as replayTo, type SessionReplay } from "../../observe/replay/replay.ts";
import type { CommandRun } from "../context.ts";
import { readBytes } from "../read-file.ts";

interface Flags {
  readonly speed?: number;
  readonly session?: string;
  readonly compare?: boolean;
  readonly timeout?: number;
}

/** 0: every session was played, and with --compare all answers were as recorded; 1: not so. */
export const replay: CommandRun = async ({ runtime, host, line }) => {
  const [file = "", to = ""] = line.positionals;
  const { speed = 1, session, compare = false, timeout = 10_000 } = line.flags as Flags;
  const target = parseAddress(to, "target");
  const recording = readRecording(await readBytes(host, "the recording", file));
  for (const note of recording.notes) host.err(`weir replay: ${note}`);
  const played = (each: SessionReplay) => host.out(visible(sessionLine(each, compare)));
  const report = await replayTo(runtime, recording, target, { speed, session, timeout, played });
  for (const each of report.skipped) host.out(visible(`${whose(each)}: left out, ${each.unusable}`));
  const counts = countsOf(report, compare);
  host.out(summary(formatAddress(target), report, counts));
  const good = counts.failed === 0 && counts.different === 0 && report.sessions.length > 0;
  return good ? 0 : 1;
};

function whose({ id, client }: RecordedSession): string {
  return `session ${id} (${client})`;
}

function sessionLine(
  { session, sent, received, expected, difference, error }: SessionReplay,
  compare: boolean,
): string {
  const cut = session.cut ? "; the recording of it is cut short" : "";
  const what = `${whose(session)}: sent ${sent} bytes, got ${received} of ${expected}`;
  if (error) return `${what}: ${error.message}${cut}`;
  if (!compare) return `${what}${cut}`;
  return `${what}, ${difference === undefined ? "the same" : `different from byte ${difference} on`}${cut}`;
}

interface Counts {
  readonly failed: number;
  readonly different: number;
  readonly good: number;
  /** What is good about those. */
  readonly word: "same" | "played";
}

/** Without `compare` none is different. */
function countsOf({ sessions }: ReplayReport, compare: boolean): Counts {
  const failed = sessions.filter(({ error }) => error).length;
  const different = sessions.filter(({ error, difference }) => compare && !error && difference !== undefined).length;
  return { failed, different, good: sessions.length - failed - different, word: compare ? "same" : "played" };
}

function summary(target: string, { sessions, skipped, duration }: ReplayReport, counts: Counts): string {
  const parts: readonly [number, string][] = [
    [counts.different, "different"],
    [counts.failed, "failed"],
    [skipped.length, "left out"],
  ];
  const more = parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : []));
  const all = [`${counts.good} ${counts.word}`, ...more].join(", ");
  const many = sessions.length + skipped.length;
  return `${many} ${many === 1 ? "session" : "sessions"} to ${target} in ${(duration / 1_000).toFixed(3)} s: ${all}`;
}
