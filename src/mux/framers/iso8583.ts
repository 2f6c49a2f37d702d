/**
 * `iso8583`: a length of two bytes, the higher one first, then as many bytes as it says. Replies come in the order of
 * the requests, or are found by what messages say of themselves: see `iso8583-stan.ts`.
 */
import type { Framer } from "../collector.ts";
import { BadMessage, type Keys, type Protocol } from "../message.ts";
import { HeaderFramer } from "./header.ts";
import { LENGTH_BYTES, stanOfReply, stanOfRequest } from "./iso8583-stan.ts";
import { plainRequest, wholeMessages } from "./whole.ts";

const STAN: Keys = {
  ids: 0,
  ofRequest: stanOfRequest,
  ofReply: stanOfReply,
  stamp() {},
};

export const iso8583Framer = (): Framer => new HeaderFramer(LENGTH_BYTES, measure);

export const iso8583: Protocol = {
  summary: "a length of two bytes, big-endian, then that many bytes",
  example: "8000 127.0.0.1:1234",
  ...wholeMessages(iso8583Framer, ({ match }) => (match === "stan" ? keyedRequest : plainRequest)),
  keys: ({ match }) => (match === "stan" ? STAN : undefined),
  failure: () => undefined,
};

function measure(bytes: Uint8Array, start: number): number {
  const value = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
  if (value === 0) throw new BadMessage("a length of 0");
  return LENGTH_BYTES + value;
}

/** One that has no key must not get as far as to be asked for it. */
function keyedRequest(bytes: Uint8Array) {
  stanOfRequest(bytes);
  return plainRequest(bytes);
}
