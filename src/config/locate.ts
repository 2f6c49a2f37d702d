/**
 * Where in a TOML text a key path stands. Parses the text again, with positions, so this is for when there is
 * something to report. The only module that knows the parser with positions.
 */
import { type AST, parseTOML } from "toml-eslint-parser";
import type { Path, Problem } from "./problem.ts";

/** Both count from 1; columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Reads `text` once and returns a function that finds places in it: the key at `path`, or the value it is set
 * to. What is not in the file is found at the innermost table around it that is.
 *
 * @example locator("[log]\nlevel = 5\n")({ path: ["log", "level"], at: "value" }) // { line: 2, column: 9 }
 */
export function locator(text: string): (what: Pick<Problem, "path" | "at">) => Position {
  const nodes = topLevel(text);
  return ({ path, at }) => {
    const spot = deepest(nodes, path);
    return spot.depth === path.length && at === "key" ? spot.key : spot.value;
  };
}

/** Something the file has on the way to a path. */
interface Spot {
  /** How many parts of the path lead here. */
  readonly depth: number;
  /** The node is all of what is at this depth, not a header that only passes through. */
  readonly whole: boolean;
  readonly key: Position;
  readonly value: Position;
}

type Nodes = AST.TOMLTopLevelTable["body"];
type Offer = (spot: Spot) => void;

/** Empty if this parser refuses what the other one took: every problem then stands at the top of the file. */
function topLevel(text: string): Nodes {
  try {
    return parseTOML(text, { tomlVersion: "latest" }).body[0].body;
  } catch {
    return [];
  }
}

function deepest(nodes: Nodes, path: Path): Spot {
  const top = { line: 1, column: 1 };
  let best: Spot = { depth: 0, whole: true, key: top, value: top };
  const offer: Offer = (spot) => {
    const better = spot.depth > best.depth || (spot.depth === best.depth && spot.whole && !best.whole);
    if (better) best = spot;
  };
  for (const node of nodes) {
    if (node.type === "TOMLTable") searchTable(node, path, offer);
    else searchPair(node, path, 0, offer);
  }
  return best;
}

function searchTable(table: AST.TOMLTable, path: Path, offer: Offer): void {
  const names = table.resolvedKey;
  let depth = 0;
  while (depth < names.length && depth < path.length && names[depth] === path[depth]) depth++;
  const whole = depth === names.length;
  if (depth > 0) {
    // The header writes no positions: [[proxy]] has one key and resolves to ["proxy", 0].
    const keys = names.slice(0, depth).filter((name) => typeof name === "string").length;
    const key = table.key.keys[keys - 1] ?? table.key;
    offer({ depth, whole, key: start(key), value: start(table) });
  }
  if (whole) for (const pair of table.body) searchPair(pair, path, depth, offer);
}

function searchPair(pair: AST.TOMLKeyValue, path: Path, from: number, offer: Offer): void {
  let depth = from;
  for (const [index, key] of pair.key.keys.entries()) {
    if (path[depth] !== (key.type === "TOMLBare" ? key.name : key.value)) return;
    depth++;
    const whole = index === pair.key.keys.length - 1;
    offer({ depth, whole, key: start(key), value: start(whole ? pair.value : key) });
  }
  searchValue(pair.value, path, depth, offer);
}

function searchValue(value: AST.TOMLContentNode, path: Path, depth: number, offer: Offer): void {
  if (value.type === "TOMLInlineTable") {
    for (const pair of value.body) searchPair(pair, path, depth, offer);
  }
  if (value.type !== "TOMLArray") return;
  const index = path[depth];
  const element = typeof index === "number" ? value.elements[index] : undefined;
  if (element === undefined) return;
  offer({ depth: depth + 1, whole: true, key: start(element), value: start(element) });
  searchValue(element, path, depth + 1, offer);
}

function start(node: AST.HasLocs): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}
