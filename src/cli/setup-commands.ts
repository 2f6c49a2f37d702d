/** What shells, editors and packages get from weir, and the names of the programs that it stands in for. */
import type { Command } from "./command.ts";
import { OLD_NAMES } from "./old-names.ts";

const group = "For shells, editors and packages";

const COMPLETIONS = {
  name: "completions",
  summary: "Print what completes weir's commands in a shell",
  about:
    "Prints a script for bash, zsh or fish that completes commands, flags, their values and files when Tab is pressed.",
  group,
  positionals: [{ name: "SHELL", kind: "shell", about: "bash, zsh or fish" }],
  flagGroups: [],
  examples: [
    { about: "bash, for this user", line: "weir completions bash > ~/.local/share/bash-completion/completions/weir" },
    { about: "zsh, in a folder of $fpath", line: "weir completions zsh > ~/.zfunc/_weir" },
    { about: "fish", line: "weir completions fish > ~/.config/fish/completions/weir.fish" },
  ],
} as const satisfies Command;

const SCHEMA = {
  name: "schema",
  summary: "Print the JSON Schema of weir's files",
  about:
    'Prints the JSON Schema (draft 7) of a format of files, for editors: with "#:schema ./weir.schema.json" in its first line a file is completed, explained and checked while it is written, by Taplo and what builds on it, such as Even Better TOML.',
  group,
  positionals: [
    {
      name: "FORMAT",
      kind: "fileFormat",
      default: "weir",
      about: "weir (configurations), scenarios (of weir load), or configurations of tcp-clone or basic-tcp-proxy",
    },
  ],
  flagGroups: [],
  examples: [{ about: "Beside the file that names it", line: "weir schema > weir.schema.json" }],
} as const satisfies Command;

const MAN = {
  name: "man",
  summary: "Print the manual page",
  about: "Prints all that --help tells, as a manual page in roff.",
  group,
  positionals: [],
  flagGroups: [],
  examples: [
    { about: "Read it", line: "weir man | man -l -" },
    { about: "Install it", line: "weir man > /usr/local/share/man/man1/weir.1" },
  ],
} as const satisfies Command;

const INSTALL_LINKS = {
  name: "install-links",
  summary: "Let weir be started by the names of older programs",
  about:
    "Makes a link to weir in DIR for each program whose command line weir takes, or, where weir is run from its source, a script that starts it. What is there already stays; what is not weir's is not touched, and then nothing is made.",
  group,
  positionals: [{ name: "DIR", kind: "folder", about: "A folder of $PATH" }],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        {
          name: "only",
          kind: "choice",
          placeholder: "NAME",
          values: OLD_NAMES,
          repeatable: true,
          about: `These alone, with a comma between several: ${OLD_NAMES.join(", ")}`,
        },
        { name: "force", short: "f", kind: "boolean", about: "Replace files and links that are not weir's" },
      ],
    },
  ],
  examples: [
    { about: "For everybody", line: "weir install-links /usr/local/bin" },
    { about: "One of them", line: "weir install-links ~/.local/bin --only tcp-clone" },
  ],
} as const satisfies Command;

const AS = {
  name: "as",
  summary: "Take the command line of an older program",
  about:
    "Does what weir does when it is started under NAME: takes the command line, and reads the files, of that program as they were. What stands behind NAME is all the program's.",
  group,
  positionals: [
    { name: "NAME", kind: "oldName", about: OLD_NAMES.join(", ") },
    { name: "ARGUMENT", kind: "argument", default: "", repeatable: true, about: "As the program had them" },
  ],
  flagGroups: [],
  examples: [
    { about: "tcp-clone's file", line: "weir as tcp-clone tcp-clone.toml" },
    { about: "The C++ TCP proxy server", line: "weir as tcpproxy_server 127.0.0.1 8080 10.0.0.1 80" },
    { about: "A multiplexer", line: "weir as tcp-multiplexer server -p echo -l 8000 -t 127.0.0.1:1234" },
  ],
} as const satisfies Command;

export const SETUP_COMMANDS = [COMPLETIONS, SCHEMA, MAN, INSTALL_LINKS, AS] as const satisfies readonly Command[];
