/** The attributes of faults as people write them: texts, and numbers with units of their own or in Toxiproxy's. */
import * as v from "valibot";
import { FAULT_TYPES, FAULTS, type FaultType } from "../filter/faults/fault.ts";
import type { Attribute, AttributeValues, FaultWords, NumberAttribute, Unit } from "../filter/faults/kind.ts";
import { UsageError } from "../net/errors.ts";
import { parseDuration, parseSize } from "./units.ts";
import { label } from "./values.ts";

/** The names of all attributes that any fault has. */
export type AttributeName = { [T in FaultType]: keyof (typeof FAULTS)[T]["attributes"] }[FaultType];

export interface ReadAttributes {
  /** With every default, in Toxiproxy's units. */
  readonly attributes: AttributeValues;
  /** What is wrong with which of them; one that is missing counts as well. */
  readonly problems: readonly { readonly name: string; readonly message: string }[];
}

/** Reads those of one fault. `written`: by name; what is undefined is not there. */
export function readAttributes(
  type: FaultType,
  written: Readonly<Record<string, string | number | undefined>>,
): ReadAttributes {
  const kind: FaultWords = FAULTS[type];
  const attributes: Record<string, number | string> = {};
  const problems: { name: string; message: string }[] = [];
  for (const [name, attribute] of Object.entries(kind.attributes)) {
    const value = written[name];
    try {
      if (value !== undefined) attributes[name] = parseAttribute(String(value), attribute);
      else if (attribute.default !== undefined) attributes[name] = attribute.default;
      else problems.push({ name, message: `"${name}" is missing; write one such as ${exampleOf(attribute)}` });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push({ name, message: error.message });
    }
  }
  for (const [name, value] of Object.entries(written)) {
    if (value !== undefined && !Object.hasOwn(kind.attributes, name))
      problems.push({ name, message: alien(name, type) });
  }
  return { attributes, problems };
}

/** As people write it. */
export function exampleOf(attribute: Attribute): string {
  return attribute.unit === "text" ? attribute.example : EXAMPLES[attribute.unit];
}

function parseAttribute(text: string, attribute: Attribute): number | string {
  return attribute.unit === "text" ? attribute.parse(text) : parseNumber(text, attribute);
}

/** A number in the unit of one attribute, out of a text. */
function parseNumber(text: string, { unit, least, most }: NumberAttribute): number {
  const value = PARSERS[unit](text);
  if (value >= least && value <= most) return value;
  throw new UsageError("EFAULT", `expected ${least} to ${most}${unit === "share" ? "" : ` ${unit}`}, found "${text}"`);
}

/**
 * Milliseconds, with a unit or without.
 *
 * @example parseMilliseconds("1.5s") // 1500
 * @throws {UsageError} `EDURATION`
 */
export function parseMilliseconds(text: string): number {
  return parseDuration(/^\d+$/.test(text) ? `${text}ms` : text);
}

/**
 * Reads a name, which may end up in logs and URLs.
 *
 * @throws {UsageError} `EFAULT`
 */
export function parseFaultName(text: string): string {
  const { success, issues } = v.safeParse(label("A name."), text);
  if (success) return text;
  throw new UsageError("EFAULT", issues[0].message);
}

/** Microseconds, with a unit or without; those that people have units for are longer. */
function parseMicroseconds(text: string): number {
  const [, number] = /^(\d+)(?:[uµμ]s)?$/.exec(text) ?? [];
  if (number !== undefined) return Number(number);
  try {
    return parseDuration(text) * 1_000;
  } catch {
    throw new UsageError("EDURATION", `expected a duration such as "100us" or "1ms", found "${text}"`);
  }
}

/** KB/s: thousands of bytes, with a unit or without. */
function parseSpeed(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  try {
    if (text.endsWith("/s")) return parseSize(text.slice(0, -2)) / 1_000;
  } catch {
    // The same is wrong with it as with one that does not end like this.
  }
  throw new UsageError("ERATE", `expected a speed such as "100KB/s" or "1MiB/s", found "${text}"`);
}

function parseCount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError("EFAULT", `expected a whole number such as "3", found "${text}"`);
}

function parseShare(text: string): number {
  if (/^(\d+(\.\d*)?|\.\d+)$/.test(text)) return Number(text);
  throw new UsageError("EFAULT", `expected a share such as "0.05", found "${text}"`);
}

const PARSERS: Readonly<Record<Unit, (text: string) => number>> = {
  ms: parseMilliseconds,
  us: parseMicroseconds,
  bytes: parseSize,
  "KB/s": parseSpeed,
  messages: parseCount,
  share: parseShare,
};

const EXAMPLES: Readonly<Record<Unit, string>> = {
  ms: '"100ms"',
  us: '"100us"',
  bytes: '"64KiB"',
  "KB/s": '"100KB/s"',
  messages: "3",
  share: "0.05",
};

/** It belongs to other faults, or to none. */
function alien(name: string, type: FaultType): string {
  const names = Object.keys(FAULTS[type].attributes);
  const has = names.length > 0 ? names.join(", ") : "none";
  const others = FAULT_TYPES.filter((each) => Object.hasOwn(FAULTS[each].attributes, name));
  return `"${name}" belongs to ${others.join(", ")}; the attributes of ${type} are ${has}`;
}
