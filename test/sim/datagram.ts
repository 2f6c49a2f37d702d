/** UDP on the simulated network, which may lose, double and reorder what is sent. */
import { SocketError } from "../../src/net/errors.ts";
import { isMulticast } from "../../src/net/multicast.ts";
import type {
  Chunk,
  DatagramEvents,
  DatagramOptions,
  DatagramSocket,
  Endpoint,
  Membership,
  NetworkInterface,
} from "../../src/net/runtime.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";

/** Bytes of payload that fit into one (RFC 768 and 791: 65,535 less two headers). */
/** Bytes (net.core.rmem_default). */
const DEFAULT_BUFFER = 212_992;
const LARGEST = 65_507;
/** Milliseconds: on the way, and between two that were sent at once, so that they stay in order. */
const LATENCY = 1;
const ORDER = 1e-6;
const NOBODY: DatagramEvents = { message() {}, close() {} };

export class SimDatagram implements DatagramSocket {
  readonly local: Endpoint;
  unsent = 0;
  overrun = 0;
  refused = 0;
  /** This kernel takes everything. */
  readonly full = false;
  readonly #network: Network;
  readonly #process: Process;
  readonly #options: DatagramOptions;
  readonly #groups = new Map<string, Membership>();
  readonly #inbox: { readonly chunk: Uint8Array; readonly from: Endpoint }[] = [];
  #held = 0;
  #kernel: SimDatagram | undefined;
  #adopter: SimDatagram | undefined;
  #lastSent = 0;
  #events: DatagramEvents = NOBODY;
  #reading = false;
  #awake = false;
  #closed = false;
  #told = false;
  #error: SocketError | undefined;

  /** Throws `EADDRINUSE`. */
  static open(network: Network, process: Process, at: Endpoint, options: DatagramOptions): SimDatagram {
    const local = at.port === 0 ? { ...at, port: network.port() } : at;
    for (const other of network.datagrams) {
      const shares = options.shared && other.#options.shared;
      if (sameEnd(other.local, local) && !shares) throw new SocketError("EADDRINUSE");
    }
    if (options.multicast?.interface !== undefined) interfaceOf(options.multicast.interface);
    const socket = new SimDatagram(network, process, local, options);
    process.holdings.add(socket.#vanish);
    return socket;
  }

  private constructor(network: Network, process: Process, local: Endpoint, options: DatagramOptions) {
    this.#network = network;
    this.#process = process;
    this.local = local;
    this.#options = options;
    network.datagrams.add(this);
    process.take();
  }

  on(events: DatagramEvents): void {
    this.#events = events;
    this.#wake();
  }

  send(chunk: Chunk, wanted: Endpoint): void {
    const to = this.#options.remote ?? wanted;
    if (this.#closed || chunk.length > LARGEST || to.host.includes(":") !== this.local.host.includes(":")) {
      this.unsent++;
      return;
    }
    const { random } = this.#network;
    const { loss, doubles } = this.#network.datagramWeather;
    if (random.chance(loss)) return;
    const copies = random.chance(doubles) ? 2 : 1;
    for (let n = 0; n < copies; n++) this.#dispatch(chunk.slice(), to);
  }

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    this.#reading = true;
    this.#wake();
  }

