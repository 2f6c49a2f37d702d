/** Messages as payment terminals send them: two bytes of length, most significant first, then that many bytes. */
import { Buffer } from "node:buffer";

export function frame(message) {
  const bytes = Buffer.from(message, "latin1");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A reader of chunks that tells every whole message. */
export function messages(tell) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      const message = rest.toString("latin1", 2, end);
      rest = rest.subarray(end);
      tell(message);
    }
  };
}
