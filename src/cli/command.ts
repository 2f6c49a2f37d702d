/**
 * What a command line can hold, as types of data: `program.ts` is the table, from which `parse.ts` reads
 * command lines and `help.ts` writes what people see.
 */

import { parseRate } from "../admit/rate.ts";
import { parseWindow } from "../admit/schedule.ts";
import { parseFault } from "../config/fault-options.ts";
import { parseLengthField } from "../config/length-options.ts";
import { parseDelimiter, parseMaxMessage, REQUEST_RETRIES_MAX, SHARED_MAX } from "../config/mux-values.ts";
import { parseObserver } from "../config/observer-options.ts";
import { parseTargetOptions } from "../config/target-options.ts";
import {
  KEEP_MAX,
  parseAccept,
  parseConnect,
  parseDatagramSize,
  parseGroup,
  parseInput,
  parseInterface,
  parseOutput,
  parseUdpSink,
  parseUdpSource,
  TTL_MAX,
} from "../config/udp-values.ts";
import {
  parseBuffer,
  parseCount,
  parseDuration,
  parseDurationOrOff,
  parsePeriod,
  parseRetries,
  parseSizeOrOff,
  parseSpeed,
  parseWorkers,
} from "../config/units.ts";
import { parseRoute } from "../datagram/bridge/route-address.ts";
import { FAULT_TYPES, FAULTS } from "../filter/faults/fault.ts";
import { parseAssertion } from "../load/assertion.ts";
import { parseLoadTarget } from "../load/load-target.ts";
import { messageSize } from "../load/scenario.ts";
import { parseAddress, parseEndpoint, parseIp, parsePlainListen } from "../net/address.ts";
import { parseCidr } from "../net/cidr.ts";
import { parseAdminUrl } from "../overview/admin-url.ts";
import { parseFingerprint } from "../tls/fingerprint.ts";
import { parseName, parseServerName } from "../tls/names.ts";
import { parseAlpn } from "../tls/server-name.ts";
import {
  oneOf,
  parseFile,
  parseFolder,
  parseLabel,
  parsePath,
  parsePortOrListen,
  parseSeconds,
  parseSni,
  parseTime,
  parseWords,
} from "./command-values.ts";
import { OLD_NAMES } from "./old-names.ts";

/** Those that `weir completions` is for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** The files that weir reads. */
export const FORMATS = ["weir", "scenarios", "tcp-clone", "basic-tcp-proxy"] as const;

export interface Program {
  readonly name: string;
  /** A sentence without its period, as all of these are. */
  readonly about: string;
  /** One of them is called `help` and one `version`. */
  readonly commands: readonly Command[];
  /** Before a command, and after any. */
  readonly help: BooleanFlag;
  /** In place of a command. */
  readonly version: BooleanFlag;
  readonly examples: readonly Example[];
}

export interface Command {
  /** One word, or two: `mux list`. */
  readonly name: string;
  /** For the program's list of commands: short. */
  readonly summary: string;
  /** For the command's own help, complete sentences. */
  readonly about?: string;
  readonly positionals: readonly Positional[];
  /** As help shows them; a name occurs once. */
  readonly flagGroups: readonly FlagGroup[];
  readonly examples: readonly Example[];
  /** The title above it in the program's list of commands; those without one come first. */
  readonly group?: string;
}

export interface Positional {
  /** In capitals, as in the usage line. */
  readonly name: string;
  readonly kind: KindName;
  readonly about: string;
  /** It can be left out; this is then its text, unless that is empty. */
  readonly default?: string;
  /** One or more of them; the last of its command. */
  readonly repeatable?: true;
}

export interface FlagGroup {
  readonly title: string;
  readonly flags: readonly Flag[];
}

export type Flag = BooleanFlag | ChoiceFlag | ValueFlag;

