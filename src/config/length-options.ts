/** Where a message says how long it is, as on the command line: the keys of `length` in a file, with commas between. */
import type { LengthField } from "../mux/message.ts";
import { MUX } from "../mux/mux-config.ts";
import { UsageError } from "../net/errors.ts";
import { ADJUST_MAX, BYTE_ORDERS, INCLUDES, OFFSET_MAX, WIDTHS } from "./mux-values.ts";
import { nearest } from "./nearest.ts";

/**
 * Reads `offset=N`, `width=N`, `byte_order=WHICH`, `adjust=N` and `includes=WHAT`, each of which may be left out.
 *
 * @example parseLengthField("width=4,includes=all") // { offset: 0, width: 4, byteOrder: "big", adjust: 0, includes: "all" }
 * @throws {UsageError} `ELENGTH`, naming the text, what is wrong with it and what to write instead.
 */
export function parseLengthField(text: string): LengthField {
  const fail: Fail = (why) => {
    throw new UsageError("ELENGTH", `Cannot parse length "${text}": ${why}`);
  };
  const given = new Map<string, Partial<LengthField>>();
  for (const option of text.split(",")) {
    const [name, setting] = readOption(option, fail);
    if (given.has(name)) fail(`"${name}" is given twice; keep one`);
    given.set(name, setting);
  }
  return Object.assign({ ...MUX.length }, ...given.values());
}

type Fail = (why: string) => never;

const KNOWN = ["offset", "width", "byte_order", "adjust", "includes"] as const;

function readOption(option: string, fail: Fail): [name: (typeof KNOWN)[number], setting: Partial<LengthField>] {
  const [, written = "", value = ""] = /^([^=]*)(?:=(.*))?$/s.exec(option) ?? [];
  const name = KNOWN.find((each) => each === written);
  const one = <T extends string>(choices: readonly [T, T]): T => {
    return choices.find((each) => each === value) ?? fail(`write ${written}=WHICH, with ${choices.join(" or ")}`);
  };
  const number = (least: number, most: number): number => {
    if (/^-?\d+$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    return fail(`write ${written}=N, with N from ${least} to ${most}`);
  };
  switch (name) {
    case "offset":
      return [name, { offset: number(0, OFFSET_MAX) }];
    case "width": {
      const width = WIDTHS.find((each) => String(each) === value);
      return [name, { width: width ?? fail("write width=N, with N 1, 2, 3, 4 or 8") }];
    }
    case "byte_order":
      return [name, { byteOrder: one(BYTE_ORDERS) }];
    case "adjust":
      return [name, { adjust: number(-ADJUST_MAX, ADJUST_MAX) }];
    case "includes":
      return [name, { includes: one(INCLUDES) }];
    default: {
      const meant = nearest(written, KNOWN);
      return fail(`unknown option "${written}"; ${meant ? `did you mean "${meant}"?` : `use ${KNOWN.join(", ")}`}`);
    }
  }
}
