/** `length`: a number at a fixed place says how long a message is. */
import type { Framer } from "../collector.ts";
import { BadMessage, type Framing, type LengthField, type Protocol } from "../message.ts";
import { HeaderFramer, type Measure } from "./header.ts";
import { wholeMessages } from "./whole.ts";

export const lengthFramer = ({ length: field }: Framing): Framer =>
  new HeaderFramer(field.offset + field.width, measure(field));

export const length: Protocol = {
  summary: "a number at a fixed place in a message says how long it is",
  example: "8000 127.0.0.1:1234 --length offset=4,width=2",
  ...wholeMessages(lengthFramer),
  keys: () => undefined,
  failure: () => undefined,
};

/** How a message is measured that begins with `offset + width` bytes which are there. */
function measure({ offset, width, byteOrder, adjust, includes }: LengthField): Measure {
  const header = offset + width;
  const more = adjust + (includes === "all" ? 0 : header);
  const read = byteOrder === "big" ? readBig : readLittle;
  return (bytes, start) => {
    const value = read(bytes, start + offset, width);
    // Above 2^53 a number of this kind is not exact, and no message is as long as that.
    if (!Number.isSafeInteger(value)) throw new BadMessage(`a length of about ${value}`);
    if (value + more >= header) return value + more;
    throw new BadMessage(`a length of ${value}: the message would end within its header of ${header} bytes`);
  };
}

function readBig(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}

function readLittle(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = width - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
