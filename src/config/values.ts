/**
 * The kinds of values that configuration files are made of. Each carries a description for people and a
 * message for when the file has something else in its place.
 */
import * as v from "valibot";
import { parseRate } from "../admit/rate.ts";
import { parseWindow } from "../admit/schedule.ts";
import { parseAddress, parseEndpoint, parseIp, parseListen } from "../net/address.ts";
import { parseCidr } from "../net/cidr.ts";
import { UsageError } from "../net/errors.ts";
import { parsePlainTarget } from "./config.ts";
import { either, nearest } from "./nearest.ts";
import { isTable } from "./toml.ts";
import { parseBuffer, parseDuration, parseDurationOrOff, parsePeriod, parseSizeOrOff, parseWorkers } from "./units.ts";
import * as w from "./written.ts";

/** A table with exactly these keys. */
export function table<const E extends v.ObjectEntries>(about: string, entries: E) {
  return v.pipe(v.strictObject(entries, tableMessage), v.description(about));
}

/** `written` shows how: `tables written [[proxy]]`. */
export function list<const S extends v.GenericSchema>(about: string, written: string, item: S) {
  return v.pipe(v.array(item, wrong(written)), v.description(about));
}

/** A name for people to recognise things by: it appears in logs, metrics and URLs. */
export function label(about: string) {
  return v.pipe(
    v.string(wrong("a string")),
    v.regex(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,100}$/u, "a name has 1 to 100 characters, none of them a control character"),
    v.description(about),
  );
}

export function flag(about: string) {
  return v.pipe(v.boolean(wrong("true or false")), v.description(about));
}

export function choice<const O extends readonly string[]>(about: string, options: O) {
  const known = options.map((option) => `"${option}"`);
  const what = either(known);
  return v.pipe(
    v.picklist(options, (issue) => {
      const meant = typeof issue.input === "string" ? nearest(issue.input, options) : undefined;
      return `expected ${what}, found ${describe(issue.input)}${meant ? `; did you mean "${meant}"?` : ""}`;
    }),
    v.description(about),
  );
}

/** Where weir listens. A port alone may be a number. */
export function listenAddress(about: string) {
  return text(about, 'an address such as "127.0.0.1:8080"', (value) => parseAddress(value, "listen"), w.ADDRESS_TEXT);
}

/** Where a proxy listens, over TLS or without, or for datagrams. A port alone may be a number. */
export function proxyAddress(about: string) {
  return text(about, 'an address such as "127.0.0.1:8080" or "udp://127.0.0.1:53"', parseListen, w.PROXY_ADDRESS);
}

/** Where weir listens; null for `"off"`. */
export function listenAddressOrOff(about: string) {
  const what = 'an address such as "127.0.0.1:8080", or "off"';
  return text(about, what, (value) => (value === "off" ? null : parseAddress(value, "listen")), w.ADDRESS_OR_OFF);
}

/** Where weir connects to. A port alone may be a number. */
export function targetAddress(about: string) {
  return text(about, 'an address such as "10.0.0.1:8080"', (value) => parseAddress(value, "target"), w.ADDRESS_TEXT);
}

/** The same, or a name of DNS behind which there are addresses. */
export function targetName(about: string) {
  return text(about, 'an address such as "10.0.0.1:8080"', parsePlainTarget, w.TARGET);
}

/** IP addresses with ports. */
export function endpoints(about: string) {
  const what = 'an IP address and a port such as "10.0.0.1:53"';
  return list(about, "an array of addresses", text("An address.", what, parseEndpoint, w.ENDPOINT));
}

/** An IP address alone. */
export function ipAddress(about: string) {
  return text(about, 'an IP address such as "10.0.0.5"', parseIp, w.IP);
}

/** Ranges of IP addresses. */
export function cidrs(about: string) {
  return list(about, "an array of address ranges", text("A range.", 'a range such as "10.0.0.0/8"', parseCidr, w.CIDR));
}

/** Windows of time. */
export function schedule(about: string) {
  const what = 'a window such as "Mon-Fri 08:00-18:00 Europe/Berlin"';
  return list(about, "an array of windows", text("A window.", what, parseWindow, w.SOME_TEXT));
}

/** How often something may happen. */
export function rate(about: string) {
  return text(about, 'a rate such as "20/s"', parseRate, w.RATE);
}

export function fileName(about: string) {
  return v.pipe(
    v.string(wrong("the name of a file")),
    v.minLength(1, "the name is empty; write that of a file"),
    v.description(about),
  );
}

/** Text that is sent or looked for. */
export function words(about: string) {
  return v.pipe(v.string(wrong("a string")), v.minLength(1, "it is empty; leave it out"), v.description(about));
}

/** RFC 9112 section 3.2.1: what stands in a request after the method. */
export function httpPath(about: string) {
  return v.pipe(
    v.string(wrong('a path such as "/healthz"')),
    v.regex(/^\/[!-~]*$/, 'it is no path; write one such as "/healthz"'),
    v.description(about),
  );
}

/** Milliseconds. */
export function duration(about: string) {
  return text(about, 'a duration such as "5s"', parseDuration, w.DURATION_TEXT);
}

/** Milliseconds, at least one. */
export function period(about: string) {
  return text(about, 'a duration such as "5s"', parsePeriod, w.PERIOD);
}

/** Milliseconds; 0 for `"off"`. */
export function durationOrOff(about: string) {
  return text(about, 'a duration such as "5s", or "off"', parseDurationOrOff, w.DURATION_OR_OFF);
}

/** Bytes. A number alone may be a number. */
export function bufferSize(about: string) {
  return text(about, 'a size such as "256KiB"', parseBuffer, w.SIZE_TEXT);
}

/** Bytes; 0 for `"off"`, else `least` or more. */
export function sizeOrOff(about: string, least = 0) {
  return text(about, 'a size such as "1MiB", or "off"', (value) => parseSizeOrOff(value, least), w.SIZE_OR_OFF);
}

/**
 * A value that is written as text and read by `parse`, whose {@link UsageError} becomes the problem. Numbers are
 * text without quotes here: `parse` knows best whether that can be meant, and what to say if not. `json`: the same for
 * JSON Schema.
 */
export function text<T>(about: string, what: string, parse: (value: string) => T, json: w.Json = w.ANY_TEXT) {
  return v.pipe(
    v.union([v.string(), v.number()], wrong(what)),
    v.description(about),
    v.metadata({ json }),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(String(dataset.value));
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
}

/** A number of threads, or "auto". */
export function workers(about: string) {
  return text(about, 'a number of threads, or "auto"', parseWorkers, w.WORKERS);
}

export function wholeNumber(about: string, max: number, min = 0) {
  const what = `a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(wrong(what)),
    v.integer(wrong(what)),
    v.minValue(min, wrong(what)),
    v.maxValue(max, wrong(what)),
    v.description(about),
  );
}

/** The message for a value of the wrong type: what was expected and what is there. */
export function wrong(what: string): (issue: { readonly input: unknown }) => string {
  return (issue) => `expected ${what}, found ${describe(issue.input)}`;
}

/** The messages of a table that is none, or lacks a key. Keys too many are found elsewhere, all at once. */
function tableMessage(issue: v.StrictObjectIssue): string {
  return issue.expected === "Object" ? wrong("a table")(issue) : `the key ${issue.expected} is missing`;
}

function describe(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return "an array";
  if (isTable(value)) return "a table";
  return value instanceof Date ? "a date" : String(value);
}
