/** One health check, in virtual time: what is good enough, what is wrong, and that nothing is left of it. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Probe, type ProbeRules } from "../../src/balance/probe.ts";
import { parseAddress } from "../../src/net/address.ts";
import { explain } from "../../src/net/errors.ts";
import { ownProxyHeader } from "../../src/net/proxy-protocol-write.ts";
import type { Fate } from "../sim/network.ts";
import { type Behaviour, health, TARGET, World } from "./world.ts";

const TIMEOUT = 1_000;

/** What a check says of a target, `undefined` if all is well, and after how long; then time goes on until all is over. */
async function check(
  rules: Partial<ProbeRules>,
  behaviour: Behaviour | Fate,
  world = new World(),
): Promise<{ wrong: string | undefined; took: number; world: World }> {
  if (typeof behaviour === "string") world.network.fate = () => behaviour;
  else await world.target(behaviour);
  const told: { wrong: string | undefined; took: number }[] = [];
  const began = world.clock.now;
  new Probe(world.runtime, TARGET, health(rules), (wrong) => told.push({ wrong, took: world.clock.now - began }));
  await world.run(60_000, () => told.length > 0);
  await world.run(200);
  expect(world.left).toEqual([]);
  const [first, ...more] = told;
  expect(more).toEqual([]);
  return { wrong: first?.wrong, took: first?.took ?? Number.NaN, world };
}

const answering = (...parts: readonly string[]): Behaviour => ({ said: (peer) => peer.say(...parts) });
const ending = (text: string): Behaviour => ({
  said(peer) {
    peer.say(text);
    peer.socket.end();
  },
});
const greeting = (...parts: readonly (string | Uint8Array)[]): Behaviour => ({
  connected: (peer) => peer.say(...parts),
});
const SILENT: Behaviour = {};

describe("to be connected is enough", () => {
  test("and the target sees an orderly end, with what was to be said before it", async () => {
    for (const send of [null, "QUIT\r\n"]) {
      const { wrong, world } = await check({ send }, SILENT);
      expect(wrong).toBeUndefined();
      expect(world.peers).toHaveLength(1);
      expect(world.peers[0]).toMatchObject({ received: send ?? "", ended: true, closed: true, error: undefined });
    }
  });

  test.each([
    ["ECONNREFUSED", "connection refused"],
    ["EHOSTUNREACH", "no route to the host"],
  ] as const)("%s is told as it is, at once", async (fate, words) => {
    const { wrong, took } = await check({}, fate);
    expect(wrong).toBe(words);
    expect(took).toBeLessThan(100);
  });

  test("silence is waited for as long as the timeout says", async () => {
    const { wrong, took } = await check({ timeout: 300 }, "silence");
    expect(wrong).toBe("timed out while connecting");
    expect(took).toBe(300);
  });

  test("a target that does not finish is left all the same, by the time a check may take", async () => {
    const world = new World();
    await world.target({ connected: ({ socket }) => socket.pause() });
    const told: unknown[] = [];
    new Probe(world.runtime, TARGET, health(), (wrong) => told.push(wrong));
    await world.run(TIMEOUT / 2);
    expect(told).toEqual([undefined]);
    expect(world.left).toEqual(["1 timers", "1 sockets"]);
    await world.run(TIMEOUT);
    expect(world.left).toEqual([]);
  });
});

