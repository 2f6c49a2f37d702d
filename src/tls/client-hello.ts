/**
 * The first message of a TLS connection, read without decrypting anything: for whom the client asks, and what it
 * speaks (RFC 8446 sections 4.1.2 and 5.1). The bytes stay what they are; the result says what is in them.
 */
import { Cursor } from "./cursor.ts";
import { hostName } from "./server-name.ts";

export interface ClientHello {
  readonly kind: "hello";
  /**
   * RFC 6066 section 3; in lower case, without a trailing dot. Null: there is none, or what is there is no host name.
   * Where the real name is encrypted it is the outer one.
   */
  readonly serverName: string | null;
  /** RFC 7301, in the client's order, one character for each byte; without the made-up ones of RFC 8701. */
  readonly alpn: readonly string[];
  /** As numbers such as 0x0304 for TLS 1.3, in the client's order; before TLS 1.3 the highest alone. */
  readonly versions: readonly number[];
  /** There is an extension encrypted_client_hello, real or made up: nobody can tell. */
  readonly ech: boolean;
}

export type HelloReading =
  /** All is well so far. */
  | { readonly kind: "more" }
  | ClientHello
  /** It is no TLS. */
  | { readonly kind: "other"; readonly what: "HTTP" | "an SSLv2 hello" | "something else" }
  /** It begins like TLS and is wrong. */
  | { readonly kind: "wrong"; readonly why: string };

/** Bytes up to the end of a ClientHello, records and all: real ones have less than 2 KiB, some 4 KiB. */
export const HELLO_MAX = 65_536;

const RECORD = 5;
/** RFC 8446 section 5.1: bytes in a record. */
const RECORD_MAX = 16_384;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** Type and length of a handshake message (RFC 8446 section 4). */
const MESSAGE = 4;

const MORE: HelloReading = { kind: "more" };
const SOMETHING: HelloReading = { kind: "other", what: "something else" };

/** What is there so far may be the beginning of a TLS connection. */
export function beginsLikeTls(bytes: Uint8Array): boolean {
  return (bytes.length < 1 || bytes[0] === HANDSHAKE) && (bytes.length < 2 || bytes[1] === 3);
}

/**
 * Reads one ClientHello. What it says depends on the bytes alone, not on where they were cut, and no byte is looked at
 * more often than twice: it goes on where it was.
 */
export class HelloReader {
  /** Where the next byte to look at is, and how many of the record around it are left. */
  #at = 0;
  #left = 0;
  /** Bytes of the message that were seen, and that it has; 0: not known yet. */
  #seen = 0;
  #length = 0;
  /** Where they are: begin and end of each part, in turn. */
  readonly #parts: number[] = [];

