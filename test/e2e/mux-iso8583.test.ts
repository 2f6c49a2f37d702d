/** `weir mux` between terminals and a payment switch, with messages of ISO 8583 as others write them (npm's iso_8583). */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import Iso8583, { type Fields } from "iso_8583";
import { KINDS, mux } from "./mux-rig.ts";
import { ENGINES } from "./observer-world.ts";

let cleanups: AsyncDisposableStack;
beforeEach(() => {
  cleanups = new AsyncDisposableStack();
});
afterEach(() => cleanups.disposeAsync());

/** With its length in front. */
function packed(fields: Fields): Buffer {
  const bytes = new Iso8583(fields).getBufferMessage();
  if (!Buffer.isBuffer(bytes)) throw new Error(bytes.error);
  return bytes;
}

function unpacked(bytes: Buffer): Fields {
  const fields = new Iso8583().getIsoJSON(bytes);
  if (typeof fields["error"] === "string") throw new Error(fields["error"]);
  return fields as Fields;
}

/** One end of a connection: messages as they come. */
class Peer {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);

  constructor(socket: Socket, heard: (fields: Fields) => void) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      while (this.#bytes.length >= 2) {
        const end = 2 + this.#bytes.readUInt16BE(0);
        if (this.#bytes.length < end) return;
        heard(unpacked(this.#bytes.subarray(0, end)));
        this.#bytes = this.#bytes.subarray(end);
      }
    });
    cleanups.defer(() => void socket.destroy());
  }

  say(fields: Fields): void {
    this.socket.write(packed(fields));
  }
}

/** Approves. Field 38 says which of its answers this is, so that no two are the same. */
function response(request: Fields, count: number): Fields {
  const approved = { ...request, 38: String(count).padStart(6, "0"), 39: "00" };
  return new Iso8583(approved).toResponse();
}

