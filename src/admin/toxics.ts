/** Faults as Toxiproxy's HTTP API has them, with its messages and status codes: clients written for it work with weir. */
import { parseFaultName } from "../config/fault-values.ts";
import { defaultName, FAULT_TYPES, FAULTS, type FaultConfig, isStreamFault } from "../filter/faults/fault.ts";
import type { Attribute, AttributeValues, FaultWords, NumberAttribute } from "../filter/faults/kind.ts";
import { DIRECTIONS } from "../filter/step.ts";
import { UsageError } from "../net/errors.ts";

/** As clients get it. */
export interface ToxicJson {
  readonly name: string;
  readonly type: string;
  readonly stream: string;
  readonly toxicity: number;
  readonly attributes: AttributeValues;
}

/** A request that cannot be met: `status` is that of the answer, whose body is `{"error": message, "status": status}`. */
export class ToxicError extends Error {
  override readonly name = "ToxicError";
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether clients know it as a toxic. They bring a service down with `"enabled": false` of the proxy. */
export function isToxic({ type }: FaultConfig): boolean {
  return isStreamFault(type) && type !== "down";
}

export function toToxic({ name, type, stream, toxicity, attributes }: FaultConfig): ToxicJson {
  return { name, type, stream, toxicity, attributes };
}

/**
 * The fault that the body of a request describes, or what it makes of `existing`: attributes that it does not name stay,
 * and of the rest the toxicity alone can change. Names of fields count whatever their case, unknown ones do not, and null
 * is as good as nothing. `others`: those of the same proxy, whose names are taken.
 *
 * @example fromToxic({ type: "latency", attributes: { latency: 100 } }).name // "latency_downstream"
 * @throws {ToxicError} 400: `bad request body: …`, `invalid toxic type`, or that the stream is invalid; 409: `toxic
 *   already exists`.
 */
export function fromToxic(json: unknown, existing?: FaultConfig, others: readonly FaultConfig[] = []): FaultConfig {
  const body = fieldsOf(json, "the body");
  const given = fieldsOf(body.get("attributes") ?? {}, "attributes");
  const toxicity = share(body.get("toxicity") ?? existing?.toxicity ?? 1);
  if (existing) return { ...existing, toxicity, attributes: merged(existing, given) };
  const type = text(body, "type");
  const stream = text(body, "stream") ?? "downstream";
  const name = text(body, "name");
  const direction = DIRECTIONS.find((each) => each === stream.toLowerCase());
  if (!direction) throw new ToxicError(400, "stream was invalid, can be either upstream or downstream");
  const known = FAULT_TYPES.find((each) => each === type);
  if (!known || known === "down" || !isStreamFault(known)) throw new ToxicError(400, "invalid toxic type");
  const config: FaultConfig = {
    name: checkedName(name || defaultName(known, direction)),
    type: known,
    stream: direction,
    toxicity,
    after: { bytes: 0, time: 0 },
    attributes: {},
  };
  // Before its attributes are looked at.
  if (others.some((each) => each.name === config.name)) throw new ToxicError(409, "toxic already exists");
  return { ...config, attributes: merged(config, given) };
}

/** What a JSON object holds, by names in lower case. */
export type Fields = ReadonlyMap<string, unknown>;

/** A request that makes no sense. */
export function bad(why: string): ToxicError {
  return new ToxicError(400, `bad request body: ${why}`);
}

/** `what` it is stands in the message if it is none. */
export function fieldsOf(json: unknown, what: string): Fields {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw bad(`${what} is no JSON object`);
  return new Map(Object.entries(json).map(([name, value]) => [name.toLowerCase(), value ?? undefined]));
}

export function text(body: Fields, name: string): string | undefined {
  const value = body.get(name);
  if (value === undefined || typeof value === "string") return value;
  throw bad(`${name} is no string`);
}

/** A name that may stand in logs and URLs. */
export function checkedName(name: string): string {
  try {
    return parseFaultName(name);
  } catch (error) {
    throw error instanceof UsageError ? bad(error.message) : error;
  }
}

/** Toxiproxy takes any number, and finds that all chances are less than 2 and none less than -1. */
function share(value: unknown): number {
  if (typeof value !== "number") throw bad("toxicity is no number");
  return Math.min(1, Math.max(0, value));
}

function merged({ type, attributes }: FaultConfig, given: Fields): FaultConfig["attributes"] {
  const kind: FaultWords = FAULTS[type];
  const entries = Object.entries(kind.attributes).map(([name, attribute]) => {
    const value = given.get(name) ?? attributes[name] ?? attribute.default ?? 0;
    return [name, checked(name, value, attribute)] as const;
  });
  return Object.fromEntries(entries);
}

function checked(name: string, value: unknown, attribute: Attribute): number | string {
  if (attribute.unit !== "text") return checkedNumber(name, value, attribute);
  if (typeof value !== "string")
    throw bad(`${name} is ${JSON.stringify(value)}; send a string such as ${attribute.example}`);
  try {
    return attribute.parse(value);
  } catch (error) {
    throw error instanceof UsageError ? bad(`${name}: ${error.message}`) : error;
  }
}

function checkedNumber(name: string, value: unknown, { unit, least, most }: NumberAttribute): number {
  const whole = unit !== "KB/s" && unit !== "share";
  const fits = typeof value === "number" && (!whole || Number.isInteger(value)) && value >= least && value <= most;
  if (fits) return value;
  throw bad(
    `${name} is ${JSON.stringify(value)}; send a ${whole ? "whole " : ""}number of ${unit}, ${least} to ${most}`,
  );
}
