/** What shells can offer, out of the table of commands: plain data, from which each shell's script is written. */
import { type Command, type Flag, flagsOf, offersOf, type Program, placeholderOf } from "../command.ts";

export interface Completions {
  readonly program: string;
  /** In place of a command. */
  readonly flags: readonly OfferedFlag[];
  readonly commands: readonly OfferedCommand[];
}

export interface OfferedCommand {
  /** One word, or two: `mux list`. */
  readonly name: string;
  readonly about: string;
  /** Those that can follow it as a word of their own: `list` after `mux`. */
  readonly seconds: readonly Word[];
  readonly flags: readonly OfferedFlag[];
  /** One after the other; the last may repeat. */
  readonly positionals: readonly (Value & { readonly repeatable: boolean })[];
}

export interface Word {
  readonly name: string;
  readonly about: string;
}

export interface OfferedFlag {
  /** Without dashes. */
  readonly name: string;
  readonly short?: string;
  readonly about: string;
  /** Not given again; `--no-x` and `--x` are each other's. */
  readonly repeatable: boolean;
  readonly value?: Value;
}

/** What can be written for an argument, or behind a flag. */
export interface Value {
  readonly placeholder: string;
  readonly words: readonly string[];
  readonly paths: "files" | "folders" | undefined;
  /** Several words, with commas between them. */
  readonly commas: boolean;
}

export function completionsOf(program: Program): Completions {
  const firsts = new Set(program.commands.map(({ name }) => name.split(" ")[0] ?? name));
  const families = [...firsts].filter((first) => !program.commands.some(({ name }) => name === first));
  return {
    program: program.name,
    flags: [program.help, program.version].flatMap(offered),
    commands: [
      ...program.commands.map((command) => commandOffer(program, command)),
      ...families.map((name) => familyOffer(program, name)),
    ],
  };
}

/** What can stand first, behind the program. */
export function firstWords({ commands }: Completions): Word[] {
  return commands.filter(({ name }) => !name.includes(" ")).map(({ name, about }) => ({ name, about }));
}

function commandOffer(program: Program, command: Command): OfferedCommand {
  return {
    name: command.name,
    about: command.summary,
    seconds: secondsOf(program, command.name),
    flags: [...flagsOf(command), program.help].flatMap(offered),
    positionals: command.positionals.map(({ kind, name, repeatable = false }) => {
      const { words = [], paths } = offersOf(kind);
      // Commands are known to the table alone.
      const known = kind === "command" ? program.commands.map((each) => each.name.split(" ")[0] ?? "") : words;
      return { placeholder: name, words: [...new Set(known)], paths, commas: false, repeatable };
    }),
  };
}

/** A first word that is no command by itself. */
function familyOffer(program: Program, name: string): OfferedCommand {
  const seconds = secondsOf(program, name);
  const about = `${seconds.map((each) => each.name).join(", ")}`;
  return { name, about, seconds, flags: offered(program.help), positionals: [] };
}

function secondsOf({ commands }: Program, first: string): Word[] {
  const own = commands.filter(({ name }) => name.startsWith(`${first} `));
  return own.map(({ name, summary }) => ({ name: name.slice(first.length + 1), about: summary }));
}

/** One that can be switched off is two. */
function offered(flag: Flag): OfferedFlag[] {
  const { name, about } = flag;
  const short = flag.short === undefined ? {} : { short: flag.short };
  if (flag.kind !== "boolean") {
    return [{ name, ...short, about, repeatable: flag.repeatable === true, value: valueOffer(flag) }];
  }
  const plain = { name, ...short, about, repeatable: false };
  return flag.negatable ? [plain, { name: `no-${name}`, about: `Not --${name}`, repeatable: false }] : [plain];
}

function valueOffer(flag: Exclude<Flag, { kind: "boolean" }>): Value {
  const placeholder = placeholderOf(flag);
  if (flag.kind === "choice") {
    return { placeholder, words: flag.values, paths: undefined, commas: flag.repeatable === true };
  }
  const { words = [], paths } = offersOf(flag.kind);
  return { placeholder, words, paths, commas: false };
}
