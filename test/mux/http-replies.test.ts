/** Replies: where they end, how they go to clients of either version, and what a shared connection does not survive. */
import { describe, expect, test } from "bun:test";
import { http } from "../../src/mux/framers/http.ts";
import type { FailureKind } from "../../src/mux/message.ts";
import { latin1 } from "../../src/net/latin1.ts";
import { Answering, halves, lines, PLAIN, singly } from "./http-rig.ts";

const OK = `${lines("HTTP/1.1 200 OK", "Content-Type: text/plain", "Content-Length: 5")}hello`;
const CHUNKED = lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
const OLD = { version10: true } as const;

/** Replies to one request each, sent whole; they must be complete. */
function reply(text: string, context = {}) {
  const answering = new Answering(context).send(text).end();
  expect(answering.broken).toBeUndefined();
  const single = new Answering(context).send(...singly(text)).end();
  expect(single.replies).toEqual(answering.replies);
  const [first] = answering.replies;
  if (!first) throw new Error("no reply");
  return first;
}

/** Why a reply to a request is none; the same however it is cut. */
function broken(text: string, context = {}): string | undefined {
  const why = new Answering(context, {}).send(text).end().broken;
  for (const [one, other] of halves(text)) {
    const cut = new Answering(context, {}).send(one, other).end().broken;
    if (cut !== why) expect([one, other, cut]).toEqual([one, other, why]);
  }
  return why;
}