/** A switch that collects so many requests and answers them then, in this order. */
async function paymentSwitch(collect = 1, order: (held: Fields[]) => Fields[] = (held) => held) {
  const listener = createServer();
  const heard: Fields[] = [];
  let connections = 0;
  let held: Fields[] = [];
  const first = Promise.withResolvers<void>();
  listener.on("connection", (socket) => {
    connections++;
    const peer = new Peer(socket, (request) => {
      heard.push(request);
      first.resolve();
      held.push(request);
      if (held.length < collect) return;
      const answers = order(held);
      held = [];
      for (const [index, each] of answers.entries()) peer.say(response(each, heard.length - collect + index));
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  cleanups.defer(() => void listener.close());
  return {
    port: (listener.address() as AddressInfo).port,
    heard,
    /** A request has come. */
    begun: first.promise,
    connections: () => connections,
  };
}

/** A client that asks, and gets as many answers as it has asked. */
class Terminal {
  readonly name: string;
  readonly #peer: Peer;
  readonly #waiting: ((answer: Fields | undefined) => void)[] = [];

  private constructor(name: string, socket: Socket) {
    this.name = name;
    this.#peer = new Peer(socket, (answer) => this.#waiting.shift()?.(answer));
    socket.on("close", () => {
      for (const each of this.#waiting.splice(0)) each(undefined);
    });
  }

  static async at(port: number, name: string): Promise<Terminal> {
    const socket = new Socket();
    socket.connect({ host: "127.0.0.1", port });
    await once(socket, "connect");
    return new Terminal(name, socket);
  }

  /** Undefined: it was cut off. */
  ask(request: Fields): Promise<Fields | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#peer.say(request);
    });
  }

  purchase(stan: number, amount: number): Fields {
    return {
      0: "0200",
      2: "4761739001010119",
      3: "000000",
      4: String(amount).padStart(12, "0"),
      7: "0911131411",
      11: String(stan).padStart(6, "0"),
      32: "423935",
      37: `${this.name}0000`,
      41: this.name,
      42: "WEIR00000000001",
      49: "978",
    };
  }

  /** A network management message: an echo test. */
  echo(stan: number): Fields {
    return { 0: "0800", 7: "0911131411", 11: String(stan).padStart(6, "0"), 41: this.name, 70: "301" };
  }
}

async function terminals(count: number, port: number): Promise<Terminal[]> {
  return await Promise.all(Array.from({ length: count }, (_, n) => Terminal.at(port, `TERM${1_000 + n}`)));
}

/** This is the answer to this request, with all that was in it. */
function expectAnswer(answer: Fields | undefined, request: Fields): void {
  const type = `${request["0"]?.slice(0, 2)}10`;
  const { 38: _, ...rest } = answer ?? {};
  expect(rest).toEqual({ ...request, 0: type, 39: "00" });
}

test("the messages are what the library takes for good", async () => {
  const it = await Terminal.at((await paymentSwitch()).port, "TERM1000");
  for (const message of [it.purchase(1, 1), it.echo(1)]) expect(new Iso8583(message).validateMessage()).toBe(true);
  expectAnswer(await it.ask(it.purchase(1, 1)), it.purchase(1, 1));
});

test.each(KINDS)("terminals share a connection to a switch under %s, %s", async (runtime, engine) => {
  const target = await paymentSwitch();
  await using weir = await mux("iso8583", target.port, ["--in-flight", "4"], { runtime, engine });
  const everyone = await terminals(10, weir.port);
  await Promise.all(
    everyone.map(async (terminal, index) => {
      for (let round = 0; round < 30; round++) {
        // The same numbers everywhere: it is their order that counts.
        const messages = [terminal.purchase(round, index), terminal.echo(round)];
        const answers = await Promise.all(messages.map((each) => terminal.ask(each)));
        for (const [at, message] of messages.entries()) expectAnswer(answers[at], message);
      }
    }),
  );
  expect(target.heard).toHaveLength(10 * 30 * 2);
  expect(target.connections()).toBe(1);
});

test.each(KINDS)("a switch that answers in any order is understood under %s, %s", async (runtime, engine) => {
  const target = await paymentSwitch(10, (held) => held.reverse());
  await using weir = await mux("iso8583", target.port, ["--in-flight", "10", "--match", "stan"], { runtime, engine });
  const everyone = await terminals(10, weir.port);
  for (let round = 0; round < 20; round++) {
    const messages = everyone.map((terminal, index) =>
      round % 2 === 0 ? terminal.purchase(1_000 * index + round, index) : terminal.echo(1_000 * index + round),
    );
    const answers = await Promise.all(everyone.map((terminal, index) => terminal.ask(messages[index] ?? {})));
    for (const [index, message] of messages.entries()) expectAnswer(answers[index], message);
  }
  expect(target.connections()).toBe(1);
});

describe.each([...ENGINES])("on the %s engine", (engine) => {
  test("terminals may have the same numbers, and a purchase that of an echo test", async () => {
    const target = await paymentSwitch(8, (held) => held.reverse());
    await using weir = await mux("iso8583", target.port, ["--in-flight", "8", "--match", "stan"], { engine });
    const everyone = await terminals(4, weir.port);
    for (let round = 0; round < 20; round++) {
      const messages = everyone.flatMap((terminal, index) => [terminal.purchase(round, index), terminal.echo(round)]);
      const answers = await Promise.all(messages.map((each, at) => everyone[at >> 1]?.ask(each)));
      // With keys a terminal may get its answers in another order than it has asked in.
      for (let at = 0; at < messages.length; at += 2) {
        const [echo, purchase] = answers[at]?.["0"] === "0810" ? [at, at + 1] : [at + 1, at];
        expectAnswer(answers[purchase], messages[at] ?? {});
        expectAnswer(answers[echo], messages[at + 1] ?? {});
      }
    }
    expect(target.connections()).toBe(1);
  });

  test("two that cannot be told apart are not under way at once", async () => {
    const target = await paymentSwitch();
    await using weir = await mux("iso8583", target.port, ["--in-flight", "8", "--match", "stan"], { engine });
    // One terminal with two connections, as after a restart.
    const twins = await Promise.all([1, 2].map(() => Terminal.at(weir.port, "TERM1000")));
    for (let round = 0; round < 30; round++) {
      const messages = twins.map((terminal, index) => terminal.purchase(round, index));
      const answers = await Promise.all(twins.map((terminal, index) => terminal.ask(messages[index] ?? {})));
      for (const [index, message] of messages.entries()) expectAnswer(answers[index], message);
    }
    expect(target.connections()).toBe(1);
  });

  test("the second of two goes when the first was answered, and others pass it", async () => {
    const requests: string[] = [];
    // Three are heard before one is answered: the second of the twins is not among them.
    const target = await paymentSwitch(3, (held) => {
      requests.push(...held.map((each) => `${each["41"]} ${each["4"]?.at(-1)}`).sort());
      return held.reverse();
    });
    await using weir = await mux("iso8583", target.port, ["--in-flight", "8", "--match", "stan"], { engine });
    const [first, second, ...others] = (await Promise.all(
      ["TERM1000", "TERM1000", "TERM1001", "TERM1002", "TERM1003", "TERM1004"].map((name) =>
        Terminal.at(weir.port, name),
      ),
    )) as [Terminal, Terminal, ...Terminal[]];
    const one = first.ask(first.purchase(7, 1));
    await target.begun;
    const two = second.ask(second.purchase(7, 2));
    const rest = others.map((each) => each.ask(each.purchase(7, 3)));
    expectAnswer(await one, first.purchase(7, 1));
    expectAnswer(await two, second.purchase(7, 2));
    for (const [index, each] of others.entries()) expectAnswer(await rest[index], each.purchase(7, 3));
    const twins = [requests.slice(0, 3), requests.slice(3)].map((each) =>
      each.filter((name) => /^TERM1000/.test(name)),
    );
    expect(twins.flat().sort()).toEqual(["TERM1000 1", "TERM1000 2"]);
    expect(twins.map((each) => each.length)).toEqual([1, 1]);
  });

  test("a message without a number is refused where numbers matter, and others go on", async () => {
    const target = await paymentSwitch();
    await using weir = await mux("iso8583", target.port, ["--match", "stan"], { engine });
    const [bad, good] = (await terminals(2, weir.port)) as [Terminal, Terminal];
    const { 11: _, ...numberless } = bad.purchase(1, 1);
    expect(await bad.ask(numberless)).toBeUndefined();
    expectAnswer(await good.ask(good.echo(2)), good.echo(2));
    expect(target.heard).toHaveLength(1);
  });
});