interface FlagBase {
  /** Without dashes: `idle-timeout`. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  readonly about: string;
  /** What holds without the flag, for help. Parsing leaves it out: the value may come from a file instead. */
  readonly default?: string;
}

export interface BooleanFlag extends FlagBase {
  readonly kind: "boolean";
  /** Whether `--no-x` exists: for what is on by default. */
  readonly negatable?: true;
}

export interface ChoiceFlag extends FlagBase {
  readonly kind: "choice";
  /** All are to be found in `about`. */
  readonly values: readonly string[];
  readonly placeholder: string;
  /** Several values, by commas or by giving the flag again. */
  readonly repeatable?: true;
}

export interface ValueFlag extends FlagBase {
  readonly kind: KindName;
  /** Several values, by giving the flag again. */
  readonly repeatable?: true;
}

/** A command line that works as it stands, from the program's name on. */
export interface Example {
  readonly about: string;
  readonly line: string;
}

/** A command line, read and checked. */
export type Parsed =
  | Run
  | {
      readonly kind: "help";
      readonly command?: Command;
      /** Several, of which the first word alone is known. */
      readonly family?: readonly Command[];
    };

export interface Run {
  readonly kind: "run";
  readonly command: Command;
  /** In the order of the command's table, checked, defaults filled in. */
  readonly positionals: readonly string[];
  /** By name, those that were given. */
  readonly flags: Readonly<Record<string, FlagValue>>;
}

export type FlagValue = boolean | readonly string[] | ValueOf<ChoiceFlag | ValueFlag>;

/** Flags that were given, with the types that their kinds make of them: `{ "idle-timeout"?: number }`. */
export type FlagValues<F extends Flag> = { readonly [Each in F as Each["name"]]?: ValueOf<Each> };

type ValueOf<F extends Flag> = F extends ChoiceFlag
  ? F extends { readonly repeatable: true }
    ? readonly F["values"][number][]
    : F["values"][number]
  : F extends ValueFlag
    ? F extends { readonly repeatable: true }
      ? readonly ReturnType<(typeof KINDS)[F["kind"]]["parse"]>[]
      : ReturnType<(typeof KINDS)[F["kind"]]["parse"]>
    : boolean;

type KindName = keyof typeof KINDS;

/** How a kind of value is written, what becomes of its text, and what a shell can offer for it. */
interface Kind {
  readonly placeholder: string;
  parse(text: string): unknown;
  /** Words that stand for themselves; one that ends in a colon goes on. */
  readonly words?: readonly string[];
  /** What there is on disk. */
  readonly paths?: "files" | "folders";
}

/** Those without attributes are whole. */
const FAULT_WORDS = FAULT_TYPES.map((type) => (Object.keys(FAULTS[type].attributes).length > 0 ? `${type}:` : type));

