/** Clients that wait for the first connection to their target. */
import { SocketError } from "../net/errors.ts";
import type { Connecting, StreamSocket } from "../net/runtime.ts";

interface Waiting {
  readonly join: () => void;
  readonly fail: (error: SocketError) => void;
}

type Admit = () => StreamSocket;

export class Joining {
  readonly #waiting = new Set<Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  /** `admit`: makes the client, once there is a connection; `strand`: one that comes in although there is none. */
  wait(admit: Admit, strand?: Admit): Connecting {
    let cancel = () => {};
    const socket = new Promise<StreamSocket>((resolve, reject) => {
      const fail = strand ? () => resolve(strand()) : reject;
      const waiting: Waiting = { join: () => resolve(admit()), fail };
      this.#waiting.add(waiting);
      cancel = () => {
        if (this.#waiting.delete(waiting)) reject(new SocketError("ECANCELED"));
      };
    });
    return { socket, cancel };
  }

  /** There is a connection. */
  admit(): void {
    for (const { join } of this.#waiting) join();
    this.#waiting.clear();
  }

  /** There will be none for now. */
  refuse(error: SocketError): void {
    for (const { fail } of this.#waiting) fail(error);
    this.#waiting.clear();
  }
}

/** One that need not wait. */
export function joined(socket: StreamSocket): Connecting {
  return { socket: Promise.resolve(socket), cancel() {} };
}

export function refused(error: SocketError): Connecting {
  return { socket: Promise.reject(error), cancel() {} };
}
