/**
 * Whether a DNS server says that a record does not exist, or failed. Deno 2.9.6 cannot tell: `node:dns` and
 * `Deno.resolveDns` alike throw NotFound for every answer without records, be it NXDOMAIN, SERVFAIL or REFUSED. So
 * the server is asked once more, in our own words, and all that is read is the code in the answer's header.
 */
import { sameAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { DatagramSocket } from "../../src/net/runtime.ts";
import type { Confirm, RecordType } from "../portable/resolve.ts";

/** Numbers of RFC 1035 section 3.2.2, RFC 3596 and RFC 2782. */
const TYPES: Readonly<Record<RecordType, number>> = { A: 1, AAAA: 28, SRV: 33 };
const INTERNET = 1;
const HEADER = 12;
/** In the third byte of a header: this is an answer; and of a question: please ask others if you do not know. */
const ANSWER = 0x80;
const RECURSION = 0x01;

/** What the codes 0 to 5 of an answer mean (RFC 1035 section 4.1.1), by the names that c-ares has for them. */
const CODES = ["ENODATA", "EFORMERR", "ESERVFAIL", "ENOTFOUND", "ENOTIMP", "EREFUSED"];
const ABSENT = new Set(["ENODATA", "ENOTFOUND"]);

/** Makes a {@link Confirm}; `open` opens a datagram socket on a free port of an address. */
export function confirmWith(open: (host: string) => Promise<DatagramSocket>): Confirm {
  return async (server, name, type, withdrawn) => {
    const socket = await open(server.host.includes(":") ? "::" : "0.0.0.0");
    const id = crypto.getRandomValues(new Uint8Array(2));
    const answer = new Promise<number>((resolve, reject) => {
      const cancel = () => reject(new SocketError("ECANCELED"));
      if (withdrawn.aborted) cancel();
      withdrawn.addEventListener("abort", cancel);
      socket.on({
        message(chunk, from) {
          const [high, low, flags = 0, code = 0] = chunk;
          const ours = high === id[0] && low === id[1] && (flags & ANSWER) !== 0 && chunk.length >= HEADER;
          if (ours && sameAddress({ kind: "tcp", ...from }, { kind: "tcp", ...server })) resolve(code & 0x0f);
        },
        close: (error) => reject(error ?? new SocketError("ECANCELED")),
      });
    });
    socket.resume();
    socket.send(question(id, name, TYPES[type]), server);
    try {
      const number = await answer;
      const code = CODES[number] ?? `RCODE${number}`;
      if (!ABSENT.has(code)) throw new SocketError(code);
    } finally {
      socket.close();
    }
  };
}

/** RFC 1035 section 4.1: a header, and one question. */
function question(id: Uint8Array, name: string, type: number): Uint8Array {
  const labels = name.replace(/\.$/, "").split(".");
  const encoded = labels.flatMap((label) => {
    const bytes = new TextEncoder().encode(label);
    return [bytes.length, ...bytes];
  });
  return Uint8Array.from([...id, RECURSION, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...encoded, 0, 0, type, 0, INTERNET]);
}
