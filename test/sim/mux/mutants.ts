/**
 * Rules of the multiplexer, and what it is without each of them; they die in storms over shared connections. One that no
 * storm can see is missing: a connection whose first request has expired is replaced. A target that leaves a reply out and
 * goes on would give the next one to somebody else, which nobody could tell; test/mux/timeouts.test.ts holds that rule.
 */
import type { Mutant } from "../mutants.ts";

const LINE = "src/mux/line.ts";
const TRUNK = "src/mux/trunk.ts";
const FATES = "src/mux/fates.ts";
const CLIENT = "src/mux/client.ts";
const DISPATCHER = "src/mux/dispatcher.ts";
const UNDER_WAY = "src/mux/under-way.ts";

const MUTANTS: readonly Mutant[] = [
  {
    rule: "mux: what a target sends that is no reply is the end of its connection",
    file: LINE,
    find: '      this.abort("mismatch");',
    replace: "",
  },
  {
    rule: "mux: requests of a client are under way on one connection, where replies come in order",
    file: DISPATCHER,
    find: "const own = inOrder ? client.line : undefined;",
    replace: "const own = undefined;",
  },
  {
    rule: "mux: no more requests under way on a connection than is said",
    file: LINE,
    find: "this.load < this.#trunk.config.inFlight",
    replace: "this.load <= this.#trunk.config.inFlight",
  },
  {
    rule: "mux: requests that come back keep their places",
    file: CLIENT,
    find: "this.#queue.unshift(requests);",
    replace: "for (const each of requests) this.#queue.push(each);",
  },
  {
    rule: "mux: a request is not sent again when a part of its reply was passed on",
    file: FATES,
    find: "request === expired || request.begun ||",
    replace: "request === expired ||",
  },
  {
    rule: "mux: a failure waits for the replies before it",
    file: CLIENT,
    find: "!this.gone && this.inFlight + this.#due === 0",
    replace: "!this.gone",
  },
  {
    rule: "mux: a failure, and the end, wait for replies that were read and not delivered",
    file: CLIENT,
    find: "    this.#due++;",
    replace: "    this.#due = 0;",
  },
  {
    rule: "mux: two that are called the same are not under way at once",
    file: UNDER_WAY,
    find: "return !this.#used(this.#keys.ofRequest(bytes));",
    replace: "return true;",
  },
  {
    rule: "mux: a reply brings back what its client has called the request",
    file: UNDER_WAY,
    find: "return this.#with(request.key, bytes);",
    replace: "return bytes;",
  },
  {
    rule: "mux: a connection that is being closed is one, too",
    file: TRUNK,
    find: "this.lines.length + this.#closing.size + dialling.underWay >=",
    replace: "this.lines.length + dialling.underWay >=",
  },
  {
    rule: "mux: clients whose requests wait for a connection that has ended go on",
    file: LINE,
    find: "    this.#trunk.unpark(this);",
    replace: "",
  },
  {
    rule: "mux: shared connections are closed in the end",
    file: "src/proxy/proxy.ts",
    find: "    await this.#mux?.close();",
    replace: "",
  },
  {
    rule: "mux: whoever wants no more is told the end behind what it got",
    file: CLIENT,
    find: "if (this.#ended && this.#queue.length === 0 && this.inFlight + this.#due === 0) this.#finish();",
    replace: "",
  },
];

export const MUX_MUTANTS: readonly Mutant[] = MUTANTS.map((mutant) => ({ ...mutant, mux: true }));
