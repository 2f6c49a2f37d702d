/** `mpu`: four ASCII digits, then as many bytes as they say, which are 1 to 9999. */
import type { Framer } from "../collector.ts";
import { BadMessage, type Protocol } from "../message.ts";
import { shown } from "./find.ts";
import { HeaderFramer } from "./header.ts";
import { wholeMessages } from "./whole.ts";

const DIGITS = 4;

export const mpuFramer = (): Framer => new HeaderFramer(DIGITS, measure);

export const mpu: Protocol = {
  summary: "four ASCII digits of length, then that many bytes",
  example: "8000 127.0.0.1:1234",
  ...wholeMessages(mpuFramer),
  keys: () => undefined,
  failure: () => undefined,
};

function measure(bytes: Uint8Array, start: number): number {
  let value = 0;
  for (let at = start; at < start + DIGITS; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) {
      const found = shown(bytes.subarray(start, start + DIGITS));
      throw new BadMessage(`${found} in place of the four digits of a length`);
    }
    value = value * 10 + digit;
  }
  if (value === 0) throw new BadMessage("a length of 0");
  return DIGITS + value;
}
