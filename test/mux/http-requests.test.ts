/** What is let through of requests, and how it goes to the target. */
import { describe, expect, test } from "bun:test";
import { METHODS } from "node:http";
import { Asking, halves, lines, PLAIN, passed, singly, statusOf } from "./http-rig.ts";

const GET = lines("GET /a?b=c HTTP/1.1", "Host: example.org:8080", "User-Agent: x", "X-Y:z", "Accept: */*");

describe("a request", () => {
  test("that has nothing of the connection goes on as it is, without a copy", () => {
    const asking = new Asking().send(GET);
    expect(asking.texts).toEqual([GET]);
    expect(asking.uncopied).toBe(1);
    expect(asking.requests[0]).toMatchObject({ idempotent: true, last: false, context: PLAIN });
  });

  test("is not copied when others come with it", () => {
    const asking = new Asking().send(GET + GET + GET.slice(0, 9)).send(GET.slice(9));
    expect(asking.texts).toEqual([GET, GET, GET]);
    expect(asking.uncopied).toBe(2);
  });

  test("that is not complete waits", () => {
    const asking = new Asking();
    for (let at = 0; at < GET.length; at++) {
      expect([asking.reader.waiting, asking.requests.length]).toEqual([at, 0]);
      asking.send(GET[at] as string);
    }
    expect([asking.reader.waiting, asking.texts]).toEqual([0, [GET]]);
  });

  test("has its body with it", () => {
    const post = `${lines("POST / HTTP/1.1", "Host: a", "Content-Length: 5")}hello`;
    const asking = new Asking().send(post + GET);
    expect(asking.texts).toEqual([post, GET]);
    expect(asking.requests.map(({ idempotent }) => idempotent)).toEqual([false, true]);
    expect(asking.uncopied).toBe(2);
  });

  test("may have a body in chunks, with trailers", () => {
    const post = `${lines("PUT / HTTP/1.1", "Host: a", "transfer-encoding:CHUNKED")}5\r\nhello\r\n0A\r\n0123456789\r\n00\r\nX-Sum: 1\r\n\r\n`;
    expect(new Asking().send(post + GET).texts).toEqual([post, GET]);
    expect(new Asking().send(...singly(post + GET)).texts).toEqual([post, GET]);
  });

  test("may have a body of nothing", () => {
    const get = lines("GET / HTTP/1.1", "Host: a", "Content-Length: 0");
    const post = `${lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")}0\r\n\r\n`;
    const asking = new Asking().send(get + post);
    expect(asking.texts).toEqual([get, post]);
    expect(asking.requests.map(({ idempotent }) => idempotent)).toEqual([true, false]);
  });

  test("may be sent twice if its method is safe and it has no body", () => {
    const of = (method: string, ...fields: string[]) =>
      new Asking().send(lines(`${method} / HTTP/1.1`, "Host: a", ...fields)).requests[0]?.idempotent;
    expect(["GET", "HEAD", "OPTIONS"].map((method) => of(method))).toEqual([true, true, true]);
    const others = ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "REPORT", "QUERY", "PURGE"];
    expect(others.map((method) => of(method))).toEqual(others.map(() => false));
    const options = `${lines("OPTIONS * HTTP/1.1", "Host: a", "Content-Length: 2")}{}`;
    expect(new Asking().send(options).requests[0]?.idempotent).toBe(false);
  });

  test("tells what its reply has to know", () => {
    const of = (...head: string[]) => new Asking().send(lines(...head)).requests[0]?.context;
    expect(of("HEAD / HTTP/1.1", "Host: a")).toEqual({ head: true, version10: false, close: false });
    expect(of("HEAD / HTTP/1.1", "Host: a", "Connection: close")).toEqual({
      head: true,
      version10: false,
      close: true,
    });
    expect(of("GET / HTTP/1.0")).toEqual({ head: false, version10: true, close: true });
    expect(of("GET / HTTP/1.0", "Connection: Keep-Alive")).toEqual({ head: false, version10: true, close: false });
  });

  test("may stand behind one empty line, which does not go on", () => {
    const asking = new Asking().send(`\r\n${GET}\r\n${GET}\r\n`);
    expect(asking.texts).toEqual([GET, GET]);
    expect(asking.reader.waiting).toBe(0);
    expect(new Asking().send("\r").send("\n", GET).texts).toEqual([GET]);
  });
});

describe("a method", () => {
  test("goes on if it is one of those that Node knows and IANA", () => {
    const known =
      "GET HEAD OPTIONS POST PUT DELETE PATCH QUERY PURGE LINK UNLINK PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK ACL " +
      "SEARCH MKCALENDAR BIND REBIND UNBIND REPORT CHECKOUT MERGE MKACTIVITY";
    for (const method of known.split(" ")) {
      const text = lines(`${method} / HTTP/1.1`, "Host: a");
      expect(passed(text)).toBe(text);
      expect(METHODS).toContain(method);
    }
  });

  test("says why it does not", () => {
    const why = (method: string) => new Asking().send(lines(`${method} / HTTP/1.1`, "Host: a")).refusals[0]?.message;
    expect(why("FOO")).toBe("a method that not every target knows");
    expect(why("HEAd")).toBe("a method in the wrong case");
  });
});

