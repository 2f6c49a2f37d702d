/**
 * Holds the values of a file against a schema and finds everything that is wrong with them, not just the
 * first thing.
 */
import * as v from "valibot";
import type { Config } from "./config.ts";
import { nearest } from "./nearest.ts";
import type { Path, Problem } from "./problem.ts";
import { isTable, type Table } from "./toml.ts";
import { wrong } from "./values.ts";

/** One way to write a configuration. */
export interface Format {
  /** As users know it: `weir`, `tcp-clone`. */
  readonly name: string;
  /** What is valid. */
  readonly schema: v.GenericSchema;
  /** The keys at the top level: they tell formats apart. */
  readonly keys: readonly string[];
  /** From the values of a file; all that is wrong with single values is found here. */
  read(file: Table): Reading<Config>;
  /** Translates a path in weir's own format to where `file` has the same thing. */
  place(path: Path, file: Table): Path;
}

export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks `input` against `schema` and returns what it becomes, or all problems in no particular order. */
export function read<const S extends v.GenericSchema>(schema: S, input: unknown): Reading<v.InferOutput<S>> {
  const misshapen = checkShape(schema, input, []);
  const result = v.safeParse(schema, input);
  if (misshapen.length === 0 && result.success) return { ok: true, value: result.output };
  const values = (result.issues ?? []).flatMap((issue) => valueProblems(issue, []));
  return { ok: false, problems: [...misshapen, ...values.filter((problem) => !explained(problem, misshapen))] };
}

/** The keys a table may have. */
export function keysOf(schema: Schema): readonly string[] {
  return Object.keys(schema.entries ?? {});
}

/** The parts of the kinds of schema that files are made of. */
type Schema = v.GenericSchema & {
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly wrapped?: Schema;
  readonly options?: readonly (Schema | string)[];
};

/** Something that is not looked into any further. */
interface Misshape extends Problem {
  /** The key, missing from the same table, that an unknown key was probably meant to be. */
  readonly meant?: Path;
}

/**
 * Finds unknown keys and tables that are something else. strictObject cannot: it stops at the first unknown
 * key, and takes arrays and dates for tables.
 */
function checkShape(schema: Schema, input: unknown, path: Path): Misshape[] {
  if (schema.wrapped) return checkShape(schema.wrapped, input, path);
  if (schema.item) {
    const { item } = schema;
    return Array.isArray(input) ? input.flatMap((value, index) => checkShape(item, value, [...path, index])) : [];
  }
  if (schema.options) {
    const option = schema.options.find((each) => typeof each === "object" && each.entries !== undefined);
    return typeof option === "object" && isTable(input) ? checkShape(option, input, path) : [];
  }
  if (!schema.entries) return [];
  if (!isTable(input)) {
    return [{ path, at: "value", message: wrong("a table")({ input }) }];
  }
  const known = keysOf(schema);
  return Object.keys(input).flatMap((key) => {
    const entry = known.includes(key) ? schema.entries?.[key] : undefined;
    return entry ? checkShape(entry, input[key], [...path, key]) : unknownKey(key, input, path, known);
  });
}

function unknownKey(key: string, table: Table, at: Path, known: readonly string[]): Misshape {
  const path = [...at, key];
  const meant = nearest(key, known);
  if (meant === undefined) {
    return { path, at: "key", message: `unknown key "${key}"; the keys here are ${known.join(", ")}` };
  }
  const problem: Misshape = { path, at: "key", message: `unknown key "${key}"; did you mean "${meant}"?` };
  return meant in table ? problem : { ...problem, meant: [...at, meant] };
}

/** One issue of the schema as problems; unknown keys, which {@link checkShape} has found, are left out. */
function valueProblems(issue: v.BaseIssue<unknown>, above: Path): Problem[] {
  const path = [...above, ...(issue.path ?? []).map(keyOf)];
  if (issue.expected === "never") return [];
  // A value of several forms: tell what is wrong with the form the user chose, not that it is no other form.
  const forms = typeof issue.input !== "object" || isTable(issue.input) ? (issue.issues ?? []) : [];
  const chosen = forms.filter((part) => part.kind !== "schema" || part.path !== undefined);
  if (chosen.length > 0) return chosen.flatMap((part) => valueProblems(part, path));
  return [{ path, at: "value", message: issue.message }];
}

function keyOf(item: v.IssuePathItem): string | number {
  return typeof item.key === "number" ? item.key : String(item.key);
}

/** A problem inside of something that is reported as a whole, or a key missing only because it is mistyped. */
function explained(problem: Problem, misshapen: readonly Misshape[]): boolean {
  const within = (path: Path) => path.every((part, index) => part === problem.path[index]);
  return misshapen.some(({ path, meant }) => within(path) || (meant !== undefined && within(meant)));
}
