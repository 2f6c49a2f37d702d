/**
 * The manual page, made of the table of commands, in the macros of man(7): those alone that groff and mandoc have alike.
 */
import { either } from "../config/nearest.ts";
import { VERSION } from "../version.ts";
import {
  type Command,
  type Example,
  type Flag,
  flagsOf,
  KINDS,
  longNameOf,
  NOTATION,
  type Program,
  placeholderOf,
  usageOf,
} from "./command.ts";
import { OLD_NAMES } from "./old-names.ts";

/** mandoc finds longer ones bad style. */
const WIDTH = 80;

/** Lines of roff. `date`: such as 2026-03-01. */
export function manPage(program: Program, date: string): string[] {
  const { name, about, commands, examples, help, version } = program;
  return [
    '.\\" Made by "weir man".',
    `.TH ${name.toUpperCase()} 1 "${date}" "${name} ${VERSION}" "User Commands"`,
    // No hyphens, and no spaces between sentences that depend on the line.
    ".nh",
    ".ad l",
    ".SH NAME",
    `${name} \\- ${text(about)}`,
    ".SH SYNOPSIS",
    ...commands.flatMap((command, index) => [...(index === 0 ? [] : [".br"]), synopsis(program, command)]),
    ".SH DESCRIPTION",
    ...DESCRIPTION.flatMap((paragraph, index) => [...(index === 0 ? [] : [".PP"]), ...lines(paragraph)]),
    ".SH OPTIONS",
    ...[help, version].flatMap(flagEntry),
    ".SH COMMANDS",
    ...commands.flatMap((command) => commandPart(program, command)),
    ".SH VALUES",
    ...notation(commands),
    ".SH EXIT STATUS",
    ...EXIT_CODES.flatMap(([code, what]) => [".TP", `.B ${code}`, ...lines(what)]),
    ".SH SIGNALS",
    ...SIGNALS.flatMap(([signal, what]) => [".TP", `.B ${signal}`, ...lines(what)]),
    ".SH OTHER NAMES",
    ...lines(
      `Started through a link, or as a copy, that is called ${either(OLD_NAMES)}, weir takes the command line of that program. weir install-links makes such links, and weir as NAME needs none.`,
    ),
    ".SH EXAMPLES",
    ...exampleEntries(examples).slice(1),
    ".SH SEE ALSO",
    ...lines("weir COMMAND --help explains a command, weir help udp several that belong together."),
  ];
}

const DESCRIPTION = [
  "weir stands between clients and servers and relays TCP, UDP and unix-socket traffic. It lets in whom you want, spreads connections over several targets, ends and begins TLS, lets many clients share few connections, copies what passes to observers, writes it down, changes it, and breaks connections on purpose for tests.",
  "Addresses that are really bound are printed, and figures are served over HTTP on 127.0.0.1:8998 unless --metrics says otherwise.",
];

const EXIT_CODES = [
  ["0", "Done."],
  ["1", "It has failed while running."],
  ["2", "The command line or a configuration is wrong; standard error says where, and what to do."],
] as const;

const SIGNALS = [
  ["SIGINT, SIGTERM", "Stop listening, and let connections finish for the grace period; a second one cuts them."],
  ["SIGHUP", "Read the configuration again, without a connection lost."],
] as const;

function synopsis(program: Program, command: Command): string {
  const [name = "", ...words] = usageOf(program, command)
    .slice(program.name.length + 1)
    .split(/ (?=[[A-Z])/);
  const flags = flagsOf(command).length > 0 ? ["[FLAGS]"] : [];
  return `\\fB${text(program.name)} ${text(name)}\\fR ${text([...words, ...flags].join(" "))}`.trimEnd();
}

function commandPart(program: Program, command: Command): string[] {
  const { summary, about = `${summary}.`, positionals, flagGroups, examples } = command;
  const shown = flagGroups.filter(({ flags }) => flags.length > 0);
  return [
    `.SS "${text(usageOf(program, command))}"`,
    ...lines(about),
    ...positionals.flatMap((each) => entry(`\\fI${text(each.name)}\\fR`, each.about, each.default)),
    ...shown.flatMap(({ title, flags }) => [
      ...(shown.length > 1 ? [".PP", `\\fI${text(title)}\\fR`] : []),
      ...flags.flatMap(flagEntry),
    ]),
    ...(examples.length > 0 ? [".PP", text(examples.length > 1 ? "Examples:" : "Example:")] : []),
    ...exampleEntries(examples),
  ];
}

function flagEntry(flag: Flag): string[] {
  const names = [...(flag.short === undefined ? [] : [`-${flag.short}`]), longNameOf(flag)].map(
    (name) => `\\fB${text(name)}\\fR`,
  );
  const value = flag.kind === "boolean" ? "" : ` \\fI${text(placeholderOf(flag))}\\fR`;
  return entry(`${names.join(", ")}${value}`, flag.about, flag.default);
}

function entry(term: string, about: string, value = ""): string[] {
  return [".TP", term, ...lines(value === "" ? about : `${about} (default: ${value})`)];
}

function notation(commands: readonly Command[]): string[] {
  const used = new Set(
    commands.flatMap((command) => [
      ...flagsOf(command).flatMap((flag) => (flag.kind === "boolean" ? [] : placeholderOf(flag).split("|"))),
      ...command.positionals.flatMap(({ kind }) => KINDS[kind].placeholder.split("|")),
    ]),
  );
  const terms = Object.entries(NOTATION).filter(([term]) => used.has(term));
  return terms.flatMap(([term, how]) => entry(`\\fI${term}\\fR`, how));
}

function exampleEntries(examples: readonly Example[]): string[] {
  return examples.flatMap(({ about, line }) => [
    ".PP",
    text(`${about}:`),
    ".PP",
    ".nf",
    ".RS 4",
    text(line),
    ".RE",
    ".fi",
  ]);
}

/** A paragraph, in lines that people can read as well. */
function lines(paragraph: string): string[] {
  const all: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    if (line !== "" && text(line).length + 1 + text(word).length > WIDTH) {
      all.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...all, line].map(text);
}

/** As roff is to print it: no line is a request, a minus stays one that can be copied, quotes stay straight. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll('"', "\\(dq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll("`", "\\(ga")
    .replaceAll("…", "...")
    .replace(
      /[^\x20-\x7e]/gu,
      (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
    );
  return escaped.startsWith(".") ? `\\&${escaped}` : escaped;
}