describe("a target", () => {
  const host = (target: string, name: string) => statusOf(lines(`GET ${target} HTTP/1.1`, `Host: ${name}`));

  test("may be an address of HTTP, if Host says the same", () => {
    expect(host("http://a/b", "a")).toBe(0);
    expect(host("HTTP://Example.ORG:80", "example.org:80")).toBe(0);
    expect(host("http://a?b", "a")).toBe(0);
    expect(host("http://a-b/", "a_b")).toBe(400);
    expect(host("http://a/b", "")).toBe(400);
    expect(host("http:/a", "a")).toBe(400);
    expect(statusOf(lines("GET http://a/b HTTP/1.0"))).toBe(0);
    expect(statusOf(lines("GET http://u:p@a/b HTTP/1.0"))).toBe(400);
  });

  test("may be an asterisk for OPTIONS", () => {
    expect(statusOf(lines("OPTIONS * HTTP/1.1", "Host: a"))).toBe(0);
    expect(statusOf(lines("OPTIONS ** HTTP/1.1", "Host: a"))).toBe(400);
  });

  test("may hold what browsers send", () => {
    expect(host("/a|b[c]{d}\"e'f<g>^`~;=%zz?\\", "a")).toBe(0);
  });

  test("is on a host", () => {
    for (const good of [
      "",
      "a",
      "a:80",
      "a:",
      "A-b_c.d~e",
      "%41",
      "127.0.0.1:65535",
      "[::1]",
      "[fe80::1]:80",
      "[::ffff:1.2.3.4]",
    ])
      expect([good, host("/", good)]).toEqual([good, 0]);
    for (const bad of [
      ":80",
      "a:123456",
      "[]",
      "[::1",
      "::1",
      "[::1]a",
      "[g]",
      "a,b",
      "a/",
      "a?",
      "a\\b",
      "\xe4",
      "a:-1",
      "a[::1]",
    ])
      expect([bad, host("/", bad)]).toEqual([bad, 400]);
  });
});

describe("of the fields of a connection", () => {
  const through = (...fields: string[]) => passed(lines("GET / HTTP/1.1", "X-A: 1", ...fields, "Host: a", "X-B: 2"));
  const plain = lines("GET / HTTP/1.1", "X-A: 1", "Host: a", "X-B: 2");

  test("none goes on", () => {
    expect(through("Connection: keep-alive")).toBe(plain);
    expect(
      through("CONNECTION:keep-alive,TE", "TE: trailers", "keep-alive: timeout=5", "Proxy-Connection: close"),
    ).toBe(plain);
    expect(through("Connection:")).toBe(plain);
    expect(through("Connection: , ,keep-alive ,")).toBe(plain);
    expect(through("Connection: upgrade")).toBe(plain);
    expect(passed(lines("GET / HTTP/1.1", "Host: a", "TE: trailers"))).toBe(lines("GET / HTTP/1.1", "Host: a"));
  });

  test("those that Connection names do not either", () => {
    expect(through("X-Hop: 1", "Connection: x-hop", "x-hoP: 2", "X-Hops: 3")).toBe(
      lines("GET / HTTP/1.1", "X-A: 1", "X-Hops: 3", "Host: a", "X-B: 2"),
    );
    expect(through("Connection: x-one", "X-Two: 1", "Connection: x-two, x-none", "X-One:")).toBe(plain);
  });

  test("close is the end of its client", () => {
    for (const field of ["Connection: close", "Connection: Keep-Alive, CLOSE", "Connection: x\r\nConnection: close"]) {
      const asking = new Asking().send(lines("GET / HTTP/1.1", "Host: a", field) + GET, GET, "\x00");
      expect(asking.texts).toEqual([lines("GET / HTTP/1.1", "Host: a")]);
      expect(asking.requests[0]?.last).toBe(true);
      expect([asking.status, asking.reader.waiting]).toEqual([0, 0]);
    }
  });

  test("a body is not touched", () => {
    const body = "Connection: close\r\n\r\n";
    const fields = [`Content-Length: ${body.length}`, "Connection: keep-alive"];
    expect(passed(lines("POST / HTTP/1.1", "Host: a", ...fields) + body)).toBe(
      lines("POST / HTTP/1.1", "Host: a", `Content-Length: ${body.length}`) + body,
    );
  });
});

