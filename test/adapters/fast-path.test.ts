/** Who is on the fast path, who leaves it, and what they hear. Over real sockets: test/contract/cases/short-messages.ts. */
import { expect, test } from "bun:test";
import { setImmediate } from "node:timers/promises";
import { ffi } from "#ffi";
import { runtime as host } from "#runtime";
import type { Block } from "../../adapters/linux/arena.ts";
import { Core } from "../../adapters/linux/core.ts";
import { FastPath } from "../../adapters/linux/fast-path.ts";
import { Resolver } from "../../adapters/linux/resolver.ts";
import { linuxRuntime } from "../../adapters/linux/runtime.ts";
import { System } from "../../adapters/linux/system.ts";
import { Kit } from "../contract/kit.ts";
import { linked } from "../contract/way.ts";
import { linux } from "../engine/world.ts";

const [EAGAIN, EPIPE] = [11, 32];

/** The fast path over a kernel that gives and takes what it is told to. */
function path() {
  const kernel = { received: 0, taken: 0, errno: 0 };
  const heard: string[] = [];
  const system = {
    libc: {
      recv: () => kernel.received,
      send(to: number, _: unknown, count: number) {
        heard.push(`send ${count} to ${to}`);
        return kernel.taken;
      },
    },
    get errno() {
      return kernel.errno;
    },
    arena: { checked: false },
  };
  const inbox = { pointer: null, bytes: new Uint8Array(262_144) };
  const fast = new FastPath(system as unknown as System, inbox as unknown as Block);
  const stream = {
    received: (count: number, errno: number) => heard.push(`received ${count} ${errno}`),
    unsent: (count: number, result: number, errno: number) => heard.push(`unsent ${count} ${result} ${errno}`),
  };
  const meter = { moved: (bytes: number) => heard.push(`moved ${bytes}`), held() {} };
  return { fast, heard, stream, meter, kernel };
}

test.each([
  ["a short message is sent and counted", 100, 100, 0, ["send 100 to 8", "moved 100"], true],
  ["the longest one", 16_384, 16_384, 0, ["send 16384 to 8", "moved 16384"], true],
  ["a longer one is the stream's", 16_385, 0, 0, ["received 16385 0"], false],
  ["so is the end", 0, 0, 0, ["received 0 0"], false],
  ["so is a read that fails", -1, 0, EAGAIN, ["received -1 11"], false],
  ["and what was not sent whole", 100, 99, 0, ["send 100 to 8", "unsent 100 99 0"], false],
  ["or not at all", 100, -1, EPIPE, ["send 100 to 8", "unsent 100 -1 32"], false],
] as const)("%s", (_, received, taken, errno, expected, stays) => {
  const { fast, heard, stream, meter, kernel } = path();
  fast.enter(7, 8, stream, meter);
  Object.assign(kernel, { received, taken, errno });
  expect(fast.take(7)).toBe(true);
  expect(heard).toEqual([...expected]);
  expect(fast.take(7)).toBe(stays);
});

test("nobody else is touched, whatever the number", () => {
  const { fast, heard, stream, meter } = path();
  fast.enter(0, 5_000, stream, meter);
  for (const fd of [1, 4_999, 5_000, 5_001, 1_000_000]) expect(fast.take(fd)).toBe(false);
  expect(heard).toEqual([]);
  expect(fast.take(0)).toBe(true);
});

test("who is forgotten is neither read nor sent to, and the other way goes on", () => {
  for (const gone of [0, 9]) {
    const { fast, stream, meter } = path();
    fast.enter(0, 9, stream, meter);
    fast.enter(3, 4, stream, meter);
    fast.forget(gone);
    expect([0, 3, 9].map((fd) => fast.take(fd))).toEqual([false, true, false]);
  }
});

/** Linked streams, and how many messages took the fast path so far. */
async function ways() {
  const core = new Core(new System(ffi, false), 1_024);
  let taken = 0;
  const take = core.fastPath.take.bind(core.fastPath);
  core.fastPath.take = (fd) => {
    const done = take(fd);
    if (done) taken++;
    return done;
  };
  const unknown = new Resolver(
    () => Promise.reject(new Error("nobody")),
    () => core.loop.now,
  );
  const running = core.loop.run(() => setImmediate(), true);
  const kit = new Kit(linuxRuntime(core, unknown, host, 1_024));
  const way = await linked(kit);
  return {
    core,
    way,
    get taken() {
      return taken;
    },
    async say(length: number) {
      way.sender.write(length);
      await way.receiver.until(() => way.receiver.received === way.sender.sent, "the message");
    },
    async [Symbol.asyncDispose]() {
      await kit.clean();
      core.loop.stop();
      await running;
    },
  };
}

linux("streams take it when short messages follow each other, and again after bulk", async () => {
  await using it = await ways();
  // Two go before; behind bulk the first one is spliced as that was.
  for (const expected of [8, 7, 7]) {
    const before = it.taken;
    for (let message = 0; message < 10; message++) await it.say(50);
    expect(it.taken - before).toBe(expected);
    await it.say(5_000_000);
  }
});

linux("no stream takes it that was reset while its message was counted", async () => {
  for (const last of [1, 2, 3, 4]) {
    await using it = await ways();
    let reset = false;
    for (let message = 1; message < last; message++) await it.say(50);
    it.way.onMoved = () => {
      it.way.from.abort();
      reset = true;
    };
    it.way.sender.write(50);
    await it.way.sender.untilClose();
    expect(reset).toBe(true);
    for (let fd = 0; fd < 1_024; fd++) expect(it.core.fastPath.take(fd)).toBe(false);
  }
});
