/** `[[proxy.fault]]` as users write it, and what it means. */
import * as v from "valibot";
import { defaultName, FAULT_TYPES, FAULTS, type FaultConfig, type FaultType } from "../filter/faults/fault.ts";
import type { Attribute, FaultWords } from "../filter/faults/kind.ts";
import { DIRECTIONS } from "../filter/step.ts";
import { type AttributeName, exampleOf, parseMilliseconds, readAttributes } from "./fault-values.ts";
import { type Problem, wrong } from "./problem.ts";
import { parseSize } from "./units.ts";
import * as t from "./values.ts";
import * as w from "./written.ts";

export type Fault = v.InferOutput<ReturnType<typeof faultSchema>>;

/** Attributes stay as they are written: what they mean depends on the type, and {@link toFault} knows. */
export function faultSchema() {
  const entries = {
    type: t.choice("What goes wrong.", FAULT_TYPES),
    name: v.optional(t.label("What the API and logs call it; TYPE_STREAM by default.")),
    stream: v.optional(
      t.choice("The direction it is in: upstream from the client to the target, downstream back.", DIRECTIONS),
      "downstream",
    ),
    toxicity: v.optional(toxicity(), 1),
    after: v.optional(
      t.table("What works before it begins, for each connection; the first of the two counts.", {
        bytes: v.optional(t.text("Bytes of its direction.", 'a size such as "1MB"', parseSize, w.SIZE_TEXT), 0),
        time: v.optional(
          t.text("Time.", 'a duration such as "5s", or milliseconds', parseMilliseconds, w.MILLISECONDS),
          0,
        ),
      }),
      {},
    ),
    ...attributeEntries(),
  };
  return v.pipe(
    v.strictObject(entries, (issue) =>
      issue.expected === "Object"
        ? t.wrong("a table")(issue)
        : `the key ${issue.expected} is missing; the types are ${FAULT_TYPES.join(", ")}`,
    ),
    v.description("Something that goes wrong on purpose, as in Toxiproxy."),
    v.metadata({ json: { allOf: FAULT_TYPES.map(keysOfType) } }),
    v.rawCheck(({ dataset, addIssue }) => {
      const { value: table } = dataset;
      // Another type may be meant, and with it other attributes.
      if (!isFault(table)) return;
      for (const { name, message } of readAttributes(table.type, written(table)).problems) {
        const value: unknown = table[name as AttributeName];
        // What is of the wrong type has been found before.
        if (value !== undefined && typeof value !== "string" && typeof value !== "number") continue;
        addIssue({ message, path: [{ type: "object", origin: "value", input: table, key: name, value }] });
      }
    }),
  );
}

/** In JSON Schema: the keys of one type, and those of them that it needs. */
function keysOfType(type: FaultType): w.Json {
  const { attributes }: FaultWords = FAULTS[type];
  const needed = Object.entries(attributes).flatMap(([name, attribute]) =>
    attribute.default === undefined ? [name] : [],
  );
  return {
    if: { properties: { type: { const: type } }, required: ["type"] },
    // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
    then: {
      propertyNames: { enum: ["type", "name", "stream", "toxicity", "after", ...Object.keys(attributes)] },
      required: needed,
    },
  };
}

/** From what {@link faultSchema} lets through. */
export function toFault(fault: Fault): FaultConfig {
  const { type, stream, toxicity, after } = fault;
  const { attributes } = readAttributes(type, written(fault));
  return { name: fault.name ?? defaultName(type, stream), type, stream, toxicity, after, attributes };
}

/** The names that are there twice among the faults of one proxy. Paths begin at the proxy (`fault[1].name`). */
export function repeatedFaults(faults: readonly FaultConfig[]): Problem[] {
  return faults.flatMap(({ name }, index) => {
    const first = faults.findIndex((other) => other.name === name);
    if (first === index) return [];
    return [wrong(["fault", index, "name"], `there is another fault "${name}"; give one of them another name`)];
  });
}

function toxicity() {
  const message = t.wrong("a share from 0 to 1");
  return v.pipe(
    v.number(message),
    v.minValue(0, message),
    v.maxValue(1, message),
    v.description("The share of connections that have it: 1 all, 0 none."),
  );
}

type AttributeEntries = Readonly<Record<AttributeName, ReturnType<typeof attributeEntry>>>;

/** All attributes that any fault has: faults that share one write it alike. */
function attributeEntries(): AttributeEntries {
  const abouts = new Map<string, string[]>();
  for (const type of FAULT_TYPES) {
    const kind: FaultWords = FAULTS[type];
    for (const [name, attribute] of Object.entries(kind.attributes)) {
      const line = `${type}: ${attribute.about} Such as ${formOf(attribute)}.`;
      abouts.set(name, [...(abouts.get(name) ?? []), line]);
    }
  }
  const entries = [...abouts].map(([name, lines]) => [name, attributeEntry(lines.join(" "))]);
  return Object.fromEntries(entries) as AttributeEntries;
}

function formOf(attribute: Attribute): string {
  const number = attribute.unit === "text" || attribute.unit === "share" ? "" : `, or a number of ${attribute.unit}`;
  return `${exampleOf(attribute)}${number}`;
}

function attributeEntry(about: string) {
  return v.optional(v.pipe(v.union([v.string(), v.number()], t.wrong("a number or a string")), v.description(about)));
}

function isFault(table: unknown): table is Fault {
  return (
    typeof table === "object" && table !== null && "type" in table && FAULT_TYPES.some((type) => type === table.type)
  );
}

function written({ type, name, stream, toxicity, after, ...attributes }: Fault) {
  return attributes;
}