describe("HTTP/1.0", () => {
  const nobody = "Host: unknown.invalid";

  test("goes on as HTTP/1.1", () => {
    const asking = new Asking().send(lines("GET / HTTP/1.0", "Host: a", "X: y") + GET);
    expect(asking.texts).toEqual([lines("GET / HTTP/1.1", "Host: a", "X: y")]);
    expect(asking.requests[0]?.last).toBe(true);
    expect(asking.requests[0]?.context.version10).toBe(true);
  });

  test("may go on itself", () => {
    const get = lines("GET / HTTP/1.0", "Connection: keep-alive", "Host: a", "X: y");
    const asking = new Asking().send(get + get);
    expect(asking.texts).toEqual(Array(2).fill(lines("GET / HTTP/1.1", "Host: a", "X: y")));
    expect(asking.requests[1]?.last).toBe(false);
  });

  test("gets a Host: that of an absolute target, or nobody's", () => {
    expect(passed("GET / HTTP/1.0\r\n\r\n")).toBe(lines("GET / HTTP/1.1", nobody));
    expect(passed(lines("GET / HTTP/1.0", "Host:"))).toBe(lines("GET / HTTP/1.1", "Host:"));
    expect(passed(lines("GET http://a.b:80/c HTTP/1.0", "X: y"))).toBe(
      lines("GET http://a.b:80/c HTTP/1.1", "X: y", "Host: a.b:80"),
    );
    expect(passed(lines("GET http://a/c HTTP/1.0", "Host: A"))).toBe(lines("GET http://a/c HTTP/1.1", "Host: A"));
    // The name of one is not that of the next.
    const asking = new Asking().send(
      lines("GET http://a?b HTTP/1.0", "Connection: keep-alive") + lines("GET /c HTTP/1.0"),
    );
    expect(asking.texts).toEqual([lines("GET http://a?b HTTP/1.1", "Host: a"), lines("GET /c HTTP/1.1", nobody)]);
  });

  test("goes on the same however it is cut, and behind an empty line", () => {
    const sent = `\r\n${lines("POST http://a/ HTTP/1.0", "Content-Length: 8", "Connection: x-hop", "X-Hop: 1")}HTTP/1.0`;
    const gone = `${lines("POST http://a/ HTTP/1.1", "Content-Length: 8", "Host: a")}HTTP/1.0`;
    expect(new Asking().send(...singly(sent)).texts).toEqual([gone]);
    for (const [one, other] of halves(sent)) expect(new Asking().send(one, other).texts).toEqual([gone]);
  });

  test("may have a body, and does not wait for a word", () => {
    const head = lines("POST / HTTP/1.0", "Content-Length: 2", "Expect: 100-continue");
    expect(passed(`${head}hi`)).toBe(`${lines("POST / HTTP/1.1", "Content-Length: 2", nobody)}hi`);
    expect(new Asking().send(head).interims).toEqual([]);
  });
});

describe("who waits for a word before the body", () => {
  const head = lines("POST / HTTP/1.1", "Host: a", "Expect: 100-Continue", "Content-Length: 4");
  const plain = `${lines("POST / HTTP/1.1", "Host: a", "Content-Length: 4")}body`;
  const word = "HTTP/1.1 100 Continue\r\n\r\n";

  test("gets it once, and the target does not hear of it", () => {
    const asking = new Asking().send(head);
    expect(asking.interims).toEqual([word]);
    expect(asking.send("bo").interims.length).toBe(1);
    expect(asking.send(`dy${head}`).texts).toEqual([plain]);
    expect(asking.interims).toEqual([word, word]);
    expect(asking.send("body").texts).toEqual([plain, plain]);
  });

  test("gets it in front of chunks", () => {
    const asking = new Asking().send(
      lines("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Transfer-Encoding: chunked"),
    );
    expect(asking.interims).toEqual([word]);
    expect(asking.send("0\r\n\r\n").texts).toEqual([
      `${lines("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")}0\r\n\r\n`,
    ]);
  });

  test("does not wait when some of it is there, or when there is none", () => {
    expect(new Asking().send(`${head}body`)).toMatchObject({ interims: [], texts: [plain] });
    expect(new Asking().send(`${head}bo`, "dy")).toMatchObject({ interims: [], texts: [plain] });
    expect(new Asking().send(lines("GET / HTTP/1.1", "Host: a", "Expect: 100-continue"))).toMatchObject({
      interims: [],
      texts: [lines("GET / HTTP/1.1", "Host: a")],
    });
  });

  test("is refused instead when there will be too much", () => {
    const asking = new Asking(1_000).send(
      lines("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 1000"),
    );
    expect([asking.status, asking.interims.length]).toEqual([413, 0]);
  });

  test("gets it however the head is cut", () => {
    for (const [one, other] of halves(head)) expect(new Asking().send(one, other).interims).toEqual([word]);
    expect(new Asking().send(...singly(head)).interims).toEqual([word]);
  });
});
