/** What of requests is bounded, and what is said of those that are too big. */
import { describe, expect, test } from "bun:test";
import { Asking, halves, lines, passed, singly, statusOf } from "./http-rig.ts";

describe("extensions of chunks", () => {
  const head = lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked");

  test("do not go on", () => {
    const sent = `${head}5;a;b=c;d="e;\\"\\\\ \tf\xff"\r\nhello\r\n0;last\r\nX: y\r\n\r\n`;
    const gone = `${head}5\r\nhello\r\n0\r\nX: y\r\n\r\n`;
    expect(new Asking().send(sent + sent).texts).toEqual([gone, gone]);
    expect(new Asking().send(...singly(sent)).texts).toEqual([gone]);
    for (const [one, other] of halves(sent)) expect(new Asking().send(one, other).texts).toEqual([gone]);
  });

  test("are counted over the whole body", () => {
    const chunk = `1;${"a".repeat(99)}\r\nx\r\n`;
    expect(statusOf(`${head}${chunk.repeat(40)}0\r\n\r\n`)).toBe(0);
    expect(statusOf(`${head}${chunk.repeat(41)}0\r\n\r\n`)).toBe(400);
  });
});

describe("too much of something", () => {
  const max = 2_000;
  const ask = (text: string) => {
    const whole = new Asking(max).send(text);
    const single = new Asking(max).send(...singly(text));
    expect([single.status, single.texts]).toEqual([whole.status, whole.texts]);
    return [whole.status, whole.refusals[0]?.message];
  };

  test("is a body that makes a request longer than max_message", () => {
    const head = (length: number) => lines("POST / HTTP/1.1", "Host: a", `Content-Length: ${length}`);
    const room = max - head(1_000).length;
    expect(ask(head(room) + "x".repeat(room))).toEqual([0, undefined]);
    expect(ask(head(room + 1))).toEqual([413, "more than 2000 bytes (max_message)"]);
  });

  test("is a body in chunks that does", () => {
    const head = lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked");
    const body = (length: number) => `${head}${length.toString(16)}\r\n${"x".repeat(length)}\r\n0\r\n\r\n`;
    const room = max - body(1_000).length + 1_000;
    expect(ask(body(room))).toEqual([0, undefined]);
    for (const more of [1, 2, 5, 6, 7, 50]) expect(ask(body(room + more))[0]).toBe(413);
    expect(ask(`${head}${"1\r\nx\r\n".repeat(400)}`)[0]).toBe(413);
    expect(ask(`${head}7d0\r\n`)[0]).toBe(413);
  });

  test("is a head", () => {
    const head = (length: number) => {
      const empty = lines("GET / HTTP/1.1", "Host: a", "X: ");
      return empty.replace("X: ", `X: ${"y".repeat(length - empty.length)}`);
    };
    expect(ask(head(max))).toEqual([0, undefined]);
    expect(ask(head(max + 1))).toEqual([431, "a head of more than 2000 bytes"]);
    expect(new Asking().send(head(16_384)).status).toBe(0);
    expect(new Asking().send(head(16_385)).status).toBe(431);
  });

  test("is a head that leaves no room for a Host", () => {
    const head = (length: number, line = "GET / HTTP/1.0") =>
      lines(line, `X: ${"y".repeat(length - lines(line, "X: ").length)}`);
    const host = "Host: unknown.invalid\r\n".length;
    expect(ask(head(max - host))).toEqual([0, undefined]);
    expect(passed(head(16_384 - host)).length).toBe(16_384);
    expect(ask(head(max - host + 1))).toEqual([431, "a head of more than 2000 bytes"]);
    expect(ask(head(max - 9, "GET http://a/ HTTP/1.0"))).toEqual([0, undefined]);
    expect(ask(head(max - 8, "GET http://a/ HTTP/1.0"))[0]).toBe(431);
  });

  test("is a request line", () => {
    expect(ask(`GET /${"x".repeat(max)}`)).toEqual([414, "a request line of more than 2000 bytes"]);
    expect(ask("G".repeat(max))[0]).toBe(414);
  });

  test("is a trailer section", () => {
    const head = lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked");
    expect(new Asking().send(`${head}0\r\n${"X: y\r\n".repeat(2_731)}\r\n`).status).toBe(431);
    expect(new Asking().send(`${head}0\r\n${"X: y\r\n".repeat(2_730)}\r\n`).status).toBe(0);
  });
});
