/** What there is to say about the connections that clients share, as data for the log, and when it is said. */
import { Repeated } from "../metrics/repeated.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { SocketError } from "../net/errors.ts";
import type { Runtime } from "../net/runtime.ts";

/** Why a connection has ended. */
export type LineEnd =
  /** The target has sent its FIN, or has said with a reply that it would; the latter is "spent". */
  | "target_closed"
  | "spent"
  | "target_reset"
  /** A request was not answered in time: whatever comes next may be its reply. */
  | "request_timeout"
  /** What came is no reply. */
  | "mismatch"
  | "idle"
  | "max_age"
  /** The last client has left, or the target is no longer one. */
  | "unused"
  | "shutdown";

/** `target` is its address, as everywhere here. */
export type LineEvent =
  | { readonly event: "opened"; readonly target: string; readonly local: string }
  /** `underWay`: requests that had no reply yet. */
  | {
      readonly event: "closed";
      readonly target: string;
      readonly local: string;
      readonly why: LineEnd;
      readonly underWay: number;
    };

export type MuxTrouble =
  /** It cannot be connected; said once, until it can again. */
  | { readonly event: "unreachable"; readonly target: string; readonly code: string; readonly message: string }
  | { readonly event: "reachable"; readonly target: string }
  /** It sends what nobody has asked for, or no replies; said once a second, with how many that are since the last time. */
  | { readonly event: "mismatch"; readonly target: string; readonly what: string; readonly count: number }
  /** A client has sent what is no request, and its connection ends; said once a second as well. */
  | { readonly event: "bad_message"; readonly what: string; readonly count: number };

/** What a multiplexer tells; whatever nobody asks for is not told. */
export interface MuxEvents {
  trouble?: ((event: MuxTrouble) => void) | undefined;
  /** A target that closes behind each reply makes many of them. */
  line?: ((event: LineEvent) => void) | undefined;
}

interface Known {
  unreachable: boolean;
  readonly mismatches: Repeated;
}

export class MuxNews {
  readonly #runtime: Pick<Runtime, "now">;
  readonly #events: MuxEvents;
  /** By address: it outlives the connections. */
  readonly #targets = new Map<string, Known>();
  readonly #badMessages = new Repeated();
  /** Our ends of the connections that are open, as far as they are told of. */
  readonly #locals = new Map<object, string>();

  constructor(runtime: Pick<Runtime, "now">, events: MuxEvents) {
    this.#runtime = runtime;
    this.#events = events;
  }

  /** Forgets what was said of others. */
  keep(targets: readonly string[]): void {
    for (const target of this.#targets.keys()) if (!targets.includes(target)) this.#targets.delete(target);
  }

  /** `line`: what stands for the connection, until {@link closed}. */
  opened(address: Address, line: object, end: Address): void {
    const target = formatAddress(address);
    const known = this.#targets.get(target);
    if (known?.unreachable) {
      known.unreachable = false;
      this.#events.trouble?.({ event: "reachable", target });
    }
    if (!this.#events.line) return;
    const local = formatAddress(end);
    this.#locals.set(line, local);
    this.#events.line({ event: "opened", target, local });
  }

  closed(address: Address, line: object, why: LineEnd, underWay: number): void {
    const local = this.#locals.get(line);
    if (local === undefined) return;
    this.#locals.delete(line);
    this.#events.line?.({ event: "closed", target: formatAddress(address), local, why, underWay });
  }

  unopened(address: Address, { code, message }: SocketError): void {
    if (code === "ECANCELED") return;
    const target = formatAddress(address);
    const known = this.#known(target);
    if (!known.unreachable) this.#events.trouble?.({ event: "unreachable", target, code, message });
    known.unreachable = true;
  }

  /** `what`: in few words, such as "a reply that nobody has asked for". */
  mismatch(address: Address, what: string): void {
    if (!this.#events.trouble) return;
    const target = formatAddress(address);
    const count = this.#known(target).mismatches.count(this.#runtime.now());
    if (count !== undefined) this.#events.trouble({ event: "mismatch", target, what, count });
  }

  badMessage(what: string): void {
    const count = this.#events.trouble && this.#badMessages.count(this.#runtime.now());
    if (count !== undefined) this.#events.trouble?.({ event: "bad_message", what, count });
  }

  #known(target: string): Known {
    const known = this.#targets.get(target) ?? { unreachable: false, mismatches: new Repeated() };
    this.#targets.set(target, known);
    return known;
  }
}