describe("send and expect", () => {
  const PING = { send: "PING\r\n", expect: "+PONG" };

  test("the answer may come in any pieces, with anything before and behind it", async () => {
    const text = fc.string({ unit: "grapheme", maxLength: 20 });
    const cuts = fc.array(fc.nat(60), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        text,
        text,
        cuts,
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        async (front, back, cuts, ...net) => {
          const [segment, seed] = net;
          const bytes = new TextEncoder().encode(`${front}+Grüße 😀${back}`);
          const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          const parts = edges.slice(1).map((end, n) => bytes.subarray(edges[n], end));
          const said: Behaviour["said"] = (peer) => {
            if (peer.received === PING.send) peer.say(...parts.filter(({ length }) => length > 0));
          };
          const { wrong, world } = await check({ ...PING, expect: "+Grüße 😀" }, { said }, new World(seed, segment));
          expect(wrong).toBeUndefined();
          expect(world.peers[0]?.received).toBe(PING.send);
        },
      ),
    );
  });

  test("a greeting is waited for if nothing is to be said", async () => {
    const { wrong } = await check({ expect: "SSH-2.0" }, greeting("SSH-2.", "0-OpenSSH\r\n"));
    expect(wrong).toBeUndefined();
  });

  test("another answer, or none, is waited on until the timeout, then reset", async () => {
    for (const behaviour of [SILENT, answering("-LOADING\r\n", "-LOADING\r\n")]) {
      const { wrong, took, world } = await check(PING, behaviour);
      expect(wrong).toBe('no "+PONG" within 1000 ms');
      expect(took).toBe(TIMEOUT);
      expect(world.peers[0]).toMatchObject({ received: PING.send, closed: true, error: "ECONNRESET" });
    }
  });

  test("a target that finishes or resets is wrong at once", async () => {
    const finished = await check(PING, ending("+PON"));
    expect(finished.wrong).toBe('no "+PONG" before the target finished');
    const reset = await check(PING, { said: ({ socket }) => socket.abort() });
    expect(reset.wrong).toBe("connection reset by the peer");
    for (const { took } of [finished, reset]) expect(took).toBeLessThan(100);
  });

  test("no more than 64 KiB are looked at, however they are cut", async () => {
    for (const [before, wrong] of [
      [65_531, undefined],
      [65_532, 'no "+PONG" in 65536 bytes'],
      [200_000, 'no "+PONG" in 65536 bytes'],
    ] as const) {
      const answer = `${"x".repeat(before)}+PONG`;
      for (const parts of [[answer], answer.match(/.{1,9999}/g) ?? []]) {
        const { wrong: found } = await check(PING, answering(...parts), new World(before, 100_000));
        expect(found).toBe(wrong as string);
      }
    }
  });
});

describe("HTTP", () => {
  const http = "/healthz?full=1";

  test("the request is one that the target answers and ends", async () => {
    const { world } = await check({ http }, answering("HTTP/1.0 200 OK\r\n\r\n"));
    const lines = world.peers[0]?.received.split("\r\n");
    expect(lines?.[0]).toBe("GET /healthz?full=1 HTTP/1.0");
    expect(lines?.slice(1)).toEqual(expect.arrayContaining(["Host: 10.0.0.1:80", "Connection: close"]));
    expect(lines?.slice(-2)).toEqual(["", ""]);
  });

  test("a target on a path is asked as localhost", async () => {
    const world = new World();
    const path = parseAddress("unix:/run/app.sock", "target");
    await world.target({}, path);
    const probe = new Probe(world.runtime, path, health({ http }), () => {});
    await world.run(100);
    expect(world.peers[0]?.received).toContain("\r\nHost: localhost\r\n");
    probe.cancel();
  });

  test.each<[answer: string, wrong: string | undefined, status?: readonly number[]]>([
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", undefined],
    ["HTTP/1.0 204\r\n\r\n", undefined],
    ["HTTP/1.2 200 OK\r\n\r\n", undefined],
    ["HTTP/1.1 302 Found\n\n", undefined],
    ["HTTP/1.1 399 \r\n", undefined],
    ["HTTP/1.1 404 Not Found\r\n\r\n", "HTTP status 404"],
    ["HTTP/1.1 500 Internal Server Error\r\n\r\n", "HTTP status 500"],
    ["HTTP/1.1 199 Early\r\n\r\n", "HTTP status 199"],
    ["HTTP/1.1 404 Not Found\r\n\r\n", undefined, [200, 404]],
    ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP status 204", [200, 404]],
    ["HTTP/2 200\r\n\r\n", "the answer is not HTTP/1.x"],
    ["HTTP/1.1 2000 OK\r\n\r\n", "the answer is not HTTP/1.x"],
    ["ICY 200 OK\r\n\r\n", "the answer is not HTTP/1.x"],
    ["<html>\n", "the answer is not HTTP/1.x"],
    ["\n", "the answer is not HTTP/1.x"],
    ["220 mail.example.org ESMTP", "no HTTP answer within 1000 ms"],
  ])("%j", async (answer, wrong, status = []) => {
    for (const segment of [1_000_000, 7]) {
      const said: Behaviour["said"] = (peer) => {
        if (peer.received.endsWith("\r\n\r\n")) peer.say(answer);
      };
      expect((await check({ http, status }, { said }, new World(segment, segment))).wrong).toBe(wrong as string);
    }
  });

  test("a first line that does not end is no answer", async () => {
    const { wrong } = await check({ http }, answering(`HTTP/1.1 200 ${"O".repeat(70_000)}`));
    expect(wrong).toBe("no HTTP answer in 65536 bytes");
  });

  test("a target that finishes within the first line has not answered", async () => {
    const { wrong } = await check({ http }, ending("HTTP/1.1 200 OK"));
    expect(wrong).toBe("no HTTP answer before the target finished");
  });

  test("a good answer ends in order, though the target finishes as well and has more to say", async () => {
    const behaviour = ending(`HTTP/1.0 200 OK\r\n\r\n${"x".repeat(50_000)}`);
    for (let seed = 0; seed < 20; seed++) {
      const { wrong, world } = await check({ http }, behaviour, new World(seed, 1_000));
      expect(wrong).toBeUndefined();
      expect(world.peers[0]).toMatchObject({ ended: true, closed: true, error: undefined });
    }
  });
});

