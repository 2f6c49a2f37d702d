/** Answers of HTTP servers, cut anywhere. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { HttpAnswer, type HttpResponse } from "../../src/net/http-answer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What comes of the pieces and, where that is nothing yet, of the end. */
function read(pieces: readonly Uint8Array[]): HttpResponse | string {
  const answer = new HttpAnswer();
  for (const piece of pieces) {
    const found = answer.take(piece);
    if (found !== undefined) return found;
  }
  return answer.finish();
}

const BODY = "Grüße, 数据 \u0080\u009f 🚀";
const size = bytes(BODY).length;
const WHOLE: readonly (readonly [string, string])[] = [
  ["a length", `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n${BODY}`],
  ["chunks", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)};x=y\r\n${BODY}\r\n0\r\n\r\n`],
  ["the end", `HTTP/1.0 200\r\nServer: x\r\n\r\n${BODY}`],
  ["something interim before it", `HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length:${size}\r\n\r\n${BODY}`],
];

test.each(WHOLE)("an answer with %s is read, wherever it is cut", (_, text) => {
  const all = bytes(text);
  fc.assert(
    fc.property(fc.array(fc.nat(all.length), { maxLength: 6 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), all.length];
      const pieces = at.slice(1).map((end, index) => all.subarray(at[index], end));
      expect(read(pieces)).toEqual({ status: 200, body: BODY });
    }),
  );
});

test("a body in several chunks is put together", () => {
  const text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
  expect(read([bytes(text)])).toEqual({ status: 200, body: "abc0123456789" });
});

test.each([
  ["SSH-2.0-OpenSSH_9.6\r\n", "the answer is not HTTP/1.x"],
  ["HTTP/2 200 OK\r\n\r\n", "the answer is not HTTP/1.x"],
  ["HTTP/1.1 OK\r\n\r\n", "the answer is not HTTP/1.x"],
  ["HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n", 'the content-length "many" is no number'],
  ["HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n", "the answer is larger than 16 MiB"],
  ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n", "the answer is larger than 16 MiB"],
  ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", "a chunk of the answer has no size"],
  ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", "the answer broke off"],
  ["HTTP/1.1 200 OK\r\n", "the answer broke off"],
  ["", "the answer broke off"],
  [`HTTP/1.1 200 OK\r\nx: ${"y".repeat(70_000)}`, "the head of the answer does not end"],
])("%j is refused: %s", (text, why) => {
  expect(read([bytes(text)])).toBe(why);
});

test("an answer without a body is whole with its head", () => {
  expect(new HttpAnswer().take(bytes("HTTP/1.1 204 No Content\r\n\r\n"))).toEqual({ status: 204, body: "" });
});

test("no bytes make it throw", () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom("HTTP/1.1 200 OK\r\n", "\r\n\r\n", "transfer-encoding: chunked\r\n"),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      expect(["string", "object"]).toContain(typeof read(parts.map(bytes)));
    }),
  );
});
