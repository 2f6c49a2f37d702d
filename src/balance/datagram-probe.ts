/** One health check of a UDP target: sends something, and looks for the answer. */
import { type Address, anyAddress, formatAddress } from "../net/address.ts";
import { asSocketError, explain } from "../net/errors.ts";
import { ownProxyHeader } from "../net/proxy-protocol-write.ts";
import type { Chunk, DatagramSocket, Runtime, Timer } from "../net/runtime.ts";
import type { ProbeRules } from "./probe.ts";

/** What is sent when nobody has said what. */
const NOTHING = "";
const OPTIONS = { receiveBuffer: 65_536, sendBuffer: 65_536 };

/** A check under way. Tells `done` once what is wrong with the target, or nothing; after `cancel` never. */
export class DatagramProbe {
  readonly #runtime: Pick<Runtime, "datagram" | "resolve" | "after">;
  readonly #address: Address;
  readonly #rules: ProbeRules;
  readonly #done: (wrong: string | undefined) => void;
  readonly #timer: Timer;
  #socket: DatagramSocket | undefined;
  #over = false;

  constructor(
    runtime: Pick<Runtime, "datagram" | "resolve" | "after">,
    address: Address,
    rules: ProbeRules,
    done: (wrong: string | undefined) => void,
  ) {
    this.#runtime = runtime;
    this.#address = address;
    this.#rules = rules;
    this.#done = done;
    this.#timer = runtime.after(rules.timeout, () => this.#finish(this.#late()));
    this.#open().catch((error: unknown) => this.#finish(explain(asSocketError(error).code)));
  }

  cancel(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#socket?.close();
  }

  async #open(): Promise<void> {
    const { source, send, header } = this.#rules;
    const address = this.#address;
    if (address.kind === "unix") throw new Error(`${formatAddress(address)} takes no datagrams`);
    const options = { servers: [], timeout: this.#rules.timeout };
    const host = (await this.#runtime.resolve(address.host, options))[0] ?? address.host;
    const remote = { host, port: address.port };
    const local = { host: source ?? anyAddress(host), port: 0 };
    const socket = await this.#runtime.datagram(local, { ...OPTIONS, remote });
    if (this.#over) {
      socket.close();
      return;
    }
    this.#socket = socket;
    socket.on({ message: (chunk) => this.#heard(chunk), close: () => this.#finish("the socket was closed") });
    socket.resume();
    const words = new TextEncoder().encode(send ?? NOTHING);
    const before = header === "v2" ? ownProxyHeader("v2") : new Uint8Array(0);
    const datagram = new Uint8Array(before.length + words.length);
    datagram.set(before);
    datagram.set(words, before.length);
    socket.send(datagram, remote);
  }

  /** An answer that is not the one may be followed by it. */
  #heard(chunk: Chunk): void {
    const { expect } = this.#rules;
    if (expect === null || new TextDecoder().decode(chunk).includes(expect)) this.#finish(undefined);
  }

  /** Nobody is told that a port is closed: it is looked at when the time is over. */
  #late(): string {
    const { expect, timeout } = this.#rules;
    if ((this.#socket?.refused ?? 0) > 0) return explain("ECONNREFUSED");
    return `${expect === null ? "no answer" : `no ${JSON.stringify(expect)}`} within ${timeout} ms`;
  }

  #finish(wrong: string | undefined): void {
    if (this.#over) return;
    this.cancel();
    this.#done(wrong);
  }
}
