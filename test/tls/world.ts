/** Targets, proxies and clients over TLS or without, and the records of connections that are over. */
import { runtime } from "#runtime";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import { type ConnectionRecord, Proxy, type ProxyOptions } from "../../src/index.ts";
import { formatAddress, parseAddress } from "../../src/net/address.ts";
import type { Bound, StreamSocket } from "../../src/net/runtime.ts";
import type { ClientTls } from "../../src/net/tls.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { type Issued, textOf } from "./certificates.ts";

export class World implements AsyncDisposable {
  readonly kit = new Kit(runtime);
  readonly proxies: Proxy[] = [];
  readonly records: ConnectionRecord[] = [];
  readonly #arrived: Probe[] = [];
  #wake: () => void = () => {};

  /** The address of a target, over TLS or without; what connects to it comes out of {@link target}. */
  async targetAddress(issued?: Issued): Promise<string> {
    const accept = (socket: StreamSocket) => {
      this.#arrived.push(new Probe(socket));
      this.kit.later(() => socket.abort());
      this.#wake();
    };
    if (issued === undefined) return addressOf(await this.kit.listen(LOOPBACK, accept));
    const credential = { certificate: textOf(issued.certificate), key: textOf(issued.key), names: [] };
    const serverTls = { certificates: [credential], minVersion: "1.2", alpn: [], handshakeTimeout: 10_000 } as const;
    return addressOf(await this.kit.listen(parseAddress("tls://127.0.0.1:0", "listen", "tls"), accept, { serverTls }));
  }

  async bind(listen: string, target: string | readonly string[], options: ProxyOptions): Promise<Proxy> {
    const proxy = await Proxy.bind(listen, target, options);
    this.proxies.push(proxy);
    for (const event of ["closed", "failed"] as const) {
      proxy.on(event, (record) => {
        this.records.push(record);
        this.#wake();
      });
    }
    return proxy;
  }

  async client(proxy: Proxy, clientTls?: ClientTls): Promise<Probe> {
    const to = parseAddress(proxy.address, "target", "tls");
    return new Probe(await this.kit.connect(to, clientTls ? { clientTls } : {}));
  }

  async target(): Promise<Probe> {
    await this.#until(() => this.#arrived.length > 0);
    return this.#arrived.shift() as Probe;
  }

  async record(): Promise<ConnectionRecord> {
    await this.#until(() => this.records.length > 0);
    return this.records.shift() as ConnectionRecord;
  }

  async #until(met: () => boolean): Promise<void> {
    while (!met()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.proxies) await proxy.shutdown();
    await this.kit.clean();
  }
}

export function addressOf({ address }: Bound): string {
  return formatAddress(address);
}
