/** Rules of bridges, and what they are without each of them; they die in storms over bridges. */
import type { Mutant } from "../mutants.ts";

const BRIDGE = "src/datagram/bridge/bridge.ts";
const LISTEN_SINK = "src/datagram/bridge/listen-sink.ts";
const INFLOW = "src/datagram/bridge/inflow.ts";
const FILE_SINK = "src/datagram/bridge/file-sink.ts";

const MUTANTS: readonly Mutant[] = [
  {
    rule: "bridge: who connects gets nothing that came before",
    file: LISTEN_SINK,
    find: "    // What was gathered came before it.\n    this.#flush();",
    replace: "",
  },
  {
    rule: "bridge: who does not keep up misses whole datagrams",
    file: LISTEN_SINK,
    find: "    counters.add(END_CELL.full, this.#datagrams);",
    replace: `    const room = Math.max(0, buffer - client.socket.buffered);
    if (room > 0) client.write(bytes.subarray(0, room), false);
    counters.add(END_CELL.full, this.#datagrams);`,
  },
  {
    rule: "bridge: what somebody misses is counted",
    file: LISTEN_SINK,
    find: "    counters.add(END_CELL.full, this.#datagrams);",
    replace: "",
  },
  {
    rule: "bridge: sources read again when nobody is waited for",
    file: BRIDGE,
    find: "    if (this.#holds === 0) this.#pace();",
    replace: "",
  },
  {
    rule: "bridge: a line without its end is a datagram when the stream ends",
    file: "src/datagram/bridge/cutter.ts",
    find: "    if (this.#length === 0) return;",
    replace: "    if (this.#length < this.#size && this.#held[this.#length - 1] !== NEWLINE) return;",
  },
  {
    rule: "bridge: a drain waits for the last line of a connection",
    file: INFLOW,
    find: "    return this.#closed;",
    replace: "    return Promise.resolve();",
  },
  {
    rule: "bridge: a datagram is counted once",
    file: "src/datagram/bridge/listen-source.ts",
    find: "      counters.passed(datagram.length);",
    replace: "      counters.passed(datagram.length);\n      if (datagram.length === 1) counters.passed(1);",
  },
  {
    rule: "bridge: what is gathered for a file is written at the end",
    file: FILE_SINK,
    find: "    this.#flush();\n    this.tend();",
    replace: "    this.tend();",
  },
  {
    rule: "bridge: a new thread has those of a dead one",
    file: "src/engine/native.ts",
    find: "if (bridge.worker === worker) bridge.replaced();",
    replace: "if (bridge.worker !== worker) bridge.replaced();",
  },
];

export const BRIDGE_MUTANTS: readonly Mutant[] = MUTANTS.map((mutant) => ({ ...mutant, bridges: true }));
