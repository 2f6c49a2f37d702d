/**
 * What a command line can hold, as types of data: `program.ts` is the table, from which `parse.ts` reads
 * command lines and `help.ts` writes what people see.
 */
import * as v from "valibot";
import { parseBuffer, parseDuration, parseDurationOrOff, parseRetries, parseWorkers } from "../config/units.ts";
import { label } from "../config/values.ts";
import { parseAddress, parseIp } from "../net/address.ts";
import { parseCidr } from "../net/cidr.ts";
import { UsageError } from "../net/errors.ts";

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
export type Parsed = Run | { readonly kind: "help"; readonly command?: Command };

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
  file: { placeholder: "FILE", parse: parseFile },
  command: { placeholder: "COMMAND", parse: (text: string) => text },
  seconds: { placeholder: "N", parse: parseSeconds },
  duration: { placeholder: "DURATION", parse: parseDuration },
  durationOrOff: { placeholder: "DURATION|off", parse: parseDurationOrOff },
  buffer: { placeholder: "SIZE", parse: parseBuffer },
  workers: { placeholder: "N|auto", parse: parseWorkers },
  retries: { placeholder: "N", parse: parseRetries },
  ip: { placeholder: "IP", parse: parseIp },
  cidr: { placeholder: "CIDR", parse: parseCidr },
  listen: { placeholder: "ADDRESS", parse: (text: string) => parseAddress(text, "listen") },
  listenOrOff: {
    placeholder: "ADDRESS|off",
    parse: (text: string) => (text === "off" ? null : parseAddress(text, "listen")),
  },
  target: { placeholder: "ADDRESS", parse: (text: string) => parseAddress(text, "target") },
} as const;

/** How to write what placeholders stand for. */
export const NOTATION: Readonly<Record<string, string>> = {
  ADDRESS:
    "8080, 127.0.0.1:8080, [::1]:8080, example.com:80, unix:/run/x.sock; listening on :8080 takes every interface",
  DURATION: "250ms, 5s, 10m, 1.5h, 1d",
  CIDR: "10.0.0.0/8, 192.168.1.7, fd00::/8",
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
  const words = command.positionals.map((each) => (each.default === undefined ? each.name : `[${each.name}]`));
  return [program.name, command.name, ...words].join(" ");
}

function parseLabel(text: string): string {
  // The rule for names in files.
  const result = v.safeParse(label("A name."), text);
  if (!result.success) throw new UsageError("EUSAGE", result.issues[0].message);
  return result.output;
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
