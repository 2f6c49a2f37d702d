/** The completions for fish. */
import { type Completions, firstWords, type OfferedCommand, type OfferedFlag, type Value } from "./offers.ts";

export function fishCompletions(completions: Completions): string {
  const { program, flags, commands } = completions;
  const pairs = commands.filter(({ name }) => name.includes(" ")).map(({ name }) => quote(name));
  const first = `__${program}_at ''`;
  return `# Completions of ${program} for fish, made by "${program} completions fish".

# Whether the command so far is this one and, if a number is given, so many arguments stand behind it; 3+ is 3 or more.
function __${program}_at
    set -l words (commandline -opc)
    set -l command ''
    set -l position 0
    set -l value false
    for word in $words[2..-1]
        if test $value = true
            set value false
        else if string match -q -- '-*' $word
            __${program}_takes "$command $word"; and set value true
        else if test -z "$command"
            set command $word
        else if test $position = 0; and contains -- "$command $word" ${pairs.join(" ")}
            set command "$command $word"
        else
            set position (math $position + 1)
        end
    end
    test "$command" = "$argv[1]"; or return 1
    switch "$argv[2]"
        case ''
            return 0
        case '*+'
            test $position -ge (string replace + '' $argv[2])
        case '*'
            test $position = $argv[2]
    end
end

# Whether the word after a flag is its value.
function __${program}_takes
    contains -- $argv[1] ${commands.flatMap(takers).join(" ")}
end

complete -c ${program} -f
${firstWords(completions)
  .map(({ name, about }) => `complete -c ${program} -n ${quote(first)} -a ${quote(name)} -d ${quote(about)}`)
  .join("\n")}
${flags.map((flag) => flagLine(program, first, flag)).join("\n")}
${commands.flatMap((command) => commandLines(program, command)).join("\n")}
`;
}

/** Flags whose value is the next word, as `__weir_takes` gets them. */
function takers({ name, flags }: OfferedCommand): string[] {
  return flags.flatMap(({ name: long, short, value }) => {
    if (!value) return [];
    return [`--${long}`, ...(short === undefined ? [] : [`-${short}`])].map((flag) => quote(`${name} ${flag}`));
  });
}

function commandLines(program: string, { name, seconds, flags, positionals }: OfferedCommand): string[] {
  const at = (position = "") => `__${program}_at ${doubled(name)} ${position}`.trim();
  return [
    ...seconds.map((word) => {
      return `complete -c ${program} -n ${quote(at("0"))} -a ${quote(word.name)} -d ${quote(word.about)}`;
    }),
    ...flags.map((flag) => flagLine(program, at(), flag)),
    ...positionals.flatMap((value, index) => {
      const offer = offers(value);
      return offer === ""
        ? []
        : [`complete -c ${program} -n ${quote(at(`${index}${value.repeatable ? "+" : ""}`))} ${offer}`];
    }),
  ];
}

function flagLine(program: string, condition: string, { name, short, about, value }: OfferedFlag): string {
  // -x: a value, and no files.
  const offer = value ? ` ${value.paths === "files" ? "-r" : "-x"} ${offers(value)}`.trimEnd() : "";
  const names = `${short === undefined ? "" : `-s ${short} `}-l ${name}`;
  return `complete -c ${program} -n ${quote(condition)} ${names}${offer} -d ${quote(about)}`;
}

function offers({ words, paths, commas }: Value): string {
  const folders = paths === "folders" ? ["(__fish_complete_directories)"] : [];
  const list = commas ? [`(__fish_append , ${words.join(" ")})`] : [...words, ...folders];
  return [...(paths === "files" ? ["-F"] : []), ...(list.length > 0 ? [`-a ${quote(list.join(" "))}`] : [])].join(" ");
}

/** Within what is quoted by {@link quote}. */
function doubled(text: string): string {
  return `"${text}"`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