/** What a value can be. */
export const KINDS = {
  label: { placeholder: "NAME", parse: parseLabel },
  id: { placeholder: "ID", parse: parseLabel },
  file: { placeholder: "FILE", parse: parseFile, paths: "files" },
  folder: { placeholder: "DIR", parse: parseFolder, paths: "folders" },
  command: { placeholder: "COMMAND", parse: (text: string) => text },
  seconds: { placeholder: "N", parse: parseSeconds },
  duration: { placeholder: "DURATION", parse: parseDuration },
  period: { placeholder: "DURATION", parse: parsePeriod },
  durationOrOff: { placeholder: "DURATION|off", parse: parseDurationOrOff, words: ["off"] },
  buffer: { placeholder: "SIZE", parse: parseBuffer },
  sizeOrOff: { placeholder: "SIZE|off", parse: (text: string) => parseSizeOrOff(text), words: ["off"] },
  workers: { placeholder: "N|auto", parse: parseWorkers, words: ["auto"] },
  retries: { placeholder: "N", parse: parseRetries },
  speed: { placeholder: "N|max", parse: parseSpeed, words: ["max"] },
  ip: { placeholder: "IP", parse: parseIp },
  cidr: { placeholder: "CIDR", parse: parseCidr },
  listen: { placeholder: "ADDRESS", parse: (text: string) => parseAddress(text, "listen") },
  listenPlain: { placeholder: "ADDRESS", parse: parsePlainListen },
  listenTls: { placeholder: "ADDRESS", parse: (text: string) => parseAddress(text, "listen", "tls") },
  fingerprint: { placeholder: "SHA256", parse: parseFingerprint },
  serverName: { placeholder: "HOST", parse: parseServerName },
  certificateName: { placeholder: "HOST", parse: parseName },
  listenOrOff: {
    placeholder: "ADDRESS|off",
    parse: (text: string) => (text === "off" ? null : parseAddress(text, "listen")),
    words: ["off"],
  },
  target: { placeholder: "ADDRESS", parse: parseTargetOptions },
  observer: { placeholder: "OBSERVER", parse: parseObserver },
  fault: { placeholder: "FAULT", parse: parseFault, words: FAULT_WORDS },
  admin: { placeholder: "ADMIN-URL", parse: parseAdminUrl },
  oneTarget: { placeholder: "ADDRESS", parse: (text: string) => parseAddress(text, "target") },
  endpoint: { placeholder: "IP:PORT", parse: parseEndpoint },
  window: { placeholder: "WINDOW", parse: parseWindow },
  rate: { placeholder: "RATE", parse: parseRate },
  count: { placeholder: "N", parse: (text: string) => parseCount(text) },
  countAboveZero: { placeholder: "N", parse: (text: string) => parseCount(text, 1) },
  shared: { placeholder: "N", parse: (text: string) => parseCount(text, 0, SHARED_MAX) },
  sharedAboveZero: { placeholder: "N", parse: (text: string) => parseCount(text, 1, SHARED_MAX) },
  requestRetries: { placeholder: "N", parse: (text: string) => parseCount(text, 0, REQUEST_RETRIES_MAX) },
  message: { placeholder: "SIZE", parse: parseMaxMessage },
  delimiter: { placeholder: "TEXT", parse: parseDelimiter },
  lengthField: { placeholder: "FIELD", parse: parseLengthField },
  portOrListen: { placeholder: "PORT", parse: parsePortOrListen },
  words: { placeholder: "TEXT", parse: parseWords },
  path: { placeholder: "PATH", parse: parsePath },
  time: { placeholder: "TIME", parse: parseTime },
  source: { placeholder: "ROUTE", parse: (text: string) => parseRoute(text, "from") },
  sink: { placeholder: "ROUTE", parse: (text: string) => parseRoute(text, "to") },
  udpSource: { placeholder: "UDP", parse: parseUdpSource },
  udpSink: { placeholder: "UDP", parse: parseUdpSink },
  tcpSource: { placeholder: "HOST:PORT", parse: (text: string) => parseConnect(text, "tcp") },
  tlsSource: { placeholder: "HOST:PORT", parse: (text: string) => parseConnect(text, "tls") },
  accept: { placeholder: "ADDRESS", parse: parseAccept },
  group: { placeholder: "GROUP", parse: parseGroup },
  input: { placeholder: "FILE|-", parse: parseInput, words: ["-"], paths: "files" },
  output: { placeholder: "FILE|-", parse: parseOutput, words: ["-"], paths: "files" },
  interface: { placeholder: "NAME", parse: parseInterface },
  ttl: { placeholder: "N", parse: (text: string) => parseCount(text, 0, TTL_MAX) },
  keep: { placeholder: "N", parse: (text: string) => parseCount(text, 0, KEEP_MAX) },
  datagram: { placeholder: "SIZE", parse: parseDatagramSize },
  sni: { placeholder: "NAME", parse: parseSni },
  protocol: { placeholder: "PROTOCOL", parse: parseAlpn },
  loadTarget: { placeholder: "ADDRESS", parse: parseLoadTarget },
  messageSize: { placeholder: "SIZE", parse: messageSize },
  assertion: { placeholder: "CONDITION", parse: parseAssertion },
  fileOrInput: { placeholder: "FILE|-", parse: parseFile, words: ["-"], paths: "files" },
  argument: { placeholder: "ARGUMENT", parse: (text: string) => text, paths: "files" },
  shell: oneOf("SHELL", SHELLS),
  oldName: oneOf("NAME", OLD_NAMES),
  fileFormat: oneOf("FORMAT", FORMATS),
} as const satisfies Readonly<Record<string, Kind>>;

