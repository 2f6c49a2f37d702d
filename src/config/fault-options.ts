/** A fault on the command line: its type, and behind a colon what files say in a table. */
import { defaultName, FAULT_TYPES, FAULTS, type FaultConfig } from "../filter/faults/fault.ts";
import { DIRECTIONS } from "../filter/step.ts";
import { UsageError } from "../net/errors.ts";
import { parseFaultName, readAttributes } from "./fault-values.ts";
import { parseDelimiter } from "./mux-values.ts";
import { nearest } from "./nearest.ts";
import { parseDuration, parseSize } from "./units.ts";

/**
 * Reads a fault with its options: the attributes of its type, `name`, `stream`, `toxicity`, and `after` with a size or a
 * duration, or twice with one of each. No value has a comma in it.
 *
 * @example parseFault("latency:latency=100ms,stream=upstream,after=1MB").attributes // { latency: 100, jitter: 0 }
 * @throws {UsageError} `EFAULT`, naming the text, what is wrong with it and what to write instead.
 */
export function parseFault(text: string): FaultConfig {
  const fail: Fail = (why) => {
    throw new UsageError("EFAULT", `Cannot parse fault "${text}": ${why}`);
  };
  const [, word = "", options] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const type = oneOf("type", word, FAULT_TYPES, fail);
  const attributes = Object.keys(FAULTS[type].attributes);
  const given = new Map<string, string>();
  for (const option of options?.split(",") ?? []) {
    const [, written = "", value = ""] = /^([^=]*)(?:=(.*))?$/s.exec(option) ?? [];
    const name = oneOf("option", written, [...attributes, ...COMMON], fail);
    if (value === "") fail(`write ${name}=…`);
    const key = name === "after" && TIME.test(value) ? "time" : name;
    if (given.has(key)) fail(`"${name}" is given twice; keep one`);
    given.set(key, value);
  }
  const written = (name: string) => {
    const value = given.get(name);
    return value !== undefined && name === "delimiter" ? parsed(parseDelimiter, value, fail) : value;
  };
  const read = readAttributes(type, Object.fromEntries(attributes.map((name) => [name, written(name)])));
  for (const { message } of read.problems) fail(message);
  const stream = oneOf("stream", given.get("stream") ?? "downstream", DIRECTIONS, fail);
  return {
    name: parsed(parseFaultName, given.get("name") ?? defaultName(type, stream), fail),
    type,
    stream,
    toxicity: toxicityOf(given.get("toxicity") ?? "1", fail),
    after: {
      bytes: parsed(parseSize, given.get("after") ?? "0", fail),
      time: parsed(parseDuration, given.get("time") ?? "0", fail),
    },
    attributes: read.attributes,
  };
}

type Fail = (why: string) => never;

const COMMON = ["name", "stream", "toxicity", "after"];

/** A duration; everything else is meant as a size. */
const TIME = /^[\d.]*(ms|s|m|h|d)$/;

function oneOf<T extends string>(what: string, text: string, known: readonly T[], fail: Fail): T {
  const found = known.find((each) => each === text);
  if (found !== undefined) return found;
  const meant = nearest(text, known);
  return fail(`unknown ${what} "${text}"; ${meant ? `did you mean "${meant}"?` : `use ${known.join(", ")}`}`);
}

function toxicityOf(text: string, fail: Fail): number {
  const share = Number(text);
  return /^[\d.]+$/.test(text) && share <= 1 ? share : fail("write toxicity=SHARE, with SHARE from 0 to 1");
}

function parsed<T>(parse: (text: string) => T, text: string, fail: Fail): T {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof UsageError) return fail(error.message);
    throw error;
  }
}
