/**
 * JSON Schema (draft 7, which editors of TOML take) of the files that weir reads, made of the schemas that read them:
 * descriptions, defaults, names, bounds, and patterns where a schema says how its text is written (`written.ts`).
 */
import * as v from "valibot";
import type { Json } from "./written.ts";

/**
 * The JSON Schema of a whole file that `schema` reads.
 *
 * @throws {Error} for a kind of schema that no file is made of.
 */
export function jsonSchema(schema: v.GenericSchema, title: string): Json {
  return { $schema: "http://json-schema.org/draft-07/schema#", title, ...convert(schema) };
}

/** The parts of the kinds of schema that files are made of. */
interface Part {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Part>>;
  readonly item?: Part;
  readonly wrapped?: Part;
  readonly default?: unknown;
  readonly options?: readonly (Part | string)[];
  readonly getter?: (input: unknown) => Part;
  readonly pipe?: readonly Step[];
}

/** A schema with steps of its own, or one check. */
interface Step {
  readonly type: string;
  readonly requirement?: unknown;
  readonly pipe?: readonly Step[];
}

function convert(schema: unknown): Json {
  const part = schema as Part;
  if (part.wrapped) return withDefault(convert(part.wrapped), part.default);
  const description = v.getDescription(schema as v.GenericSchema);
  const { json = {} } = v.getMetadata(schema as v.GenericSchema) as { json?: Json };
  // A text says itself what it is.
  const structure = "type" in json || "anyOf" in json ? {} : structureOf(part);
  return { ...(description === undefined ? {} : { description }), ...structure, ...json };
}

/** Tables have none that says more than their keys do. */
function withDefault(json: Json, value: unknown): Json {
  const plain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return plain ? { ...json, default: value } : json;
}

function structureOf(part: Part): Json {
  switch (part.type) {
    case "strict_object":
      return objectOf(part.entries ?? {});
    case "array":
      return { type: "array", items: convert(part.item), ...leastItems(part) };
    case "union":
      return alternatives((part.options ?? []).map(convert));
    case "lazy":
      // It chooses by whether there is an array.
      return alternatives([convert(part.getter?.("")), convert(part.getter?.([]))]);
    case "picklist":
      return { type: "string", enum: part.options };
    case "string":
    case "number":
    case "boolean":
      return { type: part.type, ...boundsOf(part) };
    case "custom":
      return { type: "object" };
    default:
      throw new Error(`there is no JSON Schema for ${part.type}`);
  }
}

function objectOf(entries: Readonly<Record<string, Part>>): Json {
  const required = Object.keys(entries).filter((key) => entries[key]?.type !== "optional");
  const properties = Object.entries(entries).map(([key, entry]) => [key, convert(entry)]);
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

/** What is the same but for its type is one. */
function alternatives(all: readonly Json[]): Json {
  const plain = all.every((json) => Object.keys(json).join() === "type");
  return plain ? { type: all.map(({ type }) => type) } : { anyOf: all };
}

function leastItems({ pipe = [] }: Part): Json {
  const { minLength } = boundsOf({ type: "array", pipe }) as { minLength?: unknown };
  return minLength === undefined ? {} : { minItems: minLength };
}

/** What the steps of a value, and of one that it is made of, allow. */
function boundsOf({ pipe = [] }: Step): Json {
  return Object.assign({}, ...pipe.map((step) => (step.pipe ? boundsOf(step) : boundOf(step))));
}

function boundOf({ type, requirement }: Step): Json {
  switch (type) {
    case "integer":
      return { type: "integer" };
    case "min_value":
      return { minimum: requirement };
    case "max_value":
      return { maximum: requirement };
    case "min_length":
      return { minLength: requirement };
    case "regex":
      return { pattern: (requirement as RegExp).source };
    default:
      return {};
  }
}