describe("a reply", () => {
  test("goes on as it is, without a copy, in one part", () => {
    const answering = new Answering({}, {}, {}).send(OK, OK + OK);
    expect(answering.replies).toEqual(Array(3).fill({ text: OK, last: false, spent: false }));
    expect([answering.parts, answering.uncopied]).toEqual([3, 3]);
  });

  test("is delivered as it comes, but for its head", () => {
    const answering = new Answering({}).send(OK.slice(0, 20));
    expect([answering.text, answering.reader.waiting]).toEqual(["", 20]);
    answering.send(OK.slice(20, -3));
    expect([answering.text, answering.reader.waiting]).toEqual([OK.slice(0, -3), 0]);
    answering.send(OK.slice(-3));
    expect(answering.texts).toEqual([OK]);
  });

  test("is the same however it is cut", () => {
    const chunked = `${CHUNKED}5\r\nhello\r\n0\r\nX: y\r\n\r\n`;
    for (const [one, other] of halves(OK + chunked))
      expect(new Answering({}, {}).send(one, other).texts).toEqual([OK, chunked]);
    expect(new Answering({}, {}).send(...singly(OK + chunked)).texts).toEqual([OK, chunked]);
  });

  test("may have no reason, and no space before it", () => {
    for (const line of ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 299 \xfcber\tall"])
      expect(reply(lines(line, "Content-Length: 0")).text).toBe(lines(line, "Content-Length: 0"));
  });

  test("may have whitespace around what says where it ends", () => {
    const text = `${lines("HTTP/1.1 200 OK", "Content-Length:   5 ")}hello`;
    expect(reply(text).text).toBe(text);
  });

  test("to HEAD has no body, whatever its head says", () => {
    for (const field of ["Content-Length: 5", "Transfer-Encoding: chunked", "X: y"]) {
      const answering = new Answering({ head: true }, {}).send(lines("HTTP/1.1 200 OK", field) + OK);
      expect(answering.texts).toEqual([lines("HTTP/1.1 200 OK", field), OK]);
    }
  });

  test("with status 204 or 304 has no body", () => {
    for (const head of [
      lines("HTTP/1.1 204 No Content", "Content-Length: 0"),
      lines("HTTP/1.1 204 No Content", "X: y"),
      lines("HTTP/1.1 304 Not Modified", "Content-Length: 5"),
      lines("HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked"),
      lines("HTTP/1.1 205 Reset Content", "Content-Length: 0"),
    ])
      expect(new Answering({}, {}).send(head + OK).texts).toEqual([head, OK]);
  });

  test("that is not complete is not done", () => {
    for (const text of [OK.slice(0, 10), OK.slice(0, -1), `${CHUNKED}5\r\nhello\r\n`, `${CHUNKED}0\r\nX: y\r\n`, "H"])
      expect(new Answering({}).send(text).end()).toMatchObject({ replies: [], broken: undefined });
  });

  test("has a head of limited size", () => {
    const head = (length: number) => lines("HTTP/1.1 200 OK", "Content-Length: 0", `X: ${"y".repeat(length)}`);
    expect(new Answering({}).send(head(1_000_000)).texts).toEqual([head(1_000_000)]);
    const answering = new Answering({}).send("HTTP/1.1 200 OK\r\n");
    for (let n = 0; n < 2_000 && answering.broken === undefined; n++) {
      answering.send(`X: ${"y".repeat(1_000)}\r\n`);
      expect(answering.reader.waiting).toBeLessThan(1_048_576 + 2_000);
    }
    expect(answering.broken).toBe("a reply's head of more than 1048576 bytes");
  });
});

describe("interim replies", () => {
  const hints = lines("HTTP/1.1 103 Early Hints", "Link: </a>; rel=preload");

  test("go on, and what is asked for follows", () => {
    const answering = new Answering({}, {}).send(hints + hints + OK + OK);
    expect(answering.texts).toEqual([hints + hints + OK, OK]);
  });

  test("do not go to a client of HTTP/1.0", () => {
    expect(reply(hints + OK, OLD).text).toBe(OK.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"));
  });

  test("say nothing of the connection", () => {
    const keep = lines("HTTP/1.1 100 Continue", "Connection: close");
    expect(reply(keep + OK)).toEqual({ text: lines("HTTP/1.1 100 Continue") + OK, last: false, spent: false });
    expect(reply(hints + OK, { close: true }).text.startsWith(hints)).toBe(true);
  });

  test("go before a head that is changed", () => {
    expect(reply(`${hints}${lines("HTTP/1.1 200 OK", "Keep-Alive: 1", "Content-Length: 0")}`).text).toBe(
      hints + lines("HTTP/1.1 200 OK", "Content-Length: 0"),
    );
  });

  test("have no body, and do not switch protocols", () => {
    expect(broken(lines("HTTP/1.1 103 Early Hints", "Content-Length: 5"))).toBe("a body in a reply with status 103");
    expect(broken(lines("HTTP/1.1 101 Switching Protocols", "Upgrade: x"))).toContain("switch");
  });
});

describe("the connection", () => {
  test("of the target is its own", () => {
    const fields = ["Connection: Keep-Alive, Upgrade, X-Hop", "Keep-Alive: timeout=5", "x-hop: 1", "Upgrade: h2c"];
    expect(reply(`${lines("HTTP/1.1 200 OK", ...fields, "Content-Length: 2", "Proxy-Connection: close")}hi`)).toEqual({
      text: `${lines("HTTP/1.1 200 OK", "Content-Length: 2")}hi`,
      last: false,
      spent: false,
    });
  });

  test("of the target costs a small reply no second packet", () => {
    const keep = (length: number) =>
      lines("HTTP/1.1 200 OK", "Connection: keep-alive", `Content-Length: ${length}`) + "x".repeat(length);
    expect(new Answering({}, {}).send(keep(100) + keep(100)).parts).toBe(2);
    const chunks = `${lines("HTTP/1.1 200 OK", "Connection: keep-alive", "Transfer-Encoding: chunked")}1\r\nx\r\n0\r\n\r\n`;
    expect(new Answering({}, {}).send(chunks + chunks).parts).toBe(2);
    const answering = new Answering({}).send(keep(100_000));
    expect([answering.parts, answering.uncopied, answering.texts[0]?.length]).toEqual([2, 1, 100_043]);
    expect(new Answering({}).send(keep(100).slice(0, -10)).send("x".repeat(10)).texts[0]?.length).toBe(140);
  });

  test("of the target ends when it says so, and what comes behind that is nothing", () => {
    const closing = `${lines("HTTP/1.1 200 OK", "Connection: close", "Content-Length: 2")}hi`;
    const answering = new Answering({}, {}).send(closing + OK, OK).end();
    expect(answering.replies).toEqual([
      { text: `${lines("HTTP/1.1 200 OK", "Content-Length: 2")}hi`, last: false, spent: true },
    ]);
  });

  test("of a client that wishes it ends", () => {
    expect(reply(OK, { close: true })).toEqual({
      text: OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
      last: true,
      spent: false,
    });
  });

  test("ends with a body that has no other end", () => {
    const text = `${lines("HTTP/1.1 200 OK", "X: y")}whatever\r\n`;
    expect(reply(text)).toEqual({
      text: text.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
      last: true,
      spent: true,
    });
    expect(new Answering({}, {}).send(text, OK)).toMatchObject({ replies: [], broken: undefined });
  });
});

describe("HTTP/1.0", () => {
  test("of a target ends with its reply, unless it says otherwise; its client does not notice", () => {
    const of = (...fields: string[]) => `${lines("HTTP/1.0 200 OK", ...fields, "Content-Length: 2")}hi`;
    const text = `${lines("HTTP/1.1 200 OK", "Content-Length: 2")}hi`;
    expect(reply(of())).toEqual({ text, last: false, spent: true });
    expect(reply(of("Connection: keep-alive"))).toEqual({ text, last: false, spent: false });
  });

  test("of a client is told that the connection stays", () => {
    const text = OK.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n");
    expect(reply(OK, OLD)).toEqual({ text, last: false, spent: false });
    const closing = OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    expect(reply(OK, { ...OLD, close: true })).toEqual({ text: closing, last: true, spent: false });
  });

  test("of a client gets what is in the chunks, and then the end", () => {
    const sent = `${lines("HTTP/1.1 200 OK", "transfer-encoding: chunked", "X: y")}5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nZ: 1\r\n\r\n`;
    const text = `${lines("HTTP/1.1 200 OK", "X: y", "Connection: close")}hello world`;
    expect(reply(sent, OLD)).toEqual({ text, last: true, spent: false });
    for (const [one, other] of halves(sent)) expect(new Answering(OLD).send(one, other).texts).toEqual([text]);
  });

  test("of a client gets no hint of chunks with a head alone", () => {
    const text = lines("HTTP/1.1 200 OK", "Connection: keep-alive");
    expect(reply(CHUNKED, { ...OLD, head: true })).toEqual({ text, last: false, spent: false });
  });

  test("of a client gets no word of trailers, which it does not get", () => {
    const head = lines("HTTP/1.1 200 OK", "Trailer: X-Sum", "Transfer-Encoding: chunked", "trailer: Y");
    const sent = `${head}0\r\nX-Sum: 1\r\n\r\n`;
    const text = lines("HTTP/1.1 200 OK", "Connection: close");
    expect(reply(sent, OLD)).toEqual({ text, last: true, spent: false });
    expect(reply(sent).text).toBe(sent);
    const two = new Answering({ ...OLD, head: true }, OLD).send(head + OK);
    expect(two.texts[1]).toBe(OK.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"));
  });
});

describe("chunks", () => {
  test("go on as they come, without their extensions", () => {
    const sent = `${CHUNKED}5;a="b"\r\nhello\r\n0;c\r\nX: y\r\n\r\n`;
    expect(reply(sent).text).toBe(`${CHUNKED}5\r\nhello\r\n0\r\nX: y\r\n\r\n`);
    const answering = new Answering({}).send(CHUNKED).send("5\r\nhe").send("llo\r\n").send("0\r\n\r\n");
    expect([answering.texts, answering.parts, answering.uncopied]).toEqual([
      [`${CHUNKED}5\r\nhello\r\n0\r\n\r\n`],
      4,
      4,
    ]);
  });

  test("that are large do not wait", () => {
    const answering = new Answering({}).send(`${CHUNKED}fffffffffff\r\n`, "x".repeat(100_000));
    expect([answering.broken, answering.text.length]).toEqual([undefined, CHUNKED.length + 13 + 100_000]);
  });
});

describe("is out of step:", () => {
  const one = (...fields: string[]) => lines("HTTP/1.1 200 OK", ...fields);
  const cases: Record<string, string> = {
    "a length and chunks": `${one("Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n`,
    "chunks and a length": `${one("Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n`,
    "two lengths": one("Content-Length: 5", "Content-Length: 5"),
    "a list of lengths": one("Content-Length: 5, 5"),
    "a length that is none": one("Content-Length: five"),
    "another coding": one("Transfer-Encoding: gzip, chunked"),
    "two codings": one("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "a coding that is obfuscated": one("Transfer-Encoding: xchunked"),
    "chunks in HTTP/1.0": lines("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"),
    "a body with 204": `${lines("HTTP/1.1 204 No Content", "Content-Length: 5")}hello`,
    "chunks with 204": lines("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked"),
    "a connection that takes the length away": one("Connection: content-length", "Content-Length: 5"),
    "a bare LF": "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "a bare LF behind a field": "HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n",
    "a bare CR": "HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n",
    "a folded line": one("X: y", " Content-Length: 0"),
    "a space before a colon": one("Content-Length : 0"),
    "a NUL": one("X: \x00"),
    "an underscore": one("Content_Length: 0"),
    "another protocol": "ICY 200 OK\r\n\r\n",
    "HTTP/2": "HTTP/2 200\r\n\r\n",
    "HTTP/1.2": "HTTP/1.2 200 OK\r\n\r\n",
    "HTTP in lower case": "http/1.1 200 OK\r\n\r\n",
    "a status of two digits": "HTTP/1.1 20 OK\r\n\r\n",
    "a status of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
    "a status below 100": "HTTP/1.1 099 OK\r\n\r\n",
    "a status that is no number": "HTTP/1.1 2x0 OK\r\n\r\n",
    "a control character in the reason": "HTTP/1.1 200 O\x08K\r\n\r\n",
    "an empty line before it": `\r\n${OK}`,
    "a size that is none": `${CHUNKED}x\r\n`,
    "a size with a space": `${CHUNKED}5 \r\nhello\r\n0\r\n\r\n`,
    "a chunk that is too long": `${CHUNKED}5\r\nhello!\r\n0\r\n\r\n`,
    "a bare LF behind a chunk": `${CHUNKED}5\r\nhello\n0\r\n\r\n`,
    "a bare LF in an extension": `${CHUNKED}5;a\nhello\r\n0\r\n\r\n`,
    "a length behind the body": `${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`,
    "a cookie behind the body": `${CHUNKED}0\r\nSet-Cookie: a=b\r\n\r\n`,
  };

  test.each(Object.entries(cases))("%s", (_, text) => {
    expect(broken(text)).toBeString();
    expect(broken(text, OLD)).toBeString();
  });

  test("what nobody has asked for", () => {
    const why = "a reply that nobody has asked for";
    expect(new Answering().send("H").broken).toBe(why);
    expect(new Answering().send(lines("HTTP/1.1 408 Request Timeout", "Connection: close")).broken).toBe(why);
    for (const excess of ["\r\n", "x", OK, "\x00"]) {
      const answering = new Answering({}).send(OK + excess);
      expect([answering.texts, answering.broken]).toEqual([[OK], why]);
    }
    expect(new Answering({ head: true }).send(OK).broken).toBe(why);
  });
});

describe("who gets no reply", () => {
  const of = (kind: FailureKind, context = {}) => {
    const { bytes, last } = http.failure(kind, { ...PLAIN, ...context }) ?? { bytes: new Uint8Array(0), last: true };
    return { text: latin1(bytes), last };
  };

  test("is told why, in a reply that is one", () => {
    expect(of("timeout")).toEqual({
      text: `${lines("HTTP/1.1 504 Gateway Timeout", "Content-Type: text/plain", "Content-Length: 40")}weir: the target did not answer in time\n`,
      last: false,
    });
    expect(of("unreachable").text).toStartWith("HTTP/1.1 503 Service Unavailable\r\n");
    expect(of("lost").text).toStartWith("HTTP/1.1 502 Bad Gateway\r\n");
    for (const kind of ["timeout", "unreachable", "lost"] as const)
      for (const context of [{}, { head: true }, OLD, { close: true }, { ...OLD, close: true }]) {
        const { text, last } = of(kind, context);
        expect(new Answering({ ...context, version10: false, close: false }).send(text).replies.length).toBe(1);
        expect(last).toBe("close" in context);
        expect(text.includes("Connection: close")).toBe(last);
        expect(text.includes("Connection: keep-alive")).toBe(!last && "version10" in context);
        expect(text.endsWith("\r\n\r\n")).toBe("head" in context);
      }
  });
});
