/** An inspector whose files are in memory and whose clock moves by 250 µs whenever somebody looks. */

import type { Direction } from "../../../src/filter/step.ts";
import type { FileError } from "../../../src/net/errors.ts";
import { INSPECT, type InspectConfig } from "../../../src/observe/inspect/inspect-config.ts";
import { Inspector } from "../../../src/observe/inspect/inspector.ts";
import type { SessionInspection } from "../../../src/observe/inspect/session-inspection.ts";
import type { SessionInfo } from "../../../src/observe/inspect/transcript.ts";
import { MemoryFiles } from "../../sim/files.ts";

/** 2026-01-01 UTC. */
const EPOCH = 1_767_225_600_000;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const tcp = (host: string, port: number) => ({ kind: "tcp", host, port }) as const;

export const SESSION: SessionInfo = {
  id: 7,
  proxy: "web",
  client: tcp("127.0.0.1", 50_000),
  local: tcp("127.0.0.1", 8_080),
  target: "127.0.0.1:80",
};

export class InspectWorld {
  readonly files = new MemoryFiles();
  readonly failures: string[] = [];
  readonly printed: Uint8Array[] = [];
  readonly inspector: Inspector;
  /** Milliseconds. */
  now = 0;

  constructor(config: Partial<InspectConfig>) {
    const { openFile, renameFile, removeFile } = this.files;
    const now = () => {
      this.now += 0.25;
      return this.now;
    };
    const runtime = { now, wallClock: () => Math.floor(EPOCH + this.now), openFile, renameFile, removeFile };
    this.inspector = new Inspector(
      runtime,
      "web",
      { ...INSPECT, path: "record", ...config },
      {
        failed: (path: string, { code }: FileError) => this.failures.push(`${path} ${code}`),
        stdout: (record) => this.printed.push(record),
      },
    );
  }

  session(info: Partial<SessionInfo> = {}): SessionInspection {
    return this.inspector.session({ ...SESSION, ...info });
  }

  text(path = "record"): string {
    return new TextDecoder().decode(this.files.read(path));
  }

  lines(path = "record"): string[] {
    return this.text(path).trimEnd().split("\n");
  }
}

/** A session of these chunks that both sides end, the client first. */
export function play(session: SessionInspection, chunks: readonly (readonly [Direction, Uint8Array])[]): void {
  for (const [direction, chunk] of chunks) session.saw(direction, chunk);
  session.ended("upstream");
  session.ended("downstream");
  session.closed({ reason: "client_closed", error: null });
}

/** What the JSON lines of a file are, and how many bytes they tell of. */
export function summary(world: InspectWorld, path?: string): string[] {
  return world.lines(path).map((line) => {
    const { type, direction, length } = JSON.parse(line);
    return [type, direction, length].filter((each) => each !== undefined).join(" ");
  });
}
