/**
 * From the words of a command line to a command with its values, all checked. The one place that knows
 * `parseArgs`, and that only for cutting words into tokens: what it says about wrong ones differs from
 * runtime to runtime and knows neither the commands nor what was meant.
 */
import { parseArgs } from "node:util";
import { nearest, unexpected } from "../config/nearest.ts";
import { visible } from "../config/problem.ts";
import { UsageError } from "../net/errors.ts";
import {
  type BooleanFlag,
  type ChoiceFlag,
  type Command,
  type Flag,
  type FlagValue,
  flagsOf,
  KINDS,
  type Parsed,
  type Positional,
  type Program,
  placeholderOf,
  usageOf,
  type ValueFlag,
} from "./command.ts";

/**
 * Reads a command line, given without the program itself. Nothing at all asks for help.
 *
 * @example parseCommandLine(["tcp", "8080", "example.com:80", "--idle-timeout", "1h"], program)
 *   // { kind: "run", command: …, positionals: ["8080", "example.com:80"], flags: { "idle-timeout": 3600000 } }
 * @throws {UsageError} `EUSAGE`, one line: the first thing that is wrong and what to do about it.
 */
export function parseCommandLine(args: readonly string[], program: Program): Parsed {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const before = at < 0 ? args : args.slice(0, at);
  const misplaced = program.commands.flatMap(flagsOf).flatMap((flag) => before.filter(isMeantBy(flag)))[0];
  if (misplaced) fail(`${program.name}: ${misplaced} is a flag of commands; write it after one of them`);
  const general = readWords(program.name, before, [program.help, program.version]);
  if (general.flags.has(program.version.name)) return run(commandOf("version", program), [], new Map());
  const word = general.words[0] ?? args[at];
  if (word === undefined) return { kind: "help" };
  const two = program.commands.find(({ name }) => name === `${word} ${args[at + 1]}`);
  const family = two ? [] : familyOf(word, program);
  if (family.length > 0) return parseFamily(word, family, args.slice(at + 1), program);
  const command = two ?? commandOf(word, program);
  if (general.flags.has(program.help.name)) return { kind: "help", command };
  return parseCommand(command, args.slice(at + (two ? 2 : 1)), program);
}

function isMeantBy({ name, short }: Flag): (arg: string) => boolean {
  return (arg) => arg === `-${short}` || arg.replace(/=.*/s, "") === `--${name}`;
}

/** Those whose first word it is, where that alone is no command. */
function familyOf(word: string, { commands }: Program): readonly Command[] {
  if (commands.some(({ name }) => name === word)) return [];
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}

/** Without a second word, all of them are explained. */
function parseFamily(word: string, family: readonly Command[], args: readonly string[], program: Program): Parsed {
  const second = args.find((arg) => !arg.startsWith("-"));
  if (second === undefined) return { kind: "help", family };
  const seconds = family.map(({ name }) => name.slice(word.length + 1));
  const meant = nearest(second, seconds);
  const suggestion = meant ? `did you mean "${word} ${meant}"? ` : "";
  const remedy = `${suggestion}"${program.name} ${word} --help" lists them.`;
  return fail(`Unknown command "${word} ${second}"; ${remedy}`);
}

function commandOf(name: string, { commands, name: weir }: Program): Command {
  const command = commands.find((each) => each.name === name);
  if (command) return command;
  const meant = nearest(
    name,
    commands.map((each) => each.name),
  );
  const suggestion = meant ? `did you mean "${meant}"? ` : "";
  return fail(`Unknown command "${name}"; ${suggestion}"${weir} --help" lists them.`);
}

function parseCommand(command: Command, args: readonly string[], program: Program): Parsed {
  const where = `${program.name} ${command.name}`;
  const known = [...flagsOf(command), program.help];
  // Whoever asks for help gets it, whatever else is on the line.
  if (beforeTerminator(args).some(isMeantBy(program.help))) return { kind: "help", command };
  const { words, flags } = readWords(where, args, known);
  if (flags.has(program.help.name)) return { kind: "help", command };
  const usage = usageOf(program, command);
  const last = command.positionals.at(-1);
  const extra = last?.repeatable ? undefined : words[command.positionals.length];
  if (extra !== undefined) fail(`${where}: unexpected argument "${extra}"; usage: ${usage}`);
  const count = Math.max(words.length, command.positionals.length);
  const positionals = Array.from({ length: count }, (_, index) => {
    const each = (command.positionals[index] ?? last) as Positional;
    const text = words[index];
    // What nobody has written is not theirs to put right.
    if (text === undefined) return each.default ?? fail(`${where}: ${each.name} is missing; usage: ${usage}`);
    readValue(each, text, `${where}: ${each.name}`);
    return text;
  });
  if (command.name !== "help") return run(command, positionals, flags);
  const about = words.join(" ");
  if (about === "") return { kind: "help" };
  const family = familyOf(about, program);
  return family.length > 0 ? { kind: "help", family } : { kind: "help", command: commandOf(about, program) };
}

