/** The HTTP client on real sockets: TCP, unix, and servers that are none. */
import { afterEach, expect, test } from "bun:test";
import { runtime } from "#runtime";
import { httpGet } from "../../src/net/http-get.ts";
import type { StreamSocket } from "../../src/net/runtime.ts";
import { Kit, LOOPBACK, NOBODY } from "../contract/kit.ts";

const kit = new Kit(runtime);
afterEach(() => kit.clean());

const TIME = { timeout: 20_000 };

async function served(at = LOOPBACK) {
  const server = await runtime.serve(at, (request) => {
    const { pathname, search } = new URL(request.url);
    return new Response(`${request.headers.get("host")} ${pathname}${search}`, { status: 202 });
  });
  kit.later(() => server.close());
  return server.address;
}

/** A listener that does this with every client. */
async function listening(greet: (socket: StreamSocket) => void) {
  const listener = await kit.listen(LOOPBACK, (socket) => {
    socket.on({ data: () => greet(socket), drain() {}, end() {}, close() {} });
    socket.resume();
    kit.later(() => socket.abort());
  });
  return listener.address;
}

test("a server is asked for a path", async () => {
  const address = await served();
  const port = address.kind === "tcp" ? address.port : 0;
  expect(await httpGet(runtime, address, "/a?b=c", TIME)).toEqual({ status: 202, body: `127.0.0.1:${port} /a?b=c` });
});

test("so is one on a unix socket", async () => {
  const address = await served({ kind: "unix", path: `${kit.directory()}/admin.sock` });
  expect(await httpGet(runtime, address, "/x", TIME)).toMatchObject({ status: 202, body: "localhost /x" });
});

test("where nobody listens the connection is refused", async () => {
  await expect(httpGet(runtime, NOBODY, "/", TIME)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("a server that says nothing is given up, and its connection closed", async () => {
  const gone = Promise.withResolvers<void>();
  const listener = await kit.listen(LOOPBACK, (socket) => {
    socket.on({ data() {}, drain() {}, end() {}, close: () => gone.resolve() });
    socket.resume();
  });
  await expect(httpGet(runtime, listener.address, "/", { timeout: 50 })).rejects.toMatchObject({
    code: "ETIMEDOUT",
    message: expect.stringContaining("no answer within 0.05 s"),
  });
  await gone.promise;
});

test("an answer that breaks off is none", async () => {
  const address = await listening((socket) => {
    socket.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"));
    socket.end();
  });
  await expect(httpGet(runtime, address, "/", TIME)).rejects.toMatchObject({
    code: "EPROTO",
    message: expect.stringContaining("the answer broke off"),
  });
});

test("a reset is an error of its own", async () => {
  const address = await listening((socket) => socket.abort());
  await expect(httpGet(runtime, address, "/", TIME)).rejects.toMatchObject({ code: "ECONNRESET" });
});
