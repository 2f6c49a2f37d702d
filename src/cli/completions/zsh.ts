/** The completions for zsh: the file `_weir` of a folder of $fpath, or to be sourced behind compinit. */
import {
  type Completions,
  firstWords,
  type OfferedCommand,
  type OfferedFlag,
  type Value,
  type Word,
} from "./offers.ts";

export function zshCompletions(completions: Completions): string {
  const { program, flags, commands } = completions;
  const pairs = commands.filter(({ name }) => name.includes(" ")).map(({ name }) => quote(name));
  return `#compdef ${program}
# Completions of ${program} for zsh, made by "${program} completions zsh".

_${program}() {
  local -i at=2
  local command=""
  while ((at < CURRENT)); do
    if [[ $words[at] != -* ]]; then
      command=$words[at]
      break
    fi
    ((at++))
  done
  if [[ -z $command ]]; then
    _arguments ${flags.map(flagSpec).join(" ")} '1: :_${program}_commands'
    return
  fi
  if ((at + 1 < CURRENT)); then
    case "$command $words[at + 1]" in
    ${pairs.join(" | ")})
      ((at++))
      command="$command $words[at]"
      ;;
    esac
  fi
  shift $((at - 1)) words
  ((CURRENT -= at - 1))
  case $command in
${commands.map((command) => commandCase(program, command)).join("\n")}
  esac
}

_${program}_commands() {
  ${describe("command", firstWords(completions))}
}
${commands
  .filter(({ seconds }) => seconds.length > 0)
  .map(({ name, seconds }) => `\n_${program}_${name}_commands() {\n  ${describe("command", seconds)}\n}\n`)
  .join("")}
if [[ $funcstack[1] == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`;
}

function commandCase(program: string, { name, seconds, flags, positionals }: OfferedCommand): string {
  const specs = [
    ...flags.map(flagSpec),
    ...(seconds.length > 0 ? [quote(`1: :_${program}_${name}_commands`)] : []),
    // Whoever writes a first argument is past the second words.
    ...positionals.flatMap((value, index) => (index === 0 && seconds.length > 0 ? [] : [positionalSpec(value, index)])),
  ];
  return `  ${quote(name)})\n    _arguments -s -S \\\n      ${specs.join(" \\\n      ")}\n    ;;`;
}

function flagSpec({ name, short, about, repeatable, value }: OfferedFlag): string {
  const explained = `[${about.replace(/[[\]\\]/g, "\\$&")}]${value ? valueSpec(value) : ""}`;
  const long = `--${name}${value ? "=" : ""}`;
  if (short === undefined) return quote(`${repeatable ? "*" : ""}${long}${explained}`);
  const both = `{-${short}${value ? "+" : ""},${long}}`;
  return repeatable ? `'*'${both}${quote(explained)}` : `${quote(`(-${short} --${name})`)}${both}${quote(explained)}`;
}

function positionalSpec(value: OfferedCommand["positionals"][number], index: number): string {
  return quote(`${value.repeatable ? "*" : index + 1}${valueSpec(value)}`);
}

/** `:what it is:what there is to choose from` */
function valueSpec(value: Value): string {
  return `:${value.placeholder.replaceAll(":", "\\:")}:${action(value)}`;
}

function action({ words, paths, commas, placeholder }: Value): string {
  const files = paths === "folders" ? "_path_files -/" : "_files";
  if (commas) return `{_values -s , ${placeholder} ${words.join(" ")}}`;
  if (words.some((word) => word.endsWith(":"))) {
    return `{compadd -S "" - ${words.join(" ").replaceAll(":", "\\:")}}`;
  }
  if (words.length === 0) return paths ? files : " ";
  return paths ? `{_alternative "words:word:(${words.join(" ")})" "paths:path:${files}"}` : `(${words.join(" ")})`;
}

function describe(what: string, words: readonly Word[]): string {
  const each = words.map(({ name, about }) => quote(`${name.replaceAll(":", "\\:")}:${about}`));
  return `local -a all=(\n    ${each.join("\n    ")}\n  )\n  _describe ${what} all`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
