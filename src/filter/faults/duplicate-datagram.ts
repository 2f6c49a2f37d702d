/** A network that delivers datagrams twice. */
import { type DatagramFaultKind, PROBABILITY } from "./kind.ts";

type Attributes = Readonly<Record<"probability", number>>;

export const DUPLICATE_DATAGRAM: DatagramFaultKind<Attributes> = {
  about: "Sends datagrams twice, each with this probability.",
  attributes: { probability: PROBABILITY },
  join: ({ probability }, { random, next }) => ({
    pass(chunk) {
      next(chunk);
      if (random() < probability) next(chunk);
    },
    release() {},
    stop() {},
  }),
};