function run(command: Command, positionals: readonly string[], flags: ReadonlyMap<string, FlagValue>): Parsed {
  return { kind: "run", command, positionals, flags: Object.fromEntries(flags) };
}

/** Reads flags and whatever else is there; `where` begins each message. */
function readWords(where: string, args: readonly string[], known: readonly Flag[]) {
  // A dash among letters ends the flags for parseArgs of Node and Deno, not for Bun's. It is always a mistake.
  const odd = beforeTerminator(args).find((arg) => /^-[^-].*-/s.test(arg));
  if (odd !== undefined) fail(unknownFlag(where, odd, known));
  const words: string[] = [];
  const given = new Map<Flag, OptionToken[]>();
  for (const token of tokensOf(args, known)) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const flag = known.find(({ name }) => name === token.name) ?? negated(token, known);
    // -idel is -i -d -e -l to parseArgs: show, and compare, what was typed.
    const typed = token.rawName.startsWith("--") ? token.rawName : (args[token.index] ?? token.rawName);
    if (!flag) return fail(unknownFlag(where, typed, known));
    given.set(flag, [...(given.get(flag) ?? []), token]);
  }
  const values = [...given].map(([flag, tokens]) => [flag.name, readFlag(where, flag, tokens)] as const);
  return { words, flags: new Map<string, FlagValue>(values) };
}

function beforeTerminator(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

/** Node 20, Bun 1.4 and Deno 2.9 agree on these, but for halves of emoji in `rawName`. */
function tokensOf(args: readonly string[], known: readonly Flag[]) {
  const options = Object.fromEntries(
    known.map(({ name, short, kind }) => {
      const type = kind === "boolean" ? ("boolean" as const) : ("string" as const);
      return [name, short === undefined ? { type } : { type, short }];
    }),
  );
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

type OptionToken = Extract<ReturnType<typeof tokensOf>[number], { kind: "option" }>;

/** `--no-x`; parseArgs has allowNegative for that, but not in every Node 20. */
function negated({ name, rawName }: OptionToken, known: readonly Flag[]): BooleanFlag | undefined {
  if (!rawName.startsWith("--no-")) return undefined;
  return known.filter(isNegatable).find((flag) => name === `no-${flag.name}`);
}

function isNegatable(flag: Flag): flag is BooleanFlag {
  return flag.kind === "boolean" && flag.negatable === true;
}

function unknownFlag(where: string, typed: string, known: readonly Flag[]): string {
  const names = known.flatMap((flag) => (isNegatable(flag) ? [flag.name, `no-${flag.name}`] : [flag.name]));
  const word = typed.replace(/^-+/, "");
  // --idle is further from --idle-timeout than a typing error.
  const meant = nearest(word, names) ?? (word.length > 2 ? names.find((name) => name.startsWith(word)) : undefined);
  const remedy = meant ? `did you mean "--${meant}"?` : `"${where} --help" lists them`;
  return `${where}: unknown flag "${typed}"; ${remedy}`;
}

function readFlag(where: string, flag: Flag, tokens: readonly OptionToken[]): FlagValue {
  const what = `${where}: --${flag.name}`;
  if (flag.kind === "choice" && flag.repeatable) {
    const texts = tokens.flatMap((token) => textOf(what, flag, token).split(","));
    return [...new Set(texts.map((text) => chosen(what, flag, text)))];
  }
  if (flag.kind !== "boolean" && flag.kind !== "choice" && flag.repeatable) {
    return tokens.map((token) => readValue(flag, textOf(what, flag, token), what)) as FlagValue;
  }
  const [token, ...more] = tokens;
  if (!token || more.length > 0) return fail(`${what} is given twice; keep one`);
  if (flag.kind === "boolean") {
    const negation = flag.negatable ? ` or --no-${flag.name}` : "";
    if (token.value !== undefined) fail(`${what} takes no value; write --${flag.name}${negation}`);
    return token.name === flag.name;
  }
  const text = textOf(what, flag, token);
  return flag.kind === "choice" ? chosen(what, flag, text) : readValue(flag, text, what);
}

function textOf(what: string, flag: ChoiceFlag | ValueFlag, { value, inlineValue, rawName }: OptionToken): string {
  if (value === undefined) return fail(`${what} needs a value; write --${flag.name} ${placeholderOf(flag)}`);
  // parseArgs takes whatever comes next. A name that begins with a dash is rarer than a value left out.
  if (!inlineValue && value.startsWith("-") && value !== "-") {
    fail(`${what} needs a value, and "${value}" looks like a flag; if you mean it, write ${rawName}=${value}`);
  }
  return value;
}

function chosen(what: string, { values }: ChoiceFlag, text: string): string {
  if (values.includes(text)) return text;
  return fail(`${what}: ${unexpected(text, values)}`);
}

function readValue({ kind }: Pick<Positional, "kind">, text: string, what: string) {
  try {
    return KINDS[kind].parse(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return fail(`${what}: ${error.message}`);
  }
}

/** Messages quote what was typed: a line feed or an escape sequence in it must not reach the terminal. */
function fail(message: string): never {
  throw new UsageError("EUSAGE", visible(message));
}
