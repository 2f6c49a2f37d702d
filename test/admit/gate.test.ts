/** The gate of a proxy: several `Gate`s on one memory stand for threads, and nudges arrive when the test says so. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { abandonGate, Gate, gateMemory, type Waiter } from "../../src/admit/gate.ts";

const THREADS = 3;
/** Where the last ticket is; see the drawing in gate.ts. */
const TICKET = 2;

interface Session extends Waiter {
  readonly thread: number;
}

/** A proxy in several threads, and beside it what everybody ought to see. */
class Model {
  readonly memory = gateMemory(THREADS);
  readonly gates: Gate[];
  open: Session[] = [];
  /** In the order in which they came. */
  queue: Session[] = [];
  /** Threads that a nudge is on its way to. */
  nudges: number[] = [];
  readonly #limit: number;
  readonly #targets: number;
  readonly #size: number;

  /** `targets`: connections that all targets take together; less than `limit`, and they are what is full. */
  constructor(limit: number, targets: number, size: number, lastTicket = 0) {
    new Int32Array(this.memory)[TICKET] = lastTicket;
    [this.#limit, this.#targets, this.#size] = [limit, targets, size];
    this.gates = Array.from({ length: THREADS }, (_, thread) => this.#gate(thread));
  }

  get room(): number {
    return Math.min(this.#limit || Number.POSITIVE_INFINITY, this.#targets) - this.open.length;
  }

  /** As `Entrance.enter` does it. True: it was let in at once or waits. */
  enter(thread: number): boolean {
    const gate = this.gates[thread] as Gate;
    const session: Session = { thread, proceed: () => this.#proceed(session) };
    if (gate.waiting === 0 && this.#proceed(session)) return true;
    if (!gate.wait(session, this.#size)) {
      expect(this.queue.length).toBe(this.#size);
      return false;
    }
    this.queue.push(session);
    gate.next();
    return true;
  }

  end(session: Session): void {
    const gate = this.gates[session.thread] as Gate;
    this.open = without(this.open, session);
    gate.give();
    gate.next();
  }

  leave(session: Session): void {
    const gate = this.gates[session.thread] as Gate;
    this.queue = without(this.queue, session);
    gate.leave(session);
    gate.next();
  }

  /** A thread dies, and another one takes its place. */
  die(thread: number): void {
    abandonGate(this.memory, thread);
    this.open = this.open.filter((session) => session.thread !== thread);
    this.queue = this.queue.filter((session) => session.thread !== thread);
    this.gates[thread] = this.#gate(thread);
    this.nudges.push(...this.gates.keys());
  }

  deliver(which: number): void {
    const [thread] = this.nudges.splice(which % Math.max(1, this.nudges.length), 1);
    if (thread !== undefined) this.gates[thread]?.next();
  }

  /** Delivers nudges, and those that they lead to, until there are none; how many. */
  settle(): number {
    let count = 0;
    for (; this.nudges.length > 0 && count < 1_000; count++) this.deliver(0);
    return count;
  }

  check(): void {
    const [gate] = this.gates as [Gate];
    expect([gate.open, gate.waiting]).toEqual([this.open.length, this.queue.length]);
    if (this.#limit > 0) expect(gate.open).toBeLessThanOrEqual(this.#limit);
    expect(gate.waiting).toBeLessThanOrEqual(this.#size);
  }

  #gate(thread: number): Gate {
    return new Gate(this.memory, thread, () => {
      for (const other of this.gates.keys()) if (other !== thread) this.nudges.push(other);
    });
  }

  /** As `Entrance` does it: a place, then a target. */
  #proceed(session: Session): boolean {
    const gate = this.gates[session.thread] as Gate;
    expect([undefined, session]).toContain(this.queue[0]);
    if (!gate.take(this.#limit)) return false;
    if (this.open.length >= this.#targets) {
      gate.give();
      return false;
    }
    this.queue = without(this.queue, session);
    this.open.push(session);
    return true;
  }
}

function without(list: readonly Session[], session: Session): Session[] {
  return list.filter((each) => each !== session);
}

const STEP = fc.oneof(
  { weight: 6, arbitrary: fc.record({ enter: fc.nat(THREADS - 1) }) },
  { weight: 3, arbitrary: fc.record({ end: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ leave: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ deliver: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ die: fc.nat(THREADS - 1) }) },
);
const LAST_TICKET = fc.constantFrom(0, -4, 2 ** 31 - 4);

test("whatever threads do, no limit is passed, who comes first goes first, and nobody waits where there is room", () => {
  const steps = fc.array(STEP, { maxLength: 120 });
  fc.assert(
    fc.property(
      steps,
      fc.nat(4),
      fc.integer({ min: 1, max: 6 }),
      fc.nat(5),
      LAST_TICKET,
      (all, limit, targets, ...rest) => {
        const model = new Model(limit, targets, ...rest);
        for (const step of all) {
          if ("enter" in step) model.enter(step.enter);
          else if ("deliver" in step) model.deliver(step.deliver);
          else if ("die" in step) model.die(step.die);
          else if ("end" in step && model.open.length > 0) model.end(pick(model.open, step.end));
          else if ("leave" in step && model.queue.length > 0) model.leave(pick(model.queue, step.leave));
          model.check();
        }
        model.settle();
        model.check();
        expect(model.nudges).toEqual([]);
        if (model.queue.length > 0) expect(model.room).toBe(0);
        while (model.open.length > 0) {
          model.end(pick(model.open, 0));
          model.settle();
        }
        model.check();
        expect(model.queue).toEqual([]);
      },
    ),
    { numRuns: 3_000 },
  );
});

function pick(list: readonly Session[], which: number): Session {
  return list[which % list.length] as Session;
}

test("a nudge that finds no room is not sent round and round", () => {
  const model = new Model(1, 1, 10);
  for (const thread of [0, 2, 1]) model.enter(thread);
  expect(model.settle()).toBeLessThan(20);
  expect(model.queue.map(({ thread }) => thread)).toEqual([2, 1]);
});

test("a client that leaves before it is told of room leaves it to the next, who was told too early", () => {
  const model = new Model(1, 1, 10);
  for (const thread of [1, 1, 0, 2]) model.enter(thread);
  for (const first of [false, true]) {
    model.settle();
    model.end(pick(model.open, 0));
    if (first) model.deliver(model.nudges.indexOf(2));
  }
  model.leave(pick(model.queue, 0));
  model.settle();
  expect(model.open.map(({ thread }) => thread)).toEqual([2]);
});

test("tickets run over after 2^32 of them, and the order is kept", () => {
  for (const last of [-3, 2 ** 31 - 3]) {
    const model = new Model(1, 1, 10, last);
    const order = [0, 1, 2, 2, 1, 0, 0, 1];
    for (const thread of order) expect(model.enter(thread)).toBe(true);
    model.settle();
    const served: number[] = [];
    while (model.open.length > 0) {
      const [session] = model.open as [Session];
      served.push(session.thread);
      model.end(session);
      model.settle();
    }
    expect(served).toEqual(order);
  }
});

test("no limit means any number, and a queue of size 0 nobody", () => {
  const open = new Model(0, 1_000, 0);
  for (let n = 0; n < 1_000; n++) expect(open.enter(n % THREADS)).toBe(true);
  expect(open.enter(0)).toBe(false);
  expect(open.gates[1]?.open).toBe(1_000);
  expect(open.gates[2]?.waiting).toBe(0);
});

test("what a dead thread held is free, and those behind its clients in the queue go on", () => {
  const model = new Model(2, 9, 9);
  for (const thread of [0, 1, 0, 1, 2]) model.enter(thread);
  model.settle();
  model.die(0);
  model.settle();
  model.check();
  expect(model.open.map(({ thread }) => thread)).toEqual([1, 1]);
  expect(model.queue.map(({ thread }) => thread)).toEqual([2]);
});

test("to leave twice, or without having waited, changes nothing", () => {
  const gate = new Gate(gateMemory(1), 0, () => {});
  const waiter: Waiter = { proceed: () => false };
  gate.leave(waiter);
  expect(gate.wait(waiter, 1)).toBe(true);
  gate.leave(waiter);
  gate.leave(waiter);
  expect(gate.waiting).toBe(0);
});

test("who waits for something else passes those who cannot go yet, in each thread, and each line keeps its order", () => {
  const memory = gateMemory(2);
  const nudged: number[] = [];
  const gates = [0, 1].map((worker) => new Gate(memory, worker, () => nudged.push(worker)));
  const [here, there] = gates as [Gate, Gate];
  const room: Record<string, number> = { a: 0, b: 0 };
  const went: string[] = [];
  const join = (gate: Gate, line: string, name: string) => {
    const proceed = () => {
      if ((room[line] ?? 0) === 0) return false;
      room[line] = (room[line] ?? 0) - 1;
      went.push(name);
      return true;
    };
    gate.wait({ proceed, line }, 10);
  };
  join(here, "a", "a1");
  join(here, "b", "b1");
  join(here, "a", "a2");
  join(there, "b", "b2");
  room["b"] = 1;
  here.freed();
  here.next();
  expect([went, nudged]).toEqual([["b1"], [0]]);
  room["b"] = 1;
  there.next();
  expect(went).toEqual(["b1", "b2"]);
  room["a"] = 1;
  here.next();
  expect([here.standsIn("a"), here.standsIn("b"), there.standsIn("b")]).toEqual([true, false, false]);
  room["a"] = 1;
  here.next();
  expect([went, here.waiting]).toEqual([["b1", "b2", "a1", "a2"], 0]);
});
