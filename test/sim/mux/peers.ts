/** Clients and targets of a storm over shared connections. */
import type { Runtime, StreamEvents, StreamSocket } from "../../../src/net/runtime.ts";
import type { Random } from "../../peers/random.ts";
import type { Asked, Codec } from "./codecs.ts";
import { type MuxPlan, TEMPERS, type Temper, type Whim } from "./plan.ts";

/** What has come and is not cut yet. */
class Inbox {
  #bytes = new Uint8Array(0);

  add(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
  }

  /** The first message, if it is there. */
  next(cut: (bytes: Uint8Array) => number): Uint8Array | undefined {
    const size = this.#bytes.length === 0 ? 0 : cut(this.#bytes);
    if (size === 0) return undefined;
    const message = this.#bytes.slice(0, size);
    this.#bytes = this.#bytes.slice(size);
    return message;
  }

  get left(): number {
    return this.#bytes.length;
  }
}

/** Sends bytes as fast as they are taken. */
class Outbox {
  readonly #socket: StreamSocket;
  readonly #waiting: (() => void)[] = [];
  #full = false;

  constructor(socket: StreamSocket) {
    this.#socket = socket;
  }

  /** Runs when there is room. */
  soon(run: () => void): void {
    if (this.#full) this.#waiting.push(run);
    else run();
  }

  write(bytes: Uint8Array): void {
    this.soon(() => {
      if (!this.#socket.write(bytes)) this.#full = true;
    });
  }

  drained(): void {
    this.#full = false;
    while (!this.#full) {
      const next = this.#waiting.shift();
      if (!next) return;
      next();
    }
  }
}

/** How often somebody who reads slowly stops: it has to come to an end in the time that there is. */
const NAPS = 200;

/** Asks so many times, and says what is wrong with what it gets. */
export class Asking implements StreamEvents {
  readonly id: number;
  readonly whim: Whim | undefined;
  /** Requests that were sent and neither answered nor refused. */
  readonly open = new Map<number, Asked>();
  readonly wrong: string[] = [];
  answers = 0;
  failures = 0;
  ended = false;
  closed = false;
  error: string | undefined;
  readonly #runtime: Runtime;
  readonly #codec: Codec;
  readonly #rough: boolean;
  readonly #random: Random;
  readonly #socket: StreamSocket;
  readonly #inbox = new Inbox();
  readonly #outbox: Outbox;
  readonly #requests: number;
  readonly #depth: number;
  /** It sends its FIN behind its last request, and not when it has all answers. */
  readonly #early: boolean;
  readonly #whimAt: number;
  readonly #done: () => void;
  #sent = 0;
  #naps = 0;
  #finished = false;

  constructor(
    id: number,
    runtime: Runtime,
    socket: StreamSocket,
    plan: MuxPlan,
    random: Random,
    whim: Whim | undefined,
    done: () => void,
  ) {
    this.id = id;
    this.whim = whim;
    this.#runtime = runtime;
    this.#codec = plan.codec;
    this.#rough = plan.kind === "rough";
    this.#random = random;
    this.#socket = socket;
    this.#outbox = new Outbox(socket);
    this.#requests = random.size(1, 30);
    this.#depth = random.pick([1, 1, 2, 8, 100]);
    this.#early = random.chance(0.4);
    this.#whimAt = random.between(0, this.#requests);
    this.#done = done;
    socket.on(this);
    socket.resume();
    this.#ask();
  }

  /** It has got what it asked for. */
  get satisfied(): boolean {
    return this.answers === this.#requests && this.open.size === 0;
  }

  data(chunk: Uint8Array): void {
    this.#inbox.add(chunk);
    for (;;) {
      const reply = this.#inbox.next(this.#codec.cutReply);
      if (!reply) break;
      this.#judge(this.#codec.answered(reply), reply);
    }
    if (this.whim === "reads slowly" && this.#naps++ < NAPS) {
      this.#socket.pause();
      this.#runtime.after(this.#random.size(1, 500), () => this.#socket.resume());
    }
    this.#ask();
  }

  drain(): void {
    this.#outbox.drained();
  }

  end(): void {
    this.ended = true;
    this.#finish();
  }

  close(error?: { readonly code: string }): void {
    this.closed = true;
    this.error = error?.code;
    if (!error && this.#inbox.left > 0 && this.whim !== "leaves") {
      this.wrong.push(`${this.#inbox.left} bytes of a reply, and then the end`);
    }
    this.#done();
  }

  #judge(answered: Asked | "failure", reply: Uint8Array): void {
    const [first] = this.open.values();
    if (answered === "failure") {
      this.failures++;
      const n = this.#codec.ordered ? first?.n : ((reply[0] as number) << 8) + (reply[1] as number);
      // It is told so that what it has sent is none.
      if (this.open.size === 0 && this.whim && this.#finished) return;
      if (n === undefined || !this.open.delete(n)) this.wrong.push(`a failure of ${n}, which is not open`);
      return;
    }
    const { client, n } = answered;
    if (client !== this.id) this.wrong.push(`the reply to ${client}:${n}`);
    else if (this.#codec.ordered && n !== first?.n) this.wrong.push(`the reply to its ${n}, and ${first?.n} is due`);
    else if (!this.open.delete(n)) this.wrong.push(`the reply to its ${n}, which is not open`);
    else this.answers++;
  }

  #ask(): void {
    while (!this.closed && !this.#finished && this.#sent < this.#requests && this.open.size < this.#depth) {
      if (this.whim && this.#sent === this.#whimAt && this.#indulge()) return;
      const asked = { client: this.id, n: ++this.#sent };
      this.open.set(asked.n, asked);
      this.#outbox.write(this.#codec.request(asked, this.#random));
    }
    if (this.#sent === this.#requests && (this.#early || this.open.size === 0)) this.#finish();
  }

  /** True: nothing more is asked. */
  #indulge(): boolean {
    const { garbage } = this.#codec;
    if (this.whim === "reads slowly" || (this.whim === "sends garbage" && !garbage)) return false;
    this.#finished = true;
    if (this.whim === "leaves") {
      // Not every runtime tells of a reset while nothing is read, and until then it holds its connection.
      const deaf = this.#rough && this.#random.chance(0.5);
      if (deaf) this.#socket.pause();
      this.#runtime.after(this.#random.size(0, 100), () => {
        if (deaf || this.#random.chance(0.5)) this.#socket.abort();
        else this.#outbox.soon(() => this.#socket.end());
      });
      return true;
    }
    const whole = this.#codec.request({ client: this.id, n: this.#sent + 1 }, this.#random);
    this.#outbox.write(garbage && this.whim === "sends garbage" ? garbage : whole.subarray(0, whole.length - 1));
    // Whoever has no time limit for that waits for its FIN.
    this.#runtime.after(20_000, () => this.#outbox.soon(() => this.#socket.end()));
    return true;
  }

  #finish(): void {
    this.#finished = true;
    this.#outbox.soon(() => this.#socket.end());
  }
}

/** Answers, mostly. */
export class Answering implements StreamEvents {
  /** Requests that it has looked at, by who asked. */
  readonly seen: Asked[] = [];
  #came = 0;
  /** The most requests that were here at once. */
  most = 0;
  /** Milliseconds: when it first sent what is no reply, and when weir let go of it. */
  garbageAt: number | undefined;
  closedAt: number | undefined;
  #answered = 0;
  readonly #runtime: Runtime;
  readonly #plan: MuxPlan;
  readonly #random: Random;
  readonly #socket: StreamSocket;
  readonly #inbox = new Inbox();
  readonly #outbox: Outbox;
  readonly #waiting: Uint8Array[] = [];
  #busy = false;
  /** It has misbehaved, and says nothing more. */
  #mute = false;

  constructor(runtime: Runtime, socket: StreamSocket, plan: MuxPlan, random: Random) {
    this.#runtime = runtime;
    this.#plan = plan;
    this.#random = random;
    this.#socket = socket;
    this.#outbox = new Outbox(socket);
    socket.on(this);
    socket.resume();
  }

  data(chunk: Uint8Array): void {
    this.#inbox.add(chunk);
    for (;;) {
      const request = this.#inbox.next(this.#plan.codec.cutRequest);
      if (!request) break;
      this.most = Math.max(this.most, ++this.#came - this.#answered);
      if (this.#plan.codec.ordered) this.#waiting.push(request);
      else this.#think(() => this.#answer(request));
    }
    this.#next();
  }

  drain(): void {
    this.#outbox.drained();
  }

  end(): void {
    this.closedAt ??= this.#runtime.now();
    this.#outbox.soon(() => this.#socket.end());
  }

  close(): void {
    this.closedAt ??= this.#runtime.now();
    this.#mute = true;
  }

  /** One after the other. */
  #next(): void {
    if (this.#busy || this.#mute) return;
    const request = this.#waiting.shift();
    if (!request) return;
    this.#busy = true;
    this.#think(() => {
      this.#busy = false;
      this.#answer(request);
      this.#next();
    });
  }

  #think(run: () => void): void {
    const { thinking } = this.#plan;
    if (thinking === 0) run();
    else this.#runtime.after(this.#random.size(0, thinking), run);
  }

  #answer(request: Uint8Array): void {
    if (this.#mute) return;
    const { codec, anger, spending } = this.#plan;
    const reply = codec.reply(request, this.#random);
    this.seen.push(codec.asked(request));
    this.#answered++;
    if (codec.spent && this.#random.chance(spending)) {
      this.#mute = true;
      this.#outbox.write(codec.spent(reply));
      this.#outbox.soon(() => this.#socket.end());
      return;
    }
    if (this.#random.chance(anger)) this.#misbehave(this.#random.pick(TEMPERS), reply);
    else this.#outbox.write(reply);
  }

  #misbehave(temper: Temper, reply: Uint8Array): void {
    const { codec } = this.#plan;
    if (temper === "never" && !codec.ordered) return;
    if (temper === "late") {
      const later = () => this.#outbox.write(reply);
      if (!codec.ordered) this.#runtime.after(this.#random.size(10, 20_000), later);
      else {
        this.#busy = true;
        this.#runtime.after(this.#random.size(10, 20_000), () => {
          this.#busy = false;
          later();
          this.#next();
        });
      }
      return;
    }
    if (temper === "garbage" && codec.garbage) {
      this.garbageAt ??= this.#runtime.now();
      this.#outbox.write(codec.garbage);
      this.#outbox.write(reply);
      return;
    }
    // Whoever leaves a reply out and goes on answers the wrong ones: nobody could tell.
    this.#mute = true;
    if (temper === "half") this.#outbox.write(reply.subarray(0, this.#random.between(0, reply.length - 1)));
    if (temper === "finish") this.#outbox.soon(() => this.#socket.end());
    else if (temper === "half")
      this.#outbox.soon(() => (this.#random.chance(0.5) ? this.#socket.end() : this.#socket.abort()));
    else if (temper === "reset") this.#socket.abort();
  }
}
