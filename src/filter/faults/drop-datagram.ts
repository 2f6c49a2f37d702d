/** A network that loses datagrams. */
import { type DatagramFaultKind, PROBABILITY } from "./kind.ts";

type Attributes = Readonly<Record<"probability", number>>;

export const DROP_DATAGRAM: DatagramFaultKind<Attributes> = {
  about: "Takes away datagrams, each with this probability.",
  attributes: { probability: PROBABILITY },
  join: ({ probability }, { random, next, lost }) => ({
    pass: (chunk) => (random() < probability ? lost() : next(chunk)),
    release() {},
    stop() {},
  }),
};