/** What a shell can offer for a value of this kind. */
export function offersOf(kind: KindName): Kind {
  return KINDS[kind];
}

/** How to write what placeholders stand for. */
export const NOTATION: Readonly<Record<string, string>> = {
  ADDRESS:
    "8080, 127.0.0.1:8080, [::1]:8080, example.com:80, unix:/run/x.sock; listening on :8080 takes every interface",
  DURATION: "250ms, 5s, 10m, 1.5h, 1d",
  CIDR: "10.0.0.0/8, 192.168.1.7, fd00::/8",
  RATE: "20/s, 600/m, 1000/h",
  WINDOW: "Mon-Fri 08:00-18:00 Europe/Berlin; Sat,Sun; 22:00-06:00, by the zone of this machine",
  TIME: "2026-03-01T09:30, by the zone of this machine; 2026-03-01T09:30Z",
  OBSERVER: "127.0.0.1:6000; unix:/run/copy.sock; udp://127.0.0.1:6000; file:/var/tmp/{session}.bin,copies=both",
  FAULT: "latency:latency=100ms,jitter=20ms; bandwidth:rate=100KB/s; limit_data:bytes=1MB,stream=upstream; down",
  UDP: "9920, :9920 (every interface), localhost:9920, [::1]:9920; 239.1.2.3:9920 is a group, 10.0.0.5@232.1.2.3:9920 what one source sends to it, [ff02::1]:9920%eth0 one on this interface, %* on all of them",
  ROUTE:
    "udp://239.1.2.3:9920, or without udp://; to read, tcp://, tls:// and unix: connect; listen://:9930 accepts; file:PATH, fd:3, - for standard input or output",
  GROUP: "239.1.2.3:9918, [ff02::1]:9918%eth0",
  FIELD: "width=4; offset=2,width=4,byte_order=little,includes=all,adjust=-2",
  CONDITION: "p99<5ms, p99.99<=1s, mean<1ms, max<2s, rate>=10000, requests>=50000, errors<0.1%, errors<=5",
  SHA256: "64 hexadecimal digits, or base64 such as sha256//s7Gjhr9KXhgsQh6ONAniXt4a39HpR++4LpmLLnugUz0=",
  SIZE: "64KiB, 1MiB (1024s); 64KB, 1MB (1000s)",
};

/** All flags of a command. */
export function flagsOf(command: Command): readonly Flag[] {
  return command.flagGroups.flatMap(({ flags }) => flags);
}

/** How help writes the name of a flag. */
export function longNameOf(flag: Flag): string {
  return flag.kind === "boolean" && flag.negatable ? `--[no-]${flag.name}` : `--${flag.name}`;
}

/** What stands for the value of a flag in help. */
export function placeholderOf(flag: Exclude<Flag, { kind: "boolean" }>): string {
  return flag.kind === "choice" ? flag.placeholder : KINDS[flag.kind].placeholder;
}

/**
 * How a command is called, without its flags.
 *
 * @example usageOf(program, echo) // "weir echo [LISTEN]"
 */
export function usageOf(program: Program, command: Command): string {
  const words = command.positionals.map(({ name, default: text, repeatable }) => {
    return `${text === undefined ? name : `[${name}]`}${repeatable ? "…" : ""}`;
  });
  return [program.name, command.name, ...words].join(" ");
}
