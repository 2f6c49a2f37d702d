/**
 * What weir lets through as one request is one to other people's parsers, with the same body: those of Node (llhttp) and
 * of Bun, each in a process of its own, over one connection for many requests.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import fc from "fast-check";
import { latin1 } from "../../src/net/latin1.ts";
import { haveTool } from "../e2e/tools.ts";
import { lengths, request, spoilt } from "./http-messages.ts";
import { Answering, Asking, type Heard, lines } from "./http-rig.ts";

/** Says in a field of each reply what it has understood of the request. */
const SERVER = `
  const server = require("node:http").createServer((request, reply) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const { method, url } = request;
      const seen = JSON.stringify([method, url, Buffer.concat(parts).toString("hex")]);
      reply.setHeader("X-Seen", Buffer.from(seen).toString("base64url"));
      reply.end("ok");
    });
  });
  server.httpAllowHalfOpen = true;
  server.maxRequestsPerSocket = 0;
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.on("end", () => process.exit()).resume();
`;

/** What a request is, as weir has let it through: its first line, and its body in hexadecimal. */
function meaning({ text }: Heard): string[] {
  const [method = "", target = ""] = text.split(" ", 2);
  const end = text.indexOf("\r\n\r\n") + 4;
  const body = text.slice(end);
  return [
    method,
    target,
    Buffer.from(/\ntransfer-encoding:/i.test(text.slice(0, end)) ? unpacked(body) : body, "latin1").toString("hex"),
  ];
}

function unpacked(chunks: string): string {
  let data = "";
  for (let at = 0; ; ) {
    const line = chunks.indexOf("\r\n", at);
    const size = Number.parseInt(chunks.slice(at, line), 16);
    if (size === 0) return data;
    data += chunks.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
  }
}

const SEEN = /\r\nx-seen: *([\w-]+)/i;
const END: Heard = { ...(new Asking().send(lines("GET /end HTTP/1.1", "Host: a")).requests[0] as Heard) };

/** Sends them over one connection, and then a FIN; gives what the server has seen, or the status that it refused with. */
async function seen(port: number, requests: readonly Heard[]): Promise<unknown[]> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const target = new Answering(...requests.map(({ context }) => ({ ...context, version10: false, close: false })));
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", reject).on("close", () => resolve());
  const count = requests.length;
  socket.on("data", (bytes: Buffer) => {
    target.send(latin1(bytes));
    if (target.replies.length === count || target.broken !== undefined) socket.destroy();
  });
  socket.on("end", () => socket.destroy());
  socket.write(Buffer.from(requests.map(({ text }) => text).join(""), "latin1"));
  await promise;
  target.end();
  if (target.broken !== undefined) throw new Error(target.broken);
  return target.texts.map((text) => {
    const [, value] = SEEN.exec(text) ?? [];
    return value === undefined ? Number(text.slice(9, 12)) : JSON.parse(Buffer.from(value, "base64url").toString());
  });
}

const RUNTIMES = { node: haveTool("node") ? "node" : undefined, bun: process.execPath };

for (const [name, program] of Object.entries(RUNTIMES)) {
  describe.skipIf(program === undefined)(name, () => {
    let port = 0;
    let stop = () => {};

    beforeAll(async () => {
      const child = Bun.spawn([program ?? "", "-e", SERVER], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
      stop = () => void child.stdin.end();
      const { value } = await child.stdout.getReader().read();
      port = Number(new TextDecoder().decode(value));
    });

    afterAll(() => stop());

    test("sees the requests that were sent", async () => {
      const sent = fc.sample(request, 500);
      const requests = sent.flatMap(({ sent }) => new Asking().send(sent).requests);
      expect(await seen(port, requests)).toEqual(requests.map(meaning));
      expect(requests.map(meaning)).toEqual(
        sent.map(({ method, target, body }) => [method, target, Buffer.from(body, "latin1").toString("hex")]),
      );
    });

    test("sees as many requests as weir, or refuses one and closes", async () => {
      const texts = fc.sample(fc.tuple(spoilt(request), lengths), 2_000).map(([text]) => text);
      const heard = texts.map((text) => new Asking().send(text).requests).filter(({ length }) => length > 0);
      expect(heard.length).toBeGreaterThan(200);
      for (const requests of heard) {
        const all = [...requests, END];
        const got = await seen(port, all);
        const refused = got.findIndex((one) => typeof one === "number");
        const expected: unknown[] = all.map(meaning);
        if (refused >= 0) expected.splice(refused, all.length, 400);
        if (Bun.deepEquals(got, expected)) continue;
        expect([all.map(({ text }) => text), got]).toEqual([all.map(({ text }) => text), expected]);
      }
    });
  });
}
