/** `weir mux` between clients and servers of Modbus/TCP as others write them (npm's jsmodbus). */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import { ModbusTCPClient, type ModbusTCPRequest, ModbusTCPResponse, ModbusTCPServer, responses } from "jsmodbus";
import { KINDS, mux } from "./mux-rig.ts";
import { ENGINES } from "./observer-world.ts";

let cleanups: AsyncDisposableStack;
beforeEach(() => {
  cleanups = new AsyncDisposableStack();
});
afterEach(() => cleanups.disposeAsync());

const REGISTERS = 512;

/** A server with so many registers and coils; or with none, when requests are answered by whoever listens to them. */
async function plc(options: "registers" | "handlers") {
  const listener = createServer();
  const sockets = new Set<Socket>();
  let connections = 0;
  listener.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    // It has been told of the end.
    socket.on("error", () => {});
  });
  const holding = options === "registers" ? Buffer.alloc(2 * REGISTERS) : undefined;
  // It asks for undefined, and its types do not allow it.
  const server = new ModbusTCPServer(listener, { holding, coils: Buffer.alloc(REGISTERS) } as { holding: Buffer });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  cleanups.defer(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return {
    port: (listener.address() as AddressInfo).port,
    server,
    connections: () => connections,
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Each counts its transactions from 1, and waits for longer than any test. */
async function client(port: number, unit = 1): Promise<ModbusTCPClient> {
  const socket = new Socket();
  const made = new ModbusTCPClient(socket, unit, 60_000);
  socket.connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  cleanups.defer(() => void socket.destroy());
  return made;
}

async function clients(count: number, port: number): Promise<ModbusTCPClient[]> {
  return await Promise.all(Array.from({ length: count }, (_, unit) => client(port, unit)));
}

/** The value of a register. */
async function read(from: ModbusTCPClient, register: number): Promise<unknown> {
  const { response } = await from.readHoldingRegisters(register, 1);
  expect(response.unitId).toBe(from.unitId);
  return response.body.values[0];
}

/** The code of the exception that a request has got. */
async function exception(request: Promise<unknown>): Promise<number | undefined> {
  const answer = await request.catch((error: { err: string; response?: { body: { code: number } } }) => error);
  expect(answer).toHaveProperty("err", "ModbusException");
  return (answer as { response?: { body: { code: number } } }).response?.body.code;
}

type Answer = (bytes: Buffer) => void;

/** Which register a request reads, and the answer that has this value. */
function asked(request: unknown): { register: number; reply(value: number): Buffer } {
  const it = request as ModbusTCPRequest;
  const { start } = it.body as unknown as { start: number };
  return {
    register: start,
    reply(value) {
      const body = new responses.ReadHoldingRegistersResponseBody(2, Buffer.of(value >> 8, value & 255));
      return ModbusTCPResponse.fromRequest(it, body).createPayload();
    },
  };
}

test.each(KINDS)("clients with the same transaction ids share a PLC under %s, %s", async (runtime, engine) => {
  const target = await plc("registers");
  await using weir = await mux("modbus", target.port, ["--in-flight", "8"], { runtime, engine });
  const everyone = await clients(12, weir.port);
  await Promise.all(
    everyone.map(async (each, index) => {
      const own = 20 * index;
      for (let round = 0; round < 25; round++) {
        await each.writeSingleRegister(own, 1_000 * index + round);
        expect(await read(each, own)).toBe(1_000 * index + round);
        const values = Array.from({ length: 10 }, (_, n) => index + n * round);
        const { response: written } = await each.writeMultipleRegisters(own + 1, values);
        expect([written.body.start, written.body.quantity]).toEqual([own + 1, 10]);
        const { response } = await each.readHoldingRegisters(own + 1, 10);
        expect([...response.body.values]).toEqual(values);
        await each.writeSingleCoil(own, round % 2 === 0);
        expect((await each.readCoils(own, 1)).response.body.valuesAsArray[0]).toBe(round % 2 === 0 ? 1 : 0);
      }
    }),
  );
  expect(target.connections()).toBe(1);
});

describe.each([...ENGINES])("on the %s engine", (engine) => {
  test("an exception of the server goes to who caused it", async () => {
    const target = await plc("registers");
    await using weir = await mux("modbus", target.port, ["--in-flight", "4"], { engine });
    const [good, bad] = (await clients(2, weir.port)) as [ModbusTCPClient, ModbusTCPClient];
    for (let round = 0; round < 20; round++) {
      const [code, value] = await Promise.all([
        exception(bad.writeSingleRegister(REGISTERS + 1, 1)),
        good.writeSingleRegister(round, round).then(() => read(good, round)),
      ]);
      // Illegal data address.
      expect([code, value]).toEqual([2, round]);
    }
    expect(target.connections()).toBe(1);
  });

  test("answers in any order find who asked", async () => {
    const target = await plc("handlers");
    const held: (() => void)[] = [];
    target.server.on("readHoldingRegisters", (request: unknown, answer: Answer) => {
      const { register, reply } = asked(request);
      held.push(() => answer(reply(2 * register)));
      if (held.length < 8) return;
      for (const each of held.splice(0).reverse()) each();
    });
    await using weir = await mux("modbus", target.port, ["--in-flight", "8"], { engine });
    const everyone = await clients(8, weir.port);
    for (let round = 0; round < 20; round++) {
      const values = await Promise.all(everyone.map((each, index) => read(each, 100 * round + index)));
      expect(values).toEqual(everyone.map((_, index) => 2 * (100 * round + index)));
    }
    expect(target.connections()).toBe(1);
  });

  test("who gets no answer gets exception 0x0B in time, and others theirs; a late one is dropped", async () => {
    const target = await plc("handlers");
    const late: (() => void)[] = [];
    target.server.on("readHoldingRegisters", (request: unknown, answer: Answer) => {
      const { register, reply } = asked(request);
      if (register === 13) late.push(() => answer(reply(13)));
      else answer(reply(register));
    });
    await using weir = await mux("modbus", target.port, ["--in-flight", "4", "--timeout", "1s"], { engine });
    const [patient, other] = (await clients(2, weir.port)) as [ModbusTCPClient, ModbusTCPClient];
    let over = false;
    const silence = exception(read(patient, 13)).finally(() => {
      over = true;
    });
    let meanwhile = 0;
    for (; !over; meanwhile++) expect(await read(other, 100 + (meanwhile % 100))).toBe(100 + (meanwhile % 100));
    expect(await silence).toBe(0x0b);
    expect(meanwhile).toBeGreaterThan(1);
    for (const answer of late) answer();
    for (const each of [patient, other]) expect(await read(each, 14)).toBe(14);
    expect([late.length, target.connections()]).toEqual([1, 1]);
  });

  test("when the server hangs up, reads are asked again, and writes are not", async () => {
    const target = await plc("handlers");
    let reads = 0;
    target.server.on("readHoldingRegisters", (request: unknown, answer: Answer) => {
      const { register, reply } = asked(request);
      if (++reads === 1) target.hangUp();
      else answer(reply(register));
    });
    let writes = 0;
    target.server.on("writeSingleRegister", () => {
      writes++;
      target.hangUp();
    });
    await using weir = await mux("modbus", target.port, [], { engine });
    const it = await client(weir.port);
    expect(await read(it, 7)).toBe(7);
    expect(reads).toBe(2);
    expect(await exception(it.writeSingleRegister(7, 1))).toBe(0x0b);
    expect(writes).toBe(1);
    expect(await read(it, 8)).toBe(8);
    expect(target.connections()).toBe(3);
  });
});
