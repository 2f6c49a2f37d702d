/**
 * Writes down what the clients of a proxy send and get, in one format. It looks on: it changes no byte, holds none back,
 * and what cannot be written is lost without a session noticing.
 */

import type { FileError } from "../../net/errors.ts";
import { isPerSession, STDOUT, sessionPath, sharedPath } from "./file-name.ts";
import { hex } from "./hex.ts";
import type { InspectConfig } from "./inspect-config.ts";
import { jsonl } from "./jsonl.ts";
import { pcap } from "./pcap.ts";
import { type FileRuntime, type Recording, RecordingFile } from "./recording-file.ts";
import { SessionInspection } from "./session-inspection.ts";
import { type ClockRuntime, Stamps } from "./stamps.ts";
import type { Format, SessionInfo } from "./transcript.ts";

const FORMATS: Readonly<Record<InspectConfig["format"], Format>> = { hex, jsonl, pcap };

export interface InspectHooks {
  /** A file cannot be written. Told once for each file; it is tried again every second. */
  failed(path: string, error: FileError): void;
  /** Where the path `-` goes: whole records, in their order. */
  stdout(record: Uint8Array): void;
}

export class Inspector {
  readonly config: InspectConfig;
  /** Whether each session has a file, and with it a descriptor, of its own. */
  readonly filePerSession: boolean;
  /** Bytes of sessions that should have been recorded and could not be written. */
  lost = 0;
  readonly #runtime: ClockRuntime & FileRuntime;
  readonly #hooks: InspectHooks;
  readonly #stamps: Stamps;
  readonly #format: Format;
  readonly #shared: Recording | undefined;
  /** Sessions that are not over. */
  #live = 0;
  #closing = false;

  /** `proxy`: its name. Nothing is opened before the first session. */
  constructor(runtime: ClockRuntime & FileRuntime, proxy: string, config: InspectConfig, hooks: InspectHooks) {
    this.config = config;
    this.filePerSession = isPerSession(config.path);
    this.#runtime = runtime;
    this.#hooks = hooks;
    this.#stamps = new Stamps(runtime);
    this.#format = FORMATS[config.format];
    this.#shared = this.filePerSession ? undefined : this.#open(sharedPath(config.path, proxy));
  }

  /** To be called when the session begins; its `closed` is to be called when it is over. */
  session(info: SessionInfo): SessionInspection {
    const at = this.#stamps.now();
    const own = this.filePerSession ? this.#open(sessionPath(this.config.path, info, at)) : undefined;
    const recording = own ?? (this.#shared as Recording);
    this.#live++;
    return new SessionInspection(this.config, this.#format, info, {
      now: () => this.#stamps.now(),
      write: (record) => recording.write(record),
      lost: (bytes) => {
        this.lost += bytes;
      },
      over: () => {
        own?.close();
        this.#live--;
        this.#closeWhenIdle();
      },
    });
  }

  /** There are no further sessions: what is open is closed as soon as the last one is over. */
  close(): void {
    this.#closing = true;
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (this.#closing && this.#live === 0) this.#shared?.close();
  }

  #open(path: string): Recording {
    const { header } = this.#format;
    if (path === STDOUT) return new Stdout(header, this.#hooks);
    const { maxSize, keep } = this.config;
    const failed = (file: string, error: FileError) => this.#hooks.failed(file, error);
    return new RecordingFile(this.#runtime, path, { header, maxSize, keep, failed });
  }
}

class Stdout implements Recording {
  readonly #hooks: InspectHooks;
  #header: Uint8Array;

  constructor(header: Uint8Array, hooks: InspectHooks) {
    this.#header = header;
    this.#hooks = hooks;
  }

  write(record: Uint8Array): boolean {
    if (this.#header.length > 0) this.#hooks.stdout(this.#header);
    this.#header = new Uint8Array(0);
    this.#hooks.stdout(record);
    return true;
  }

  close(): void {}
}
