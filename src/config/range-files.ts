/** Ranges that stand in files of their own, as lists of them do that others keep: one in each line. */
import { type Cidr, parseCidr } from "../net/cidr.ts";
import { UsageError } from "../net/errors.ts";
import type { Config } from "./config.ts";
import { visible } from "./problem.ts";

/** The text of a file; rejects with a {@link UsageError} that names it. */
export type ReadFile = (path: string) => Promise<string>;

/**
 * The configuration with the ranges of `allow_file` and `deny_file` in `allow` and `deny`.
 *
 * @param folder where the files lie, unless they say so themselves: empty or with a slash at its end.
 * @throws {UsageError} `ECONFIG`, one line for each file that cannot be read and for each range in them that cannot,
 *   with file, line and column.
 */
export async function withRangeFiles(config: Config, readFile: ReadFile, folder = ""): Promise<Config> {
  const found = await readAll(config, async (name) => {
    const path = placed(name, folder);
    return parseRanges(await readFile(path), path);
  });
  const proxies = config.proxies.map((proxy) => {
    const { allow, allowFile, deny, denyFile } = proxy;
    const ranges = (name: string | null) => (name === null ? [] : (found.get(name) ?? []));
    return { ...proxy, allow: [...allow, ...ranges(allowFile)], deny: [...deny, ...ranges(denyFile)] };
  });
  const open = proxies.find(({ allow, allowFile }) => allowFile !== null && allow.length === 0);
  if (open) throw new UsageError("ECONFIG", visible(`${placed(open.allowFile ?? "", folder)}: ${EMPTY}`));
  return { ...config, proxies };
}

/** `folder`: empty or with a slash at its end. */
export function placed(name: string, folder: string): string {
  return name.startsWith("/") ? name : `${folder}${name}`;
}

/** Who names a file of those to let in does not mean that an empty one lets in the whole world. */
const EMPTY = "there is no range in it, and without one everybody would be let in; write one, or name no file";

/** The ranges of all files by their names, or everything that is wrong with them, in the order of the configuration. */
async function readAll({ proxies }: Config, read: (name: string) => Promise<Cidr[]>): Promise<Map<string, Cidr[]>> {
  const named = proxies.flatMap(({ allowFile, denyFile }) => [allowFile, denyFile]).filter((name) => name !== null);
  const names = [...new Set(named)];
  const results = await Promise.allSettled(names.map(read));
  const problems: string[] = [];
  const found = new Map<string, Cidr[]>();
  for (const [index, result] of results.entries()) {
    if (result.status === "fulfilled") found.set(names[index] as string, result.value);
    else if (result.reason instanceof UsageError) problems.push(result.reason.message);
    else throw result.reason;
  }
  if (problems.length > 0) throw new UsageError("ECONFIG", problems.join("\n"));
  return found;
}

/**
 * Reads a list of ranges: one in each line; what follows a `#` is a comment.
 *
 * @example parseRanges("10.0.0.0/8 # the office\n", "office.txt").length // 1
 * @throws {UsageError} `ECONFIG`
 */
export function parseRanges(text: string, file: string): Cidr[] {
  const ranges: Cidr[] = [];
  const problems: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const range = line.replace(/#.*/, "").trim();
    if (range === "") continue;
    try {
      ranges.push(parseCidr(range));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(visible(`${file}:${index + 1}:${line.indexOf(range) + 1}: ${error.message}`));
    }
  }
  if (problems.length > 0) throw new UsageError("ECONFIG", problems.join("\n"));
  return ranges;
}
