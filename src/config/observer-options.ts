/** An observer on the command line: its address, and behind commas what files say in a table. */
import { UsageError } from "../net/errors.ts";
import { parseObserverAddress } from "../observe/observer-address.ts";
import {
  COPIES,
  FORMATS,
  type ObserverConfig,
  plainObserver,
  WHEN_FULL,
  wrongWhenFull,
} from "../observe/observer-config.ts";
import { nearest } from "./nearest.ts";
import { parseBuffer } from "./units.ts";

/**
 * Reads an observer with its options: `copies=WHAT`, `buffer=SIZE`, `when_full=WHAT`, `format=HOW`.
 *
 * @example parseObserver("127.0.0.1:6000,copies=both,when_full=block").whenFull // "block"
 * @throws {UsageError} `EADDRESS`, `ESIZE` or `EOBSERVER`, naming the text, what is wrong with it and what to write
 * instead.
 */
export function parseObserver(text: string): ObserverConfig {
  const [address = "", ...options] = text.split(",");
  const fail: Fail = (why) => {
    throw new UsageError("EOBSERVER", `Cannot parse observer "${text}": ${why}`);
  };
  const observer = plainObserver(parseObserverAddress(address));
  const given = new Map<string, Partial<ObserverConfig>>();
  for (const option of options) {
    const [name, setting] = readOption(option, fail);
    if (given.has(name)) fail(`"${name}" is given twice; keep one`);
    given.set(name, setting);
  }
  const complete: ObserverConfig = Object.assign(observer, ...given.values());
  const why = wrongWhenFull(complete);
  return why === undefined ? complete : fail(why);
}

type Fail = (why: string) => never;

const KNOWN = ["copies", "buffer", "when_full", "format"] as const;

function readOption(option: string, fail: Fail): [name: (typeof KNOWN)[number], setting: Partial<ObserverConfig>] {
  const [, written = "", value = ""] = /^([^=]*)(?:=(.*))?$/s.exec(option) ?? [];
  const name = KNOWN.find((each) => each === written);
  const one = <T extends string>(choices: readonly T[]): T => {
    const chosen = choices.find((each) => each === value);
    return chosen ?? fail(`write ${written}=WHAT, with ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`);
  };
  switch (name) {
    case "copies":
      return [name, { copies: one(COPIES) }];
    case "when_full":
      return [name, { whenFull: one(WHEN_FULL) }];
    case "format":
      return [name, { format: one(FORMATS) }];
    case "buffer":
      return [name, { buffer: value === "" ? fail("write buffer=SIZE, such as buffer=64KiB") : parseBuffer(value) }];
    default: {
      const meant = nearest(written, KNOWN);
      return fail(`unknown option "${written}"; ${meant ? `did you mean "${meant}"?` : `use ${KNOWN.join(", ")}`}`);
    }
  }
}
