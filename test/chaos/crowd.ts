/** Many peers on real sockets, clients and targets, each with a script that chance has written. */
import { runtime } from "#runtime";
import type { Address } from "../../src/net/address.ts";
import type { ConnectOptions, Listener, StreamSocket } from "../../src/net/runtime.ts";
import { LOOPBACK } from "../contract/kit.ts";
import { Endpoint, type Mischief, type Script } from "../peers/endpoint.ts";
import type { Random } from "../peers/random.ts";
import { DIALOGUES, type Dialogue, makeScript } from "../peers/scripts.ts";

/** Streams are about as long, bytes; most of them are shorter. */
const SCALE = 2_000_000;
/** Milliseconds within which the clients come. */
const ARRIVALS = 500;
/** Milliseconds at most for which a peer stops reading, again and again. */
const STALL = 200;
/** Target ids begin here, client ids at 1. */
const TARGET_IDS = 1_000_000;
const OPTIONS: ConnectOptions = { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 30_000 };

export class Crowd implements AsyncDisposable {
  readonly clients: Endpoint[] = [];
  readonly targets: Endpoint[] = [];
  readonly #random: Random;
  /** What most of them talk; the others say what they like. */
  readonly #dialogue: Dialogue;
  #listener: Listener | undefined;
  #changed: () => void = () => {};

  private constructor(random: Random) {
    this.#random = random;
    this.#dialogue = random.pick(DIALOGUES);
  }

  /** Begins with the targets. */
  static async open(random: Random): Promise<Crowd> {
    const crowd = new Crowd(random);
    crowd.#listener = await runtime.listen(LOOPBACK, { ...OPTIONS, backlog: 511 }, (socket) => {
      crowd.#add(crowd.targets, TARGET_IDS, socket, crowd.#dialogue.target);
    });
    return crowd;
  }

  /** Where the targets listen. */
  get address(): Address {
    return this.#listener?.address ?? LOOPBACK;
  }

  /** Lets `count` clients come, and waits until the last of them has gone. */
  async visit(to: Address, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      runtime.after(this.#random.fraction() * ARRIVALS, async () => {
        this.#add(this.clients, 0, await runtime.connect(to, OPTIONS).socket, this.#dialogue.client);
      });
    }
    await this.#until(() => this.clients.length === count && this.clients.every(isOver));
  }

  /** Waits until the targets have heard the end of it, too. */
  async settled(): Promise<void> {
    await this.#until(() => this.targets.every(isOver));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of [...this.clients, ...this.targets]) peer.leave();
    await this.#listener?.close();
  }

  #add(to: Endpoint[], ids: number, socket: StreamSocket, part: Dialogue["client"]): void {
    const random = this.#random;
    const id = ids + to.length + 1;
    const script = makeScript(random, "rough", SCALE, id, random.chance(0.7) ? part : undefined);
    to.push(new Endpoint(runtime, socket, onRealSockets(script), MISCHIEF, () => this.#changed()));
  }

  async #until(met: () => boolean): Promise<void> {
    if (met()) return;
    await new Promise<void>((resolve) => {
      this.#changed = () => {
        if (met()) resolve();
      };
    });
  }
}

/** Who does not read any more may never hear that the connection has ended. */
function isOver({ closed, deaf }: Endpoint): boolean {
  return closed || deaf;
}

/** The seam can reset a connection, but not close or sever it under its feet; and here time is real. */
function onRealSockets(script: Script): Script {
  const { finish, accident, stallFor, echoes, pace } = script;
  return {
    ...script,
    // How much it will echo is not known: a byte now and then could take for ever.
    pace: echoes ? 0 : pace,
    stallFor: Math.min(stallFor, STALL),
    finish: finish === "close" ? "reset" : finish,
    accident: accident === "none" ? "none" : "reset",
  };
}

const refuse = () => {
  throw new Error("this cannot be done on real sockets");
};
const MISCHIEF: Mischief = { close: refuse, sever: refuse };