  /** `bytes`: all that has come, from the first byte on; after anything else than "more" it is not to be called again. */
  read(bytes: Uint8Array): HelloReading {
    if (!beginsLikeTls(bytes)) return otherProtocol(bytes);
    const end = Math.min(bytes.length, HELLO_MAX);
    while (this.#at < end) {
      if (this.#left === 0) {
        const wrong = this.#record(bytes, end);
        if (wrong !== undefined) return wrong;
      }
      const missing = (this.#length || MESSAGE) - this.#seen;
      this.#part(Math.min(this.#left, end - this.#at, missing));
      if (this.#seen === this.#length) return parseMessage(this.#message(bytes));
      const wrong = this.#header(bytes);
      if (wrong !== undefined) return { kind: "wrong", why: wrong };
    }
    return end < HELLO_MAX ? MORE : { kind: "wrong", why: `no end within ${HELLO_MAX} bytes` };
  }

  /** The header of a record; undefined: bytes of it follow. */
  #record(bytes: Uint8Array, end: number): HelloReading | undefined {
    const at = this.#at;
    const wrong = (why: string): HelloReading => ({ kind: "wrong", why });
    if (bytes[at] !== HANDSHAKE) return wrong(`a record of type ${bytes[at]} in the middle of it`);
    // The second byte of the version is nobody's to judge (RFC 8446 section 5.1).
    if (at + 1 < end && bytes[at + 1] !== 3) return wrong(`a record of version ${bytes[at + 1]} in the middle of it`);
    if (at + RECORD > end) return end < HELLO_MAX ? MORE : wrong(`no end within ${HELLO_MAX} bytes`);
    const length = (bytes[at + 3] as number) * 256 + (bytes[at + 4] as number);
    if (length === 0) return wrong("an empty record");
    if (length > RECORD_MAX) return wrong(`a record of ${length} bytes; ${RECORD_MAX} are allowed`);
    this.#left = length;
    this.#at = at + RECORD;
    return this.#at < end ? undefined : MORE;
  }

  /** The next bytes are of the message. */
  #part(count: number): void {
    const parts = this.#parts;
    if (parts.at(-1) === this.#at) parts[parts.length - 1] = this.#at + count;
    else parts.push(this.#at, this.#at + count);
    this.#at += count;
    this.#left -= count;
    this.#seen += count;
  }

  /** Looks at the beginning of the message, as soon as it is there; what is wrong with it. */
  #header(bytes: Uint8Array): string | undefined {
    if (this.#length > 0) return undefined;
    const type = bytes[this.#parts[0] as number];
    if (type !== CLIENT_HELLO) return `a message of type ${type}, and no ClientHello`;
    if (this.#seen < MESSAGE) return undefined;
    const head = this.#message(bytes);
    const length = (head[1] as number) * 65_536 + (head[2] as number) * 256 + (head[3] as number);
    if (length > HELLO_MAX - RECORD - MESSAGE) return `${length} bytes; ${HELLO_MAX - RECORD - MESSAGE} are allowed`;
    if (length === 0) return "it is empty";
    this.#length = MESSAGE + length;
    return undefined;
  }

  /** What was seen of the message, in one piece: where that lies in one record, nothing is copied. */
  #message(bytes: Uint8Array): Uint8Array {
    const parts = this.#parts;
    if (parts.length === 2) return bytes.subarray(parts[0], parts[1]);
    const message = new Uint8Array(this.#seen);
    for (let i = 0, at = 0; i < parts.length; i += 2) {
      const part = bytes.subarray(parts[i], parts[i + 1]);
      message.set(part, at);
      at += part.length;
    }
    return message;
  }
}

const EXTENSION = { serverName: 0, alpn: 16, supportedVersions: 43, encryptedHello: 0xfe0d } as const;

/** A whole handshake message, with type and length (RFC 8446 section 4.1.2). */
function parseMessage(message: Uint8Array): HelloReading {
  const hello = new Cursor(message, MESSAGE);
  const version = hello.number(2, "the version");
  hello.skip(32, "the random value");
  const session = hello.vector(1, "the session id");
  if (session.left > 32) hello.wrong(`the session id has ${session.left} bytes; 32 are allowed`);
  const suites = hello.vector(2, "the list of cipher suites", 2);
  if (suites.left % 2 === 1) hello.wrong("the list of cipher suites has half a suite");
  hello.vector(1, "the list of compression methods", 1);
  const found = hello.left > 0 ? readExtensions(hello.vector(2, "the list of extensions")) : NOTHING;
  hello.done("the extensions");
  const { why } = hello.fault;
  if (why !== undefined) return { kind: "wrong", why };
  return { kind: "hello", ...found, versions: found.versions ?? [version] };
}

interface Extensions extends Pick<ClientHello, "serverName" | "alpn" | "ech"> {
  readonly versions: readonly number[] | undefined;
}

const NOTHING: Extensions = { serverName: null, alpn: [], versions: undefined, ech: false };

function readExtensions(list: Cursor): Extensions {
  const bodies = new Map<number, Cursor>();
  while (list.left > 0) {
    const type = list.number(2, "the type of an extension");
    const body = list.vector(2, "an extension");
    if (!READ.has(type)) continue;
    // RFC 8446 section 4.2. Whoever read the other one of two would go elsewhere.
    if (bodies.has(type)) list.wrong(`the extension ${type} is there twice`);
    bodies.set(type, body);
  }
  const [name, alpn, versions] = [EXTENSION.serverName, EXTENSION.alpn, EXTENSION.supportedVersions].map((type) =>
    bodies.get(type),
  );
  return {
    serverName: name ? readServerName(name) : null,
    alpn: alpn ? readAlpn(alpn) : [],
    versions: versions && readVersions(versions),
    ech: bodies.has(EXTENSION.encryptedHello),
  };
}

const READ: ReadonlySet<number> = new Set(Object.values(EXTENSION));

/** RFC 6066 section 3: names of several types may follow each other, each type once; only host names are known. */
function readServerName(body: Cursor): string | null {
  const names = body.vector(2, "the list of server names", 1);
  body.done("the list of server names");
  let host: string | undefined;
  while (names.left > 0) {
    const type = names.number(1, "the type of a server name");
    const name = names.vector(2, "a server name", 1);
    if (type !== 0) continue;
    if (host !== undefined) names.wrong("there are two host names");
    host = name.text();
  }
  return (host !== undefined && hostName(host)) || null;
}

/** RFC 7301 section 3.1. */
function readAlpn(body: Cursor): readonly string[] {
  const names = body.vector(2, "the list of protocols", 2);
  body.done("the list of protocols");
  const protocols: string[] = [];
  while (names.left > 0) {
    const name = names.vector(1, "a protocol", 1).text();
    if (!isMadeUp(name.charCodeAt(0) * 256 + name.charCodeAt(1)) || name.length !== 2) protocols.push(name);
  }
  return protocols;
}

/** RFC 8446 section 4.2.1. */
function readVersions(body: Cursor): readonly number[] {
  const list = body.vector(1, "the list of versions", 2);
  body.done("the list of versions");
  const versions: number[] = [];
  while (list.left > 0) {
    const version = list.number(2, "a version");
    if (!isMadeUp(version)) versions.push(version);
  }
  return versions;
}

/** RFC 8701: clients say 0x0a0a, 0x1a1a, … so that servers get used to what they do not know. */
function isMadeUp(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 255);
}

/** Methods with which requests begin (RFC 9110 section 9, RFC 5789), and HTTP/2 without TLS (RFC 9113 section 3.4). */
const HTTP = ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "CONNECT ", "OPTIONS ", "TRACE ", "PATCH ", "PRI "];
/** RFC 5246 appendix E.2: length with the highest bit set, then message type 1 and a version. */
const SSLV2 = 4;

/** Names what is no TLS, as soon as it can be nothing else. */
function otherProtocol(bytes: Uint8Array): HelloReading {
  const text = String.fromCharCode(...bytes.subarray(0, "OPTIONS ".length));
  if (HTTP.some((method) => text.startsWith(method))) return { kind: "other", what: "HTTP" };
  if (HTTP.some((method) => method.startsWith(text))) return MORE;
  if ((bytes[0] as number) < 128) return SOMETHING;
  if (bytes.length > 2 && bytes[2] !== CLIENT_HELLO) return SOMETHING;
  if (bytes.length < SSLV2) return MORE;
  return bytes[3] === 3 || bytes[3] === 0 ? { kind: "other", what: "an SSLv2 hello" } : SOMETHING;
}
