/** What `--help` prints, made of the table of commands: never wider than 100 columns, ready to be printed. */
import {
  type Command,
  type Example,
  type Flag,
  type FlagGroup,
  flagsOf,
  KINDS,
  longNameOf,
  NOTATION,
  type Program,
  placeholderOf,
  usageOf,
} from "./command.ts";
import { program as weir } from "./program.ts";

const WIDTH = 100;

/** What the program is, its commands, and what to try first. */
export function programHelp(program: Program): string[] {
  const { name, about, commands, help, version, examples } = program;
  const groups = [...new Set(commands.map(({ group }) => group))];
  const flags = [help, version].map(flagRow);
  return [
    about,
    "",
    `Usage: ${name} COMMAND [FLAGS]`,
    ...sections([...groups.map((title = "Commands"): Section => [title, callsOf(program, title)]), ["Flags", flags]]),
    ...exampleLines(examples),
    "",
    `"${name} COMMAND --help" explains a command and its flags.`,
  ];
}

/** Commands that have their first word in common: what each is for, and an example of it. */
export function familyHelp(family: readonly Command[], program: Program): string[] {
  const { name, help } = program;
  const calls: Row[] = family.map((command) => {
    return [usageOf(program, command).slice(name.length + 1), command.summary];
  });
  const [word = ""] = (family[0]?.name ?? "").split(" ");
  return [
    `Usage: ${name} ${word} COMMAND [FLAGS]`,
    ...sections([
      ["Commands", calls],
      ["Flags", [flagRow(help)]],
    ]),
    ...exampleLines(family.flatMap(({ examples }) => examples.slice(0, 1))),
    "",
    `"${name} ${word} COMMAND --help" explains a command and its flags.`,
  ];
}

/**
 * What a command does, all it can be given, and examples.
 *
 * @param program whose command it is; weir itself if left out.
 */
export function commandHelp(command: Command, program: Program = weir): string[] {
  const { summary, about, positionals, flagGroups, examples } = command;
  const values = positionals.map((each): Row => [each.name, described(each.about, each.default)]);
  return [
    ...wrap(about ?? `${summary}.`, WIDTH),
    "",
    `Usage: ${usageOf(program, command)} [FLAGS]`,
    ...sections([
      ["Arguments", values],
      ...withHelp(flagGroups, program.help).map(({ title, flags }): Section => [title, flags.map(flagRow)]),
      ["Values", notation(command)],
    ]),
    ...exampleLines(examples),
  ];
}

/** The commands of a group, by its title. */
function callsOf(program: Program, title: string): Row[] {
  const own = program.commands.filter(({ group = "Commands" }) => group === title);
  return own.map((command) => [usageOf(program, command).slice(program.name.length + 1), command.summary]);
}

type Row = readonly [term: string, text: string];
type Section = readonly [title: string, rows: readonly Row[]];

function withHelp([first, ...rest]: readonly FlagGroup[], help: Flag): FlagGroup[] {
  return [{ title: first?.title ?? "Flags", flags: [...(first?.flags ?? []), help] }, ...rest];
}

/** Terms and texts in two columns, the same two in all sections. */
function sections(all: readonly Section[]): string[] {
  const filled = all.filter(([, rows]) => rows.length > 0);
  const indent = Math.max(...filled.flatMap(([, rows]) => rows.map(([term]) => term.length))) + 4;
  return filled.flatMap(([title, rows]) => ["", `${title}:`, ...rows.flatMap((row) => columns(row, indent))]);
}

function columns([term, text]: Row, indent: number): string[] {
  const [first = "", ...rest] = wrap(text, WIDTH - indent);
  return [`  ${term}`.padEnd(indent) + first, ...rest.map((line) => " ".repeat(indent) + line)];
}

function flagRow(flag: Flag): Row {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const value = flag.kind === "boolean" ? "" : ` ${placeholderOf(flag)}`;
  return [`${short}${longNameOf(flag)}${value}`, described(flag.about, flag.default)];
}

/** The no-break space keeps a default in one line; {@link wrap} makes it an ordinary one. */
function described(about: string, value = ""): string {
  return value === "" ? about : `${about} (default:\u00a0${value})`;
}

/** How to write the kinds of values that the command takes. */
function notation(command: Command): Row[] {
  const flags = flagsOf(command).flatMap((flag) => (flag.kind === "boolean" ? [] : [placeholderOf(flag)]));
  const used = [...flags, ...command.positionals.map(({ kind }) => KINDS[kind].placeholder)];
  return Object.entries(NOTATION).filter(([term]) => used.some((each) => each.split("|").includes(term)));
}

function exampleLines(examples: readonly Example[]): string[] {
  const lines = examples.flatMap(({ about, line }) => [`  # ${about}`, `  ${line}`]);
  return lines.length === 0 ? [] : ["", "Examples:", ...lines];
}

/** Breaks a text between words; a word longer than a line stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => each.replaceAll("\u00a0", " "));
}
