/** What a contract case gets: the runtime under test, connected pairs, and a clean-up that runs whatever happens. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address, ListenAddress, TcpAddress } from "../../src/net/address.ts";
import type { ConnectOptions, Listener, ListenOptions, Runtime, StreamSocket } from "../../src/net/runtime.ts";
import { DnsServer, type Zone } from "./dns-server.ts";
import { Probe } from "./probe.ts";

export interface Case {
  readonly name: string;
  /** Why the runtime cannot do it; the case is then reported as skipped. */
  readonly skip?: (runtime: Runtime) => string | undefined;
  run(kit: Kit): Promise<void>;
}

export const LOOPBACK: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };
/**
 * Where nobody listens: tcpmux, which is out of use, and no port that a kernel gives away. The port of a listener
 * that is gone is one, and the next listener may get it.
 */
export const NOBODY: TcpAddress = { kind: "tcp", host: "127.0.0.1", port: 1 };
const LISTEN: ListenOptions = { noDelay: true, keepAlive: 0, buffer: 262_144, backlog: 511 };
export const CONNECT: ConnectOptions = { noDelay: true, keepAlive: 0, buffer: 262_144, timeout: 20_000 };

export interface Pair {
  readonly client: Probe;
  readonly server: Probe;
  readonly listener: Listener;
}

export interface PairOptions {
  readonly at?: Address;
  /** The accepted side starts paused. */
  readonly serverPaused?: boolean;
  readonly clientPaused?: boolean;
  readonly buffer?: number;
  /** Of the connecting side. */
  readonly busyPoll?: number;
}

export class Kit {
  readonly runtime: Runtime;
  readonly #cleanups: (() => void | Promise<void>)[] = [];

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  later(cleanup: () => void | Promise<void>): void {
    this.#cleanups.push(cleanup);
  }

  async listen(
    at: Address,
    accept: (socket: StreamSocket) => void,
    options: Partial<ListenOptions> = {},
  ): Promise<Listener> {
    const listener = await this.runtime.listen(at, { ...LISTEN, ...options }, accept);
    this.later(() => listener.close());
    return listener;
  }

  async connect(to: ListenAddress, options: Partial<ConnectOptions> = {}): Promise<StreamSocket> {
    if (to.kind === "udp") throw new Error("nobody can be connected over UDP");
    const socket = await this.runtime.connect(to, { ...CONNECT, ...options }).socket;
    this.later(() => socket.abort());
    return socket;
  }

  async pair(options: PairOptions = {}): Promise<Pair> {
    const { at = LOOPBACK, buffer = LISTEN.buffer, busyPoll = 0 } = options;
    let accepted: (probe: Probe) => void = () => {};
    const arriving = new Promise<Probe>((resolve) => {
      accepted = resolve;
    });
    const accept = (socket: StreamSocket) => accepted(new Probe(socket, !options.serverPaused));
    const listener = await this.listen(at, accept, { buffer });
    const client = new Probe(await this.connect(listener.address, { buffer, busyPoll }), !options.clientPaused);
    const server = await arriving;
    this.later(() => server.abort());
    return { client, server, listener };
  }

  /** The address of a DNS server that knows `zone`, and nothing else. */
  async dns(zone: Zone): Promise<string> {
    const server = await DnsServer.start(this.runtime, zone);
    this.later(() => server.close());
    return server.address;
  }

  /** A directory that is removed with everything in it. */
  directory(): string {
    const path = mkdtempSync(join(tmpdir(), "weir-"));
    this.later(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  /** What is in a file that the runtime has written. */
  content(path: string): Uint8Array {
    return readFileSync(path);
  }

  /**
   * A listener that never accepts: another process that stands still. Once its backlog is full, the
   * kernel drops every further SYN, and a connect to it hangs as one to a silent host does.
   */
  async silentListener(): Promise<Address> {
    const source = `const s = require("node:net").createServer();
      s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
        require("node:fs").writeSync(1, String(s.address().port) + "\\n");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);
      });`;
    const child = spawn("node", ["-e", source], { stdio: ["ignore", "pipe", "inherit"] });
    this.later(() => {
      child.kill("SIGKILL");
    });
    const port = await new Promise<number>((resolve) => child.stdout.once("data", (text) => resolve(Number(text))));
    const address: Address = { kind: "tcp", host: "127.0.0.1", port };
    for (let full = false; !full; ) {
      full = await this.connect(address, { timeout: 250 }).then(
        () => false,
        () => true,
      );
    }
    return address;
  }

  /**
   * Lets the process work for a while by count, not by the clock: `rounds` messages go to and fro over a
   * connection of their own, so whatever would have happened meanwhile has had its chance.
   */
  async busy(rounds = 2_000, options: PairOptions = {}): Promise<void> {
    const { client, server } = await this.pair(options);
    client.raw = true;
    server.raw = true;
    let left = rounds;
    server.onData = () => {
      server.bytes = new Uint8Array(0);
      server.writeText("x");
    };
    client.onData = () => {
      client.bytes = new Uint8Array(0);
      if (--left > 0) client.writeText("x");
    };
    client.writeText("x");
    await client.until(() => left <= 0, "ping-pong");
    client.abort();
    server.abort();
  }

  async clean(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
  }
}

/** Promise.withResolvers, which Node 20 lacks. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
