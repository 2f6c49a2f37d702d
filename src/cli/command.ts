/**
 * What a command line can hold, as types of data: `program.ts` is the table, from which `parse.ts` reads
 * command lines and `help.ts` writes what people see.
 */

import * as v from "valibot";
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
import { httpPath, label, words } from "../config/values.ts";
import { parseRoute } from "../datagram/bridge/route-address.ts";
import { parseAssertion } from "../load/assertion.ts";
import { parseLoadTarget } from "../load/load-target.ts";
import { messageSize } from "../load/scenario.ts";
import { type Address, parseAddress, parseEndpoint, parseIp, parsePlainListen } from "../net/address.ts";
import { parseCidr } from "../net/cidr.ts";
import { UsageError } from "../net/errors.ts";
import { parseFingerprint } from "../tls/fingerprint.ts";
import { parseName, parseServerName } from "../tls/names.ts";
import { hostName, parseAlpn } from "../tls/server-name.ts";

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

/** What a value can be: how help writes it, and what becomes of its text. */
export const KINDS = {
  label: { placeholder: "NAME", parse: parseLabel },
  id: { placeholder: "ID", parse: parseLabel },
  file: { placeholder: "FILE", parse: parseFile },
  command: { placeholder: "COMMAND", parse: (text: string) => text },
  seconds: { placeholder: "N", parse: parseSeconds },
  duration: { placeholder: "DURATION", parse: parseDuration },
  period: { placeholder: "DURATION", parse: parsePeriod },
  durationOrOff: { placeholder: "DURATION|off", parse: parseDurationOrOff },
  buffer: { placeholder: "SIZE", parse: parseBuffer },
  sizeOrOff: { placeholder: "SIZE|off", parse: (text: string) => parseSizeOrOff(text) },
  workers: { placeholder: "N|auto", parse: parseWorkers },
  retries: { placeholder: "N", parse: parseRetries },
  speed: { placeholder: "N|max", parse: parseSpeed },
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
  },
  target: { placeholder: "ADDRESS", parse: parseTargetOptions },
  observer: { placeholder: "OBSERVER", parse: parseObserver },
  fault: { placeholder: "FAULT", parse: parseFault },
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
  input: { placeholder: "FILE|-", parse: parseInput },
  output: { placeholder: "FILE|-", parse: parseOutput },
  interface: { placeholder: "NAME", parse: parseInterface },
  ttl: { placeholder: "N", parse: (text: string) => parseCount(text, 0, TTL_MAX) },
  keep: { placeholder: "N", parse: (text: string) => parseCount(text, 0, KEEP_MAX) },
  datagram: { placeholder: "SIZE", parse: parseDatagramSize },
  sni: { placeholder: "NAME", parse: parseSni },
  protocol: { placeholder: "PROTOCOL", parse: parseAlpn },
  loadTarget: { placeholder: "ADDRESS", parse: parseLoadTarget },
  messageSize: { placeholder: "SIZE", parse: messageSize },
  assertion: { placeholder: "CONDITION", parse: parseAssertion },
} as const;

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

/** A port alone is that of every interface, as tcp-multiplexer has it. */
function parsePortOrListen(text: string): Address {
  return parseAddress(/^\d+$/.test(text) ? `:${text}` : text, "listen");
}

function parseLabel(text: string): string {
  return bySchema(label("A name."), text);
}

function parseSni(text: string): string {
  const name = hostName(text);
  if (name === undefined) throw new UsageError("EUSAGE", `expected a host name such as example.com, found "${text}"`);
  return name;
}

function parseWords(text: string): string {
  // As in files, where TOML does it: a line feed could not be typed otherwise.
  const unescaped = text.replace(/\\([nrt\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
  return bySchema(words("Words."), unescaped);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };

function parsePath(text: string): string {
  return bySchema(httpPath("A path."), text);
}

/** The rule for such values in files. */
function bySchema(schema: v.GenericSchema<string>, text: string): string {
  const result = v.safeParse(schema, text);
  if (!result.success) throw new UsageError("EUSAGE", result.issues[0].message);
  return result.output;
}

/** Milliseconds since 1970 UTC. */
function parseTime(text: string): number {
  const form = /^(\d{4}-\d\d-(\d\d))(T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/;
  const [, date, day, time = "T00:00"] = form.exec(text) ?? [];
  // On its own Date.parse makes 2 March of 30 February, and takes a date without a time for one of UTC.
  const exists = new Date(`${date}T00:00Z`).getUTCDate() === Number(day);
  const at = exists ? Date.parse(`${date}${time}`) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new UsageError("EUSAGE", `expected a time such as 2026-03-01T09:30 or 2026-03-01T09:30Z, found "${text}"`);
}

function parseFile(text: string): string {
  if (text === "") throw new UsageError("EUSAGE", 'the name is empty; write that of a file, such as "weir.toml"');
  return text;
}

/** The longest that timers of all runtimes can wait: 31 bits of milliseconds. */
const MAX_SECONDS = 2_147_483;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new UsageError("EUSAGE", `expected a whole number of seconds from 1 to ${MAX_SECONDS}, found "${text}"`);
}
