/**
 * From the text of a configuration file, in any of the formats weir reads, to a configuration that is whole
 * and free of contradictions.
 */
import { checkConfig } from "./check.ts";
import type { Config } from "./config.ts";
import { basicTcpProxyFormat, tcpCloneFormat } from "./legacy.ts";
import { locator } from "./locate.ts";
import { nearest } from "./nearest.ts";
import { ConfigError, formatPath, type LocatedProblem, type Problem } from "./problem.ts";
import type { Format } from "./read.ts";
import { weirFormat } from "./schema.ts";
import { parseToml, type Table } from "./toml.ts";

/**
 * Reads a configuration file. `file` is its name, for messages. Which format it is in shows in its top-level
 * keys.
 *
 * @example loadConfig('[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:80"\n', "weir.toml").proxies[0].name // "proxy-1"
 * @throws {ConfigError} `ECONFIG` with all problems, in the order of lines: first those of syntax; without any,
 *   those of single values; without any, those of the whole.
 */
export function loadConfig(text: string, file: string): Config {
  return load(text.replace(/^\ufeff/, ""), file);
}

function load(text: string, file: string): Config {
  const toml = parseToml(text);
  if (!toml.ok) {
    const { line, column, message } = toml;
    throw new ConfigError([{ file, line, column, path: "", message }]);
  }
  const format = formatOf(toml.table);
  if (!("name" in format)) throw located([format], text, file);
  const result = format.read(toml.table);
  if (!result.ok) throw located(result.problems, text, file);
  const contradictions = checkConfig(result.value);
  if (contradictions.length === 0) return result.value;
  const placed = contradictions.map((problem) => ({ ...problem, path: format.place(problem.path, toml.table) }));
  throw located(placed, text, file);
}

const FORMATS = [weirFormat, tcpCloneFormat, basicTcpProxyFormat] as const;

/** The format with the file's keys. If they are of several, that is the problem. */
function formatOf(table: Table): Format | Problem {
  const owners = Object.keys(table).flatMap((key) => {
    const format = FORMATS.find((each) => each.keys.includes(key));
    return format ? [{ key, format }] : [];
  });
  const [first] = owners;
  if (!first) return formatMeant(table);
  const other = owners.find((owner) => owner.format !== first.format);
  if (!other) return first.format;
  const message =
    `"${other.key}" is a key of ${other.format.name}'s files, "${first.key}" one of ${first.format.name}'s; ` +
    "keep to one of them";
  return { path: [other.key], at: "key", message };
}

/** No key is right: judge by what they look like. */
function formatMeant(table: Table): Format {
  const known = FORMATS.flatMap((format) => format.keys);
  for (const key of Object.keys(table)) {
    const meant = nearest(key, known);
    const format = FORMATS.find((each) => meant !== undefined && each.keys.includes(meant));
    if (format) return format;
  }
  return weirFormat;
}

/** The problems of a file with their places, in the order of lines. */
export function located(problems: readonly Problem[], text: string, file: string): ConfigError {
  const find = locator(text);
  const placed: LocatedProblem[] = problems.map((problem) => {
    return { file, ...find(problem), path: formatPath(problem.path), message: problem.message };
  });
  return new ConfigError(placed.sort((a, b) => a.line - b.line || a.column - b.column));
}
