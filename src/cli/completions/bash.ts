/** The completions for bash; they need nothing of the package bash-completion. */
import { type Completions, firstWords, type OfferedCommand, type OfferedFlag, type Value } from "./offers.ts";

export function bashCompletions(completions: Completions): string {
  const { program, flags, commands } = completions;
  const pairs = commands.filter(({ name }) => name.includes(" ")).map(({ name }) => quote(name));
  return `# Completions of ${program} for bash, made by "${program} completions bash".

_${program}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at=1 command="" position=0 flag="" word
  COMPREPLY=()
  # An equals sign is a word of its own to bash.
  if [[ $cur == "=" ]]; then
    flag=\${COMP_WORDS[COMP_CWORD - 1]} cur=""
  elif ((COMP_CWORD > 1)) && [[ \${COMP_WORDS[COMP_CWORD - 1]} == "=" ]]; then
    flag=\${COMP_WORDS[COMP_CWORD - 2]}
  elif ((COMP_CWORD > 1)) && [[ \${COMP_WORDS[COMP_CWORD - 1]} == -?* ]]; then
    flag=\${COMP_WORDS[COMP_CWORD - 1]}
  fi
  while ((at < COMP_CWORD)); do
    word=\${COMP_WORDS[at]}
    if [[ -z $command ]]; then
      [[ $word == -* ]] || command=$word
    elif ((position == 0)) && _${program}_two "$command $word"; then
      command="$command $word"
    elif [[ $word == "=" ]]; then
      at=$((at + 1))
    elif [[ $word == -?* ]]; then
      # Its value is no argument.
      [[ \${COMP_WORDS[at + 1]} != "=" ]] && _${program}_takes "$command" "$word" && at=$((at + 1))
    else
      position=$((position + 1))
    fi
    at=$((at + 1))
  done
  if [[ -n $flag ]] && _${program}_value "$command" "$flag"; then return; fi
  if [[ $cur == -* ]]; then _${program}_flags "$command"; else _${program}_argument "$command" "$position"; fi
}

_${program}_two() {
  case $1 in ${pairs.join(" | ")}) return 0 ;; esac
  return 1
}

_${program}_words() {
  local IFS=$'\\n'
  COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}

# Several with commas between them.
_${program}_list() {
  local done=""
  [[ $cur == *,* ]] && done="\${cur%,*},"
  local IFS=$'\\n'
  COMPREPLY+=($(compgen -P "$done" -W "$1" -- "\${cur##*,}"))
  compopt -o nospace 2>/dev/null
}

# What goes on behind a colon, which is a word of its own to bash.
_${program}_begun() {
  _${program}_words "$1"
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
}

_${program}_paths() {
  local IFS=$'\\n'
  COMPREPLY+=($(compgen "$1" -- "$cur"))
  compopt -o filenames 2>/dev/null
}

# Whether the word after a flag is its value.
_${program}_takes() {
  case "$1 $2" in
${takesLines(commands)}
  esac
  return 1
}

_${program}_value() {
  case "$1 $2" in
${valueLines(commands)}
  *) return 1 ;;
  esac
}

_${program}_flags() {
  case $1 in
  "") _${program}_words ${lines(names(flags))} ;;
${commands.map(({ name, flags: own }) => `  ${quote(name)}) _${program}_words ${lines(names(own))} ;;`).join("\n")}
  esac
}

_${program}_argument() {
  case "$1:$2" in
  :*) _${program}_words ${lines(firstWords(completions).map(({ name }) => name))} ;;
${commands.flatMap((command) => argumentLines(program, command)).join("\n")}
  esac
}

complete -F _${program} ${program}
`;

  function takesLines(all: readonly OfferedCommand[]): string {
    const cases = all.flatMap(({ name, flags: own }) =>
      own.filter(({ value }) => value).map((each) => [name, each] as const),
    );
    return `  ${cases.map(([name, flag]) => patterns(name, flag)).join(" | ")}) return 0 ;;`;
  }

  function valueLines(all: readonly OfferedCommand[]): string {
    const cases = all.flatMap(({ name, flags: own }) => own.map((each) => [name, each] as const));
    return cases
      .flatMap(([name, flag]) => (flag.value ? [`  ${patterns(name, flag)}) ${offer(program, flag.value)} ;;`] : []))
      .join("\n");
  }
}

/** The flag of a command as `case` meets it. */
function patterns(command: string, { name, short }: OfferedFlag): string {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
    .map((each) => quote(`${command} ${each}`))
    .join(" | ");
}

function names(flags: readonly OfferedFlag[]): string[] {
  return flags.map(({ name }) => `--${name}`);
}

/** What puts into COMPREPLY what can be written. Nothing is better than files that cannot be meant. */
function offer(program: string, { words, paths, commas }: Value): string {
  const how = commas ? "list" : words.some((word) => word.endsWith(":")) ? "begun" : "words";
  const parts = [
    ...(words.length > 0 ? [`_${program}_${how} ${lines(words)}`] : []),
    ...(paths ? [`_${program}_paths ${paths === "files" ? "-f" : "-d"}`] : []),
  ];
  return parts.length > 0 ? `${parts.join("; ")}; return 0` : "return 0";
}

function argumentLines(program: string, { name, seconds, positionals }: OfferedCommand): string[] {
  const first = seconds.length > 0 ? [`_${program}_words ${lines(seconds.map((each) => each.name))}`] : [];
  return Array.from({ length: Math.max(positionals.length, first.length) }, (_, index) => {
    const value = positionals[index];
    const place = value?.repeatable ? "*" : String(index);
    const parts = [...(index === 0 ? first : []), ...(value ? [offer(program, value)] : [])];
    return `  ${quote(`${name}:`)}${place}) ${parts.join("; ")} ;;`;
  });
}

function lines(words: readonly string[]): string {
  return words.length > 0 && words.every((word) => /^[\w:.,-]+$/.test(word)) ? `$'${words.join("\\n")}'` : "''";
}

function quote(text: string): string {
  return `"${text}"`;
}
