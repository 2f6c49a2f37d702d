/** Reads one answer to a GET (RFC 9112), however it is cut: by Content-Length, in chunks, or up to the end. */
import { latin1, latin1Bytes } from "./latin1.ts";
import type { Chunk } from "./runtime.ts";

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

const HEAD_MAX = 65_536;
const BODY_MAX = 16 << 20;
const CRLF = "\r\n";

interface Head {
  readonly status: number;
  readonly chunked: boolean;
  /** Bytes; undefined: all that comes. */
  readonly length: number | undefined;
}

export class HttpAnswer {
  /** One character for each byte, so that bytes can be counted and cut. */
  #text = "";
  #head: Head | undefined;
  /** Chunks that are whole. */
  readonly #parts: string[] = [];
  #size = 0;

  /** The answer when it is whole, or what is wrong with it; undefined: it goes on. */
  take(chunk: Chunk): HttpResponse | string | undefined {
    this.#text += latin1(chunk);
    if (!this.#head) {
      const wrong = this.#takeHead();
      if (wrong !== undefined) return wrong;
    }
    return this.#head ? this.#takeBody(this.#head) : undefined;
  }

  /** There is no more to come. */
  finish(): HttpResponse | string {
    const head = this.#head;
    const toTheEnd = head && !head.chunked && head.length === undefined;
    return toTheEnd ? response(head.status, this.#text) : "the answer broke off";
  }

  #takeHead(): string | undefined {
    for (;;) {
      const end = this.#text.indexOf(CRLF + CRLF);
      if (!"HTTP/1.".startsWith(this.#text.slice(0, 7))) return "the answer is not HTTP/1.x";
      if (end < 0) return this.#text.length > HEAD_MAX ? "the head of the answer does not end" : undefined;
      const [first = "", ...fields] = this.#text.slice(0, end).split(CRLF);
      const status = Number(/^HTTP\/1\.\d (\d{3})(?: |$)/.exec(first)?.[1]);
      if (Number.isNaN(status)) return "the answer is not HTTP/1.x";
      this.#text = this.#text.slice(end + 2 * CRLF.length);
      // RFC 9110 section 15.2: what is interim is not the answer.
      if (status < 200) continue;
      const field = (name: string) =>
        fields.find((line) => line.toLowerCase().startsWith(`${name}:`))?.split(/:\s*/)[1];
      const length = field("content-length");
      if (length !== undefined && !/^\d+\s*$/.test(length)) return `the content-length "${length}" is no number`;
      const chunked = /chunked\s*$/i.test(field("transfer-encoding") ?? "");
      const empty = status === 204 || status === 304;
      this.#head = { status, chunked, length: empty ? 0 : length === undefined ? undefined : Number(length) };
      return undefined;
    }
  }

  #takeBody({ status, chunked, length }: Head): HttpResponse | string | undefined {
    if (chunked && length !== 0) return this.#takeChunks(status);
    if (Math.max(this.#text.length, length ?? 0) > BODY_MAX) return TOO_LARGE;
    if (length === undefined || this.#text.length < length) return undefined;
    return response(status, this.#text.slice(0, length));
  }

  #takeChunks(status: number): HttpResponse | string | undefined {
    for (;;) {
      const end = this.#text.indexOf(CRLF);
      if (end < 0) return this.#text.length > HEAD_MAX ? "a chunk of the answer has no size" : undefined;
      const size = /^([\da-f]{1,8})\s*(?:;|$)/i.exec(this.#text.slice(0, end))?.[1];
      if (size === undefined) return "a chunk of the answer has no size";
      const many = Number.parseInt(size, 16);
      if (many === 0) return response(status, this.#parts.join(""));
      if (this.#size + many > BODY_MAX) return TOO_LARGE;
      const from = end + CRLF.length;
      if (this.#text.length < from + many + CRLF.length) return undefined;
      this.#parts.push(this.#text.slice(from, from + many));
      this.#size += many;
      this.#text = this.#text.slice(from + many + CRLF.length);
    }
  }
}

const TOO_LARGE = "the answer is larger than 16 MiB";

function response(status: number, bytes: string): HttpResponse {
  const body = new TextDecoder().decode(latin1Bytes(bytes));
  return { status, body };
}
