/** Sessions by the address of their client: two look-ups and nothing allocated for each datagram. */
import type { Endpoint } from "../../net/runtime.ts";

export class SessionTable<S> {
  /** By host, then by port: to make one text of the two would cost more than both look-ups. */
  readonly #hosts = new Map<string, Map<number, S>>();
  /** Adapters that know a client again give the same object for it: most datagrams follow one of the same client. */
  #lastPeer: Endpoint | undefined;
  #last: S | undefined;

  get(peer: Endpoint): S | undefined {
    if (peer === this.#lastPeer) return this.#last;
    const session = this.#hosts.get(peer.host)?.get(peer.port);
    if (session === undefined) return undefined;
    this.#lastPeer = peer;
    this.#last = session;
    return session;
  }

  set(peer: Endpoint, session: S): void {
    const ports = this.#hosts.get(peer.host);
    if (ports) ports.set(peer.port, session);
    else this.#hosts.set(peer.host, new Map([[peer.port, session]]));
  }

  delete({ host, port }: Endpoint): void {
    this.#lastPeer = undefined;
    this.#last = undefined;
    const ports = this.#hosts.get(host);
    if (ports?.delete(port) && ports.size === 0) this.#hosts.delete(host);
  }
}
