/** Who asks and who answers. Each question says whose it is, and each answer which question it is to. */
import { PROXY_HEADER_MAX, V2_SIGNATURE } from "../../../src/net/proxy-protocol.ts";
import type { Chunk, DatagramSocket, Endpoint } from "../../../src/net/runtime.ts";
import type { Random } from "../../peers/random.ts";
import type { DatagramPlan } from "./plan.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

export class Asking {
  readonly wrong: string[] = [];
  /** Questions as they were sent, and how often each was answered. */
  readonly asked: string[] = [];
  readonly answers = new Map<string, number>();
  heard = 0;
  readonly #id: number;
  readonly #socket: DatagramSocket;
  readonly #random: Random;

  constructor(id: number, socket: DatagramSocket, random: Random, proxy: Endpoint) {
    this.#id = id;
    this.#socket = socket;
    this.#random = random;
    socket.on({
      message: (chunk, from) => {
        if (from.host !== proxy.host || from.port !== proxy.port) this.wrong.push(`something from ${from.host}`);
        this.#hear(decode(chunk));
      },
      close() {},
    });
    socket.resume();
  }

  ask(to: Endpoint): void {
    const text = `client ${this.#id} question ${this.asked.length} ${"x".repeat(this.#random.size(0, 2_000))}`;
    this.asked.push(text);
    this.#socket.send(encode(text), to);
  }

  #hear(text: string): void {
    this.heard++;
    const [, which = "", question = ""] = /^answer (\d+ by \d+) to (.*)$/.exec(text) ?? [];
    if (!this.asked.includes(question)) this.wrong.push(`an answer that is not its own: ${text.slice(0, 60)}`);
    const key = `${which} ${question}`;
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
  }
}

/** What has come to a target from one port of weir. */
interface Course {
  readonly texts: string[];
  /** Of the header, if there was one: who the client is. */
  readonly client: string | undefined;
}

export class Answering {
  readonly wrong: string[] = [];
  readonly courses = new Map<number, Course>();
  heard = 0;
  readonly #id: number;
  readonly #plan: DatagramPlan;
  readonly #random: Random;

  constructor(id: number, plan: DatagramPlan, random: Random) {
    this.#id = id;
    this.#plan = plan;
    this.#random = random;
  }

  /** It may have another one after it was away. */
  serve(socket: DatagramSocket): void {
    socket.on({ message: (chunk, from) => this.#hear(chunk, from, socket), close() {} });
    socket.resume();
  }

  #hear(chunk: Chunk, from: Endpoint, socket: DatagramSocket): void {
    this.heard++;
    const course = this.courses.get(from.port);
    const header = V2_SIGNATURE.every((byte, at) => chunk[at] === byte) ? headerOf(chunk) : undefined;
    const text = decode(chunk.subarray(header?.length ?? 0));
    if (course) course.texts.push(text);
    else this.courses.set(from.port, { texts: [text], client: header?.client });
    const { loss, doubles, reorders } = this.#plan.weather;
    const { proxyProtocol } = this.#plan.config;
    const inOrder = loss + doubles + reorders + this.#plan.absent === 0;
    if (inOrder && (header !== undefined) !== (proxyProtocol.send === "v2" && !course)) {
      this.wrong.push(
        `target ${this.#id} got ${header ? "a" : "no"} header with datagram ${course ? "2 or later" : "1"}`,
      );
    }
    for (let n = this.#random.between(0, this.#plan.answers); n > 0; n--) {
      socket.send(encode(`answer ${n} by ${this.#id} to ${text}`), from);
    }
  }
}

/** Version 2 with IPv4 addresses (proxy-protocol.txt, section 2.2). */
function headerOf(chunk: Chunk): { readonly length: number; readonly client: string } {
  const view = new DataView(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, PROXY_HEADER_MAX));
  const host = [16, 17, 18, 19].map((at) => view.getUint8(at)).join(".");
  return { length: 16 + view.getUint16(14), client: `${host}:${view.getUint16(24)}` };
}
