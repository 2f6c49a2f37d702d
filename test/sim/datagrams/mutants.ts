/** Rules of UDP sessions, and what they are without each of them; they die in storms of datagrams. */
import type { Mutant } from "../mutants.ts";

const SESSION = "src/datagram/relay/session.ts";
const RELAY = "src/datagram/relay/running-relay.ts";
const TABLE = "src/datagram/relay/session-table.ts";
const IDLE = "src/datagram/relay/idle-list.ts";
const FAULTS = "src/datagram/relay/session-faults.ts";

const MUTANTS: readonly Mutant[] = [
  {
    rule: "udp: a client is a host and a port",
    file: TABLE,
    find: "const session = this.#hosts.get(peer.host)?.get(peer.port);",
    replace: "const [session] = this.#hosts.get(peer.host)?.values() ?? [];",
  },
  {
    rule: "udp: what came before there was a socket is sent when there is one",
    file: SESSION,
    find: "    for (const chunk of waiting) this.#send(chunk);",
    replace: "",
  },
  {
    rule: "udp: what waits for a socket is copied",
    file: "src/datagram/relay/waiting-room.ts",
    find: "this.chunks.push(chunk.slice());",
    replace: "this.chunks.push(chunk);",
  },
  {
    rule: "udp: what still waits when the session ends is counted",
    file: SESSION,
    find: "    this.#lose(this.#waiting);",
    replace: "",
  },
  {
    rule: "udp: the PROXY header is in the first datagram alone",
    file: SESSION,
    find: "    this.#header = undefined;",
    replace: "",
  },
  {
    rule: "udp: the PROXY header says who the client is",
    file: SESSION,
    find: "{ source: this.client, destination }",
    replace: "{ source: destination, destination }",
  },
  {
    rule: "udp: no more sessions than max_connections",
    file: RELAY,
    find: "this.#sessions.size > maxConnections",
    replace: "this.#sessions.size > maxConnections + 1",
  },
  {
    rule: "udp: the timer of a list goes with its last session",
    file: IDLE,
    find: "    this.#timer?.cancel();",
    replace: "",
  },
  {
    rule: "udp: the place on a target is given back",
    file: SESSION,
    find: "    this.#target?.give();",
    replace: "",
  },
  {
    rule: "udp: the socket of a session is closed",
    file: SESSION,
    find: "    this.#socket?.close();",
    replace: "",
  },
  {
    rule: "udp: what faults hold at the end of a session is counted",
    file: FAULTS,
    find: "    for (const link of this.#links) link.stop();",
    replace: "",
  },
];

export const DATAGRAM_MUTANTS: readonly Mutant[] = MUTANTS.map((mutant) => ({ ...mutant, udp: true }));