describe("on the way of other connections", () => {
  test("it comes from the source that is configured, or any", async () => {
    for (const [source, asked] of [
      ["192.0.2.9", "192.0.2.9"],
      [null, undefined],
      [undefined, undefined],
    ] as const) {
      const { wrong, world } = await check(source === undefined ? {} : { source }, SILENT);
      expect(wrong).toBeUndefined();
      expect(world.sources).toEqual([asked]);
    }
  });

  test("a source that the machine does not have is told", async () => {
    const { wrong } = await check({ source: "192.0.2.9" }, "EADDRNOTAVAIL");
    expect(wrong).toBe(explain("EADDRNOTAVAIL"));
  });

  test.each(["v1", "v2"] as const)(
    "a header %s goes ahead of everything, even if nothing else is said",
    async (header) => {
      const front = new TextDecoder().decode(ownProxyHeader(header));
      const ping = { send: "PING\r\n", expect: "+PONG" };
      for (const [rules, answer, says] of [
        [{}, "", ""],
        [{ send: "QUIT\r\n" }, "", "QUIT\r\n"],
        [{ expect: "SSH-2.0" }, "SSH-2.0-OpenSSH\r\n", ""],
        [ping, "+PONG\r\n", ping.send],
        [{ http: "/" }, "HTTP/1.0 200 OK\r\n", "GET / HTTP/1.0\r\n"],
      ] as const) {
        for (const segment of [65_536, 3]) {
          // One that reads the header first, as targets do that want one.
          const said: Behaviour["said"] = (peer) => {
            if (answer !== "" && peer.received.startsWith(`${front}${says}`)) peer.say(answer);
          };
          const { wrong, took, world } = await check({ ...rules, header }, { said }, new World(1, segment));
          expect(wrong).toBeUndefined();
          expect(took).toBeLessThan(TIMEOUT);
          const [peer] = world.peers;
          expect(peer).toMatchObject({ ended: true, closed: true, error: undefined });
          if (says.startsWith("GET")) expect(peer?.received).toStartWith(`${front}${says}`);
          else expect(peer?.received).toBe(`${front}${says}`);
        }
      }
    },
  );

  test("no header goes where none is wanted", async () => {
    const { world } = await check({ send: "x", header: "off" }, SILENT);
    expect(world.peers[0]?.received).toBe("x");
  });
});

test("a check that is cancelled, whenever, tells nothing more and leaves nothing behind", async () => {
  const rules = fc.constantFrom<Partial<ProbeRules>>(
    {},
    { send: "x" },
    { send: "x", expect: "y", header: "v1" },
    { http: "/", header: "v2" },
  );
  const behaviours = fc.constantFrom<Behaviour | Fate>("silence", "ECONNREFUSED", SILENT, answering("y\n"));
  await fc.assert(
    fc.asyncProperty(rules, behaviours, fc.nat(), fc.nat(60), async (rule, behaviour, seed, ms) => {
      const world = new World(seed);
      if (typeof behaviour === "string") world.network.fate = () => behaviour;
      else await world.target(behaviour);
      const told: unknown[] = [];
      const probe = new Probe(world.runtime, TARGET, health(rule), (wrong) => told.push(wrong));
      await world.run(ms);
      const before = told.length;
      probe.cancel();
      await world.run(100);
      expect(world.left).toEqual([]);
      expect(told.length).toBe(before);
    }),
  );
});

test("a connection that comes just when the check is cancelled is closed", async () => {
  const world = new World();
  await world.target();
  const connect: World["runtime"]["connect"] = (to, options) => {
    const attempt = world.runtime.connect(to, options);
    attempt.socket.then(() => probe.cancel());
    return attempt;
  };
  const told: unknown[] = [];
  const probe: Probe = new Probe({ ...world.runtime, connect }, TARGET, health(), (wrong) => told.push(wrong));
  await world.run(200);
  expect(world.peers).toHaveLength(1);
  expect(world.left).toEqual([]);
  expect(told).toEqual([]);
});
