/** UDP targets and clients on real sockets, and a proxy between them. */
import { runtime } from "#runtime";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import { type ConnectionRecord, Proxy, type ProxyOptions } from "../../../src/index.ts";
import type { Chunk, DatagramEvents, DatagramSocket, Endpoint } from "../../../src/net/runtime.ts";

export const ENGINES = process.platform === "linux" ? (["portable", "native"] as const) : (["portable"] as const);

/** Somebody who sends and hears datagrams. */
export class Peer implements DatagramEvents {
  readonly heard: Uint8Array[] = [];
  readonly from: Endpoint[] = [];
  answer: ((chunk: Chunk, from: Endpoint) => Uint8Array | undefined) | undefined;
  readonly #socket: DatagramSocket;
  readonly #gone: Promise<void>;
  #resolveGone: () => void = () => {};
  #waiting: (() => void)[] = [];

  static async open(host = "127.0.0.1", port = 0): Promise<Peer> {
    return new Peer(await runtime.datagram({ host, port }, { receiveBuffer: 4 << 20, sendBuffer: 4 << 20 }));
  }

  private constructor(socket: DatagramSocket) {
    this.#socket = socket;
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    socket.on(this);
    socket.resume();
  }

  get port(): number {
    return this.#socket.local.port;
  }

  get address(): string {
    return `udp://${this.#socket.local.host}:${this.port}`;
  }

  get texts(): readonly string[] {
    return this.heard.map((chunk) => new TextDecoder().decode(chunk));
  }

  message(chunk: Chunk, from: Endpoint): void {
    this.heard.push(chunk.slice());
    this.from.push(from);
    const answer = this.answer?.(chunk, from);
    if (answer) this.#socket.send(answer, from);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  close(): void {
    this.#resolveGone();
  }

  say(what: string | Uint8Array, port: number, host = "127.0.0.1"): void {
    this.#socket.send(typeof what === "string" ? new TextEncoder().encode(what) : what, { host, port });
  }

  /** Resolves when it has heard so many. */
  async hears(count: number): Promise<void> {
    while (this.heard.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** What it hears next after it has said this. */
  async ask(what: string | Uint8Array, port: number): Promise<string> {
    const before = this.heard.length;
    this.say(what, port);
    await this.hears(before + 1);
    return new TextDecoder().decode(this.heard[before]);
  }

  async leave(): Promise<void> {
    this.#socket.close();
    await this.#gone;
  }
}

export class UdpWorld implements AsyncDisposable {
  readonly proxy: Proxy;
  readonly target: Peer;
  readonly records: ConnectionRecord[] = [];
  readonly #peers: Peer[] = [];
  #ended: (() => void)[] = [];

  static async with(
    engine: (typeof ENGINES)[number],
    options: ProxyOptions = {},
    more: { readonly targets?: readonly string[]; readonly listen?: string } = {},
  ): Promise<UdpWorld> {
    const target = await Peer.open();
    target.answer = (chunk) => chunk.slice();
    const { listen = "udp://127.0.0.1:0", targets = [target.address] } = more;
    return new UdpWorld(await Proxy.bind(listen, targets, { engine, ...options }), target);
  }

  private constructor(proxy: Proxy, target: Peer) {
    this.proxy = proxy;
    this.target = target;
    for (const event of ["closed", "failed"] as const) {
      proxy.on(event, (record) => {
        this.records.push(record);
        for (const wake of this.#ended.splice(0)) wake();
      });
    }
  }

  get port(): number {
    return this.proxy.port;
  }

  async client(host?: string): Promise<Peer> {
    const peer = await Peer.open(host);
    this.#peers.push(peer);
    return peer;
  }

  async ends(count: number): Promise<void> {
    while (this.records.length < count) await new Promise<void>((resolve) => this.#ended.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.shutdown();
    for (const peer of [this.target, ...this.#peers]) await peer.leave();
  }
}

/** Everybody else gets a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
