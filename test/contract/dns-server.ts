/**
 * A small DNS server (RFC 1035) on the sockets of the runtime under test, so that it runs wherever the suite does:
 * over UDP, and over TCP for answers that do not fit into a datagram. It says what its zone says, and fails on demand.
 */
import { formatAddress, groupsOf, type TcpAddress } from "../../src/net/address.ts";
import type { DatagramSocket, Runtime, Service, StreamSocket } from "../../src/net/runtime.ts";

/** How a question goes wrong: the server says so, or says nothing. */
export type Failure = "NXDOMAIN" | "SERVFAIL" | "REFUSED" | "silence";

/** The records of a name by type; it has none of those that are missing. */
interface Records {
  readonly A?: readonly string[] | Failure;
  readonly AAAA?: readonly string[] | Failure;
  readonly SRV?: readonly Service[] | Failure;
}

/** Whatever is not in it does not exist. */
export type Zone = Readonly<Record<string, Records>>;

const TYPES: Readonly<Record<number, keyof Records>> = { 1: "A", 28: "AAAA", 33: "SRV" };
const CODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
const HEADER = 12;
const STREAMS = { noDelay: true, keepAlive: 0, buffer: 65_536, backlog: 16 };
/** Bytes that a datagram may carry and a stream (RFC 1035 section 4.2), and the bit in the header that says that there is more. */
const DATAGRAM_MAX = 512;
const STREAM_MAX = 65_535;
const TRUNCATED = 0x02;
/** This is a response, and recursion was desired; it is available. */
const RESPONSE = 0x81;
const RECURSION = 0x80;
/** A pointer to the name of the question, and the class IN; the time to live. */
const NAME = [0xc0, HEADER];
const INTERNET = [0, 1];
const TTL = [0, 0, 0, 5];

export class DnsServer {
  readonly address: string;
  /** So many of the next questions get lost. */
  losing = 0;
  /** Called with each question. */
  onQuestion: (() => void) | undefined;
  readonly #zone: Zone;
  readonly #close: () => Promise<void>;

  /** Listens on a port of `host` that is free for UDP and for TCP. */
  static async start(runtime: Runtime, zone: Zone, host = "127.0.0.1"): Promise<DnsServer> {
    for (;;) {
      let server: DnsServer | undefined;
      const accept = (socket: StreamSocket) => server?.serve(socket);
      const listener = await runtime.listen({ kind: "tcp", host, port: 0 }, STREAMS, accept);
      const address = listener.address as TcpAddress;
      const socket = await runtime.datagram(address, { receiveBuffer: 65_536 }).catch(() => undefined);
      if (socket) {
        server = new DnsServer(formatAddress(address), zone, socket, () => listener.close());
        return server;
      }
      await listener.close();
    }
  }

  private constructor(address: string, zone: Zone, socket: DatagramSocket, closeListener: () => Promise<void>) {
    this.address = address;
    this.#zone = zone;
    this.#close = async () => {
      socket.close();
      await closeListener();
    };
    socket.on({
      message: (chunk, from) => {
        const answer = this.#answer(chunk, DATAGRAM_MAX);
        if (answer) socket.send(answer, from);
      },
      close() {},
    });
    socket.resume();
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** One question over TCP, after its length in two bytes (RFC 1035 section 4.2.2). */
  serve(socket: StreamSocket): void {
    let bytes: number[] = [];
    socket.on({
      data: (chunk) => {
        bytes = [...bytes, ...chunk];
        const [high = 0, low = 0] = bytes;
        if (bytes.length < 2 || bytes.length < 2 + high * 256 + low) return;
        const answer = this.#answer(Uint8Array.from(bytes.slice(2)), STREAM_MAX);
        bytes = [];
        if (answer) socket.write(Uint8Array.from([...twoBytes(answer.length), ...answer]));
      },
      drain() {},
      end: () => socket.end(),
      close() {},
    });
    socket.resume();
  }

  #answer(question: Uint8Array, most: number): Uint8Array | undefined {
    this.onQuestion?.();
    const { name, type, end } = readQuestion(question);
    if (this.losing > 0) {
      this.losing--;
      return undefined;
    }
    const entry = this.#zone[name];
    const found = entry ? ((type && entry[type]) ?? []) : "NXDOMAIN";
    if (found === "silence") return undefined;
    const [code, records] = typeof found === "string" ? [CODES[found], []] : [0, found];
    const number = question.slice(end - 4, end - 2);
    const answers = records.map((record) => {
      const bytes = rdata(record);
      return [...NAME, ...number, ...INTERNET, ...TTL, ...twoBytes(bytes.length), ...bytes];
    });
    const fits = end + answers.flat().length <= most;
    const flags = [RESPONSE | (fits ? 0 : TRUNCATED), RECURSION | code];
    const counts = [0, 1, ...twoBytes(fits ? answers.length : 0), 0, 0, 0, 0];
    const head = [...question.slice(0, 2), ...flags, ...counts, ...question.slice(HEADER, end)];
    return Uint8Array.from(fits ? [...head, ...answers.flat()] : head);
  }
}

/** The only question of a message, and where it ends; names know no case. */
function readQuestion(message: Uint8Array): { name: string; type: keyof Records | undefined; end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(new TextDecoder().decode(message.slice(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  const type = TYPES[(message[at + 1] ?? 0) * 256 + (message[at + 2] ?? 0)];
  return { name: labels.join(".").toLowerCase(), type, end: at + 5 };
}

function rdata(record: string | Service): number[] {
  if (typeof record !== "string") {
    const { priority, weight, port, host } = record;
    return [...twoBytes(priority), ...twoBytes(weight), ...twoBytes(port), ...encodeName(host)];
  }
  return record.includes(":") ? (groupsOf(record) ?? []).flatMap(twoBytes) : record.split(".").map(Number);
}

function encodeName(name: string): number[] {
  const labels = name === "" ? [] : name.split(".");
  return [...labels.flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

function twoBytes(value: number): number[] {
  return [value >> 8, value & 255];
}
