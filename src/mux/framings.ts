/** How the messages of a protocol are cut, and nothing else: for who passes them on byte for byte. */
import type { Direction } from "../filter/step.ts";
import type { Framer } from "./collector.ts";
import { echoFramer } from "./framers/delimiter.ts";
import { RequestFramer } from "./framers/http-requests.ts";
import { iso8583Framer } from "./framers/iso8583.ts";
import { lengthFramer } from "./framers/length.ts";
import { modbusFramer } from "./framers/modbus.ts";
import { mpuFramer } from "./framers/mpu.ts";
import { RedisReplyFramer } from "./framers/redis-reply.ts";
import { RedisRequestFramer } from "./framers/redis-request.ts";
import { BadMessage, type Framing } from "./message.ts";
import type { ProtocolName } from "./mux-config.ts";

export type CreateFramer = (framing: Framing) => Framer;

/** Undefined: nobody can tell who sees that direction alone. */
export const FRAMERS: Readonly<Record<ProtocolName, Readonly<Record<Direction, CreateFramer | undefined>>>> = {
  echo: both(echoFramer),
  // Whether a reply has a body is decided by the method of its request (RFC 9112, 6.3).
  http: { upstream: ({ maxMessage }) => new HttpRequestFramer(maxMessage), downstream: undefined },
  iso8583: both(iso8583Framer),
  mpu: both(mpuFramer),
  modbus: both(modbusFramer),
  redis: { upstream: () => new RedisRequestFramer(), downstream: () => new RedisReplyFramer() },
  length: both(lengthFramer),
};

function both(create: CreateFramer): Readonly<Record<Direction, CreateFramer>> {
  return { upstream: create, downstream: create };
}

class HttpRequestFramer implements Framer {
  readonly #framer: RequestFramer;

  /** `max`: bytes of a request. */
  constructor(max: number) {
    this.#framer = new RequestFramer(max);
  }

  get size(): number {
    return this.#framer.size;
  }

  end(bytes: Uint8Array, start: number, limit: number): number {
    const end = this.#framer.end(bytes, start, limit);
    // Held back until it is whole, its head would never get to the one who has to say "100 Continue".
    if (this.#framer.expects) throw new BadMessage("a request whose body waits for a word of the target");
    if (end >= 0) this.#framer.begin();
    return end;
  }
}
