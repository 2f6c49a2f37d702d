/** One end of a connection over which messages go, as text: each character is a byte. */
import type { ProtocolName } from "../../src/mux/mux-config.ts";
import type { Probe } from "../contract/probe.ts";

/** How many characters the first message has; 0: it is not whole. */
type Cut = (text: string) => number;

const number = (text: string, at: number) => text.charCodeAt(at) * 256 + text.charCodeAt(at + 1);
/** `header`: characters; `size`: those behind it. */
const counted =
  (header: number, size: (text: string) => number): Cut =>
  (text) =>
    text.length >= header && text.length >= header + size(text) ? header + size(text) : 0;

export const CUTS: Readonly<Record<ProtocolName, Cut>> = {
  echo: (text) => text.indexOf("\n") + 1,
  iso8583: counted(2, (text) => number(text, 0)),
  length: counted(2, (text) => number(text, 0)),
  mpu: counted(4, (text) => Number(text.slice(0, 4))),
  modbus: counted(6, (text) => number(text, 4)),
  /** Arrays of bulk strings, and lines. */
  redis(text) {
    let at = text.includes("\r\n") ? text.indexOf("\r\n") + 2 : 0;
    const strings = text[0] === "*" ? Number(text.slice(1, at - 2)) : 0;
    for (let left = strings; left > 0 && at > 0; left--) {
      const line = text.indexOf("\r\n", at);
      const end = line + 4 + Number(text.slice(at + 1, line));
      at = line < 0 || end > text.length ? 0 : end;
    }
    return at;
  },
  http(text) {
    const head = text.indexOf("\r\n\r\n") + 4;
    const size = head + Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
    return head > 3 && text.length >= size ? size : 0;
  },
};

export class Talker {
  readonly probe: Probe;
  /** Whole ones that have come. */
  readonly messages: string[] = [];
  /** What has come behind them. */
  rest = "";
  /** Called with each. */
  onMessage: (message: string) => void = () => {};

  constructor(probe: Probe, cut: Cut) {
    this.probe = probe;
    probe.raw = true;
    probe.onData = (chunk) => {
      probe.bytes = new Uint8Array(0);
      this.rest += Buffer.from(chunk).toString("latin1");
      for (let size = cut(this.rest); size > 0; size = cut(this.rest)) {
        const message = this.rest.slice(0, size);
        this.rest = this.rest.slice(size);
        this.messages.push(message);
        this.onMessage(message);
      }
    };
  }

  /** Only if it is still open. */
  say(text: string): void {
    if (!this.probe.closed) this.probe.socket.write(Buffer.from(text, "latin1"));
  }

  /** Waits until so many messages have come, all in all. */
  async heard(count: number): Promise<readonly string[]> {
    const { probe, messages } = this;
    await probe.until(() => messages.length >= count || probe.closed || probe.ended, `${count} messages`);
    if (messages.length >= count) return messages;
    throw new Error(`ended (${probe.error?.code}) behind ${messages.length} messages of ${count}: ${messages.at(-1)}`);
  }

  /** Waits for this, whatever came before, in what is not cut. */
  async heardPart(part: string): Promise<void> {
    const { probe } = this;
    await probe.until(() => this.rest.includes(part) || probe.closed || probe.ended, part);
    if (!this.rest.includes(part)) throw new Error(`ended (${probe.error?.code}) without ${part}`);
  }

  /** Says something, and gives the next message. */
  async ask(text: string): Promise<string> {
    const count = this.messages.length;
    this.say(text);
    return (await this.heard(count + 1))[count] as string;
  }

  /** Waits for its FIN, and finishes as well. */
  async end(): Promise<void> {
    await this.probe.untilEnd();
    this.probe.finish();
  }
}

/** Modbus: transaction, unit, function and its values. */
export function modbus(transaction: number, unit: number, code: number, values = ""): string {
  const length = values.length + 2;
  return String.fromCharCode(transaction >> 8, transaction & 255, 0, 0, length >> 8, length & 255, unit, code) + values;
}

/** ISO 8583 with fields 11 and 41, and this in field 39. */
export function card(type: string, stan: string, terminal: string, response = "  "): string {
  const text = `${type}002000000280000000000000`.slice(0, 20) + stan + response + terminal.padEnd(8);
  return String.fromCharCode(text.length >> 8, text.length & 255) + text;
}

export const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
export const post = (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`;
export const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
/** Of a reply. */
export const status = (reply: string | undefined) => Number(reply?.slice(9, 12));