  /** The socket as the kernel has it is served by `process` from now on; what waits goes with it. */
  adopt(process: Process): SimDatagram {
    const network = this.#network;
    const before = this.#adopter ?? this;
    network.datagrams.delete(before);
    const adopter = new SimDatagram(network, process, this.local, this.#options);
    // Closing it is the end of its service, and not of the socket.
    adopter.#kernel = this;
    adopter.#inbox.push(...before.#inbox.splice(0));
    adopter.#held = before.#held;
    before.#held = 0;
    this.#adopter = adopter;
    return adopter;
  }

  join(membership: Membership): void {
    const { group, interface: at } = membership;
    if (this.#closed) throw new SocketError("EBADF");
    if (!isMulticast(group)) throw new SocketError("EINVAL", `"${group}" is no multicast group (EINVAL)`);
    if (at !== undefined) interfaceOf(at);
    this.#groups.set(keyOf(membership), membership);
  }

  leave(membership: Membership): void {
    this.#groups.delete(keyOf(membership));
  }

  joined(membership: Membership): boolean {
    return this.#groups.has(keyOf(membership));
  }

  close(): void {
    if (this.#closed) return;
    this.#vanish();
    if (this.#kernel && !this.#kernel.#closed) this.#network.datagrams.add(this.#kernel);
    this.#wake();
  }

  /** Its process is gone: nobody is told. */
  readonly #vanish = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#process.holdings.delete(this.#vanish);
    this.#network.datagrams.delete(this);
    this.#process.give();
  };

  /** In order, unless the weather wants it otherwise. */
  #dispatch(chunk: Uint8Array, to: Endpoint): void {
    const network = this.#network;
    const { clock, random, datagramWeather } = network;
    const late = random.chance(datagramWeather.reorders) ? network.delay() : 0;
    this.#lastSent = Math.max(this.#lastSent, clock.now) + ORDER;
    const arrival = this.#lastSent + LATENCY + late - clock.now;
    clock.after(arrival, () => {
      const takers = [...network.datagrams].filter((each) => each.#hears(this, to));
      // Whoever shares an address for one host alone: one of them gets it.
      for (const taker of isMulticast(to.host) ? takers : takers.slice(0, 1)) taker.#arrive(chunk.slice(), this.local);
      if (takers.length === 0 && this.#options.remote) this.refused++;
    });
  }

  #hears(sender: SimDatagram, to: Endpoint): boolean {
    const { remote } = this.#options;
    if (remote && !sameEnd(remote, sender.local)) return false;
    if (!isMulticast(to.host)) return sameEnd(this.local, to);
    const { loopback = true, interface: out } = sender.#options.multicast ?? {};
    const bound =
      this.local.port === to.port && [to.host, "0.0.0.0", "::"].includes(this.local.host.replace(/%.*/, ""));
    return (
      bound &&
      loopback &&
      [...this.#groups.values()].some(
        ({ group, source, interface: at }) =>
          group === to.host &&
          (source === undefined || source === sender.local.host) &&
          (at === undefined || out === undefined || interfaceOf(at) === interfaceOf(out)),
      )
    );
  }

  #arrive(chunk: Uint8Array, from: Endpoint): void {
    if (this.#held + chunk.length > (this.#options.receiveBuffer || DEFAULT_BUFFER)) {
      this.overrun++;
      return;
    }
    this.#held += chunk.length;
    this.#inbox.push({ chunk, from });
    this.#wake();
  }

  #wake(): void {
    if (this.#awake || this.#told) return;
    this.#awake = true;
    this.#process.soon(() => {
      this.#awake = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#closed) {
      this.#told = true;
      this.#events.close(this.#error);
      return;
    }
    const next = this.#reading && this.#events !== NOBODY ? this.#inbox.shift() : undefined;
    if (!next) return;
    this.#held -= next.chunk.length;
    try {
      this.#events.message(next.chunk, next.from);
    } catch (cause) {
      this.#error = new SocketError("EHANDLER", undefined, { cause });
      this.close();
    }
    next.chunk.fill(0xdb);
    this.#wake();
  }
}

/** Every simulated machine has these. */
export const INTERFACES: readonly NetworkInterface[] = [
  { name: "lo", index: 1, addresses: ["127.0.0.1", "::1"], loopback: true },
  { name: "eth0", index: 2, addresses: ["10.0.0.1", "fd00::1", "fe80::1"], loopback: false },
];

function interfaceOf(wanted: string): NetworkInterface {
  const found = INTERFACES.find(({ name, addresses }) => name === wanted || addresses.includes(wanted));
  if (found) return found;
  throw new SocketError("ENODEV", `There is no network interface "${wanted}" (ENODEV)`);
}

function sameEnd(one: Endpoint, other: Endpoint): boolean {
  return one.host === other.host && one.port === other.port;
}

function keyOf({ group, source = "", interface: at = "" }: Membership): string {
  return `${group} ${source} ${at}`;
}
