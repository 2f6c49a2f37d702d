/** Faults of whole messages: which ones they find, and that everything else passes byte for byte. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createFault, type FaultConfig } from "../../../src/filter/faults/fault.ts";
import type { Direction } from "../../../src/filter/step.ts";
import { FRAMERS } from "../../../src/mux/framings.ts";
import { MUX, type MuxConfig, PROTOCOL_NAMES, type ProtocolName } from "../../../src/mux/mux-config.ts";
import { MESSAGES } from "../../mux/messages.ts";
import { bytesOf } from "../../mux/reading.ts";
import { pieces, Rig } from "../rig.ts";
import { fault } from "./rig.ts";

type Type = "drop_message" | "duplicate_message" | "delay_message";

function rigOf(faults: readonly FaultConfig[], mux: MuxConfig | null = null, direction: Direction = "upstream"): Rig {
  return new Rig((context) => faults.map((each) => createFault(each, context, mux)), 1, direction);
}

/** What arrives, each byte a character, of what is sent in these pieces and then ends. */
function through(
  config: FaultConfig,
  text: string,
  lengths: readonly number[],
  mux: MuxConfig | null,
  direction: Direction,
) {
  const rig = rigOf([config], mux, direction);
  rig.send(...pieces(bytesOf(text), lengths));
  rig.finish();
  expect(rig.misuses).toEqual([]);
  expect(rig.fins).toBe(1);
  return latin1(rig.received);
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const lines = (type: Type, attributes: FaultConfig["attributes"] = {}) =>
  fault(type, { protocol: "echo", ...attributes });
const lengths = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
  fc.constant([100_000]),
);
const wishes = fc.record({
  nth: fc.constantFrom(0, 0, 1, 2, 3, 5),
  every: fc.constantFrom(0, 0, 1, 2, 3),
  contains: fc.constantFrom("", "", "", "a", "GET", "\r\n"),
  contains_hex: fc.constantFrom("", "", "00", "0d 0a"),
  times: fc.constantFrom(0, 0, 1, 2),
});

describe.each(PROTOCOL_NAMES)("%s", (protocol: ProtocolName) => {
  const { framing, request, reply } = MESSAGES[protocol];
  const mux: MuxConfig = { ...MUX, ...framing, protocol };

  describe.each(["upstream", "downstream"] as const)("%s", (direction) => {
    if (!FRAMERS[protocol][direction]) {
      test("passes as it is, since nobody knows where a message ends", () => {
        const config = fault("drop_message", { protocol: "mux" });
        expect(through(config, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [7], mux, direction)).toHaveLength(38);
      });
      return;
    }
    const messages = fc.array(direction === "upstream" ? request : reply, { maxLength: 8 });

    test.each(["drop_message", "duplicate_message"] as const)(
      "%s does to whole messages what was asked for, however they are cut, and to nothing else",
      (type) => {
        fc.assert(
          fc.property(messages, fc.constantFrom("", "x", "*2"), wishes, lengths, (texts, tail, wish, cuts) => {
            const copies = type === "drop_message" ? 0 : 2;
            const meant = chosen(texts, wish);
            // A tail that is not complete, or no message at all: it comes last.
            const sent = texts.join("") + tail;
            const expected = texts.map((text, at) => text.repeat(meant[at] ? copies : 1)).join("") + tail;
            expect(through(fault(type, { protocol: "mux", ...wish }), sent, cuts, mux, direction)).toBe(expected);
          }),
          { numRuns: 150 },
        );
      },
    );

    test("delay_message changes nothing but times", async () => {
      await fc.assert(
        fc.asyncProperty(messages, wishes, lengths, async (texts, wish, cuts) => {
          const rig = rigOf([fault("delay_message", { protocol: "mux", latency: 10, ...wish })], mux, direction);
          rig.send(...pieces(bytesOf(texts.join("")), cuts));
          rig.finish();
          await rig.run(100_000);
          expect(latin1(rig.received)).toBe(texts.join(""));
          expect([rig.fins, rig.timers, rig.path.held]).toEqual([1, 0, 0]);
          expect(rig.misuses).toEqual([]);
          const late = chosen(texts, wish).some((each) => each);
          expect(rig.arrivals.some(({ at }) => at > 0)).toBe(late);
        }),
        { numRuns: 100 },
      );
    });
  });
});

/** Which of these messages are meant, told in another way. */
function chosen(texts: readonly string[], wish: FaultConfig["attributes"]): boolean[] {
  const { nth = 0, every = 0, contains = "", contains_hex: hex = "", times = 0 } = wish;
  const bytes = Buffer.from(String(hex).replaceAll(" ", ""), "hex").toString("latin1");
  const holds = texts.map((text, at) => {
    const place = (nth === 0 || at + 1 === nth) && (every === 0 || (at + 1) % Number(every) === 0);
    return place && text.includes(String(contains)) && text.includes(bytes);
  });
  return holds.map((each, at) => each && (times === 0 || holds.slice(0, at).filter(Boolean).length < Number(times)));
}

test("a message goes on at once, in one write with the others that came along", () => {
  const rig = rigOf([lines("drop_message", { nth: 2 })]);
  rig.send("one\ntwo\nthree\nfo", "ur\n");
  expect(rig.arrivals.map(({ chunk }) => latin1(chunk))).toEqual(["one\nthree\n", "four\n"]);
});

describe("delay_message", () => {
  test("delays the message, and those behind it go when it has gone", async () => {
    const rig = rigOf([lines("delay_message", { contains: "slow", latency: 100 })]);
    rig.send("a\nslow\nb\n");
    await rig.run(50);
    rig.send("c\n");
    expect(rig.path.held).toBe(9);
    await rig.run(1_000);
    expect(rig.arrivals.map(({ at, chunk }) => [at, latin1(chunk)])).toEqual([
      [0, "a\n"],
      [100, "slow\n"],
      [100, "b\n"],
      [100, "c\n"],
    ]);
  });

  test("counts from when the message is complete, for each", async () => {
    const rig = rigOf([lines("delay_message", { latency: 100 })]);
    rig.send("on");
    await rig.run(30);
    rig.send("e\n");
    await rig.run(20);
    rig.send("two\n");
    rig.finish();
    await rig.run(1_000);
    expect(rig.arrivals.map(({ at, chunk }) => [at, latin1(chunk)])).toEqual([
      [130, "one\n"],
      [150, "two\n"],
    ]);
    expect(rig.fins).toBe(1);
  });

  test("holds back who sends more than it may hold", async () => {
    const rig = rigOf([lines("delay_message", { latency: 100 })]);
    rig.send(`${"x".repeat(100)}\n`, "more\n");
    expect(rig.waiting).toBe(1);
    await rig.run(150);
    expect(rig.waiting).toBe(0);
    await rig.run(100);
    expect(rig.received).toHaveLength(106);
  });
});

describe("what is not complete passes as it is", () => {
  const drop = lines("drop_message");

  test("at the FIN", () => {
    const rig = rigOf([drop]);
    rig.send("gone\nhalf");
    expect(rig.path.held).toBe(4);
    rig.finish();
    expect([rig.text, rig.fins]).toEqual(["half", 1]);
  });

  test("when the connection is broken", () => {
    const rig = rigOf([drop]);
    rig.send("gone\nhalf");
    rig.path.broke();
    expect([rig.text, rig.path.held]).toEqual(["half", 0]);
  });

  test("when the fault is taken away, and what follows with it", () => {
    const rig = rigOf([drop]);
    rig.send("gone\nhalf");
    rig.path.remove(rig.path.steps[0] as never);
    rig.send(" of it\nmore\n");
    expect([rig.text, rig.path.steps.length]).toEqual(["half of it\nmore\n", 0]);
  });

  test("when the fault is taken away while the sink is full, behind what waits", () => {
    const rig = rigOf([lines("drop_message", { contains: "gone" })]);
    rig.stall(true);
    rig.send("one\n");
    rig.send("two\ngone\nhalf");
    rig.path.remove(rig.path.steps[0] as never);
    rig.send("!");
    expect(rig.text).toBe("one\n");
    rig.stall(false);
    expect([rig.text, rig.path.steps.length]).toEqual(["one\ntwo\ngone\nhalf!", 0]);
  });
});

describe("what is no message passes from there on", () => {
  test.each<[FaultConfig["attributes"], string, string]>([
    [{ protocol: "iso8583" }, "\0\x01a\0\0b\0\x01c", "\0\0b\0\x01c"],
    [{ protocol: "mpu" }, "0001aBODY0001c", "BODY0001c"],
    [{ protocol: "modbus" }, "\0\x01\0\0\0\x02\x01\x03\0\x01\0\x09\0\x02\x01\x03", "\0\x01\0\x09\0\x02\x01\x03"],
    [{ protocol: "redis" }, "*1\r\n$4\r\nPING\r\n*1\r\n+PING\r\nPING\r\n", "*1\r\n+PING\r\nPING\r\n"],
    [
      { protocol: "http" },
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x01",
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x01",
    ],
  ])("%j", (attributes, sent, expected) => {
    for (const lengths of [[1], [5], [1_000]]) {
      expect(through(fault("drop_message", attributes), sent, lengths, null, "upstream")).toBe(expected);
    }
  });

  test("one of more than 1 MiB, or than the mux takes, is none", () => {
    const large = `${"x".repeat(MUX.maxMessage)}\n`;
    const config = lines("drop_message");
    expect(through(config, `a\n${large.slice(1)}b\n`, [70_000], null, "upstream")).toBe("");
    expect(through(config, `a\n${large}b\n`, [70_000], null, "upstream")).toBe(`${large}b\n`);
    const mux: MuxConfig = { ...MUX, protocol: "echo", maxMessage: 64 };
    expect(through(config, `a\n${"y".repeat(64)}\nb\n`, [9], mux, "upstream")).toBe(`${"y".repeat(64)}\nb\n`);
  });

  test("a request for whose body a word of the target is needed does not wait for it", () => {
    const rig = rigOf([fault("delay_message", { protocol: "http", latency: 1_000 })]);
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    rig.send(head);
    expect(rig.text).toBe(head);
  });

  test("where no mux says how, nothing is one", () => {
    for (const protocol of ["mux", "length"]) {
      expect(through(fault("drop_message", { protocol }), "a\nb\n", [1], null, "upstream")).toBe("a\nb\n");
    }
  });
});

test("messages end as the fault says, or as the mux does", () => {
  const mux: MuxConfig = { ...MUX, protocol: "echo", delimiter: ";" };
  const drop = (attributes: FaultConfig["attributes"], of: MuxConfig | null) =>
    through(fault("drop_message", { nth: 1, ...attributes }), "a;b\nc|d", [3], of, "upstream");
  expect(drop({ protocol: "mux" }, mux)).toBe("b\nc|d");
  expect(drop({ protocol: "echo" }, mux)).toBe("b\nc|d");
  expect(drop({ protocol: "echo", delimiter: "|" }, mux)).toBe("d");
  expect(drop({ protocol: "echo" }, null)).toBe("c|d");
  expect(drop({ protocol: "echo" }, { ...mux, protocol: "redis" })).toBe("c|d");
});

test("a fault counts messages from when it begins", async () => {
  const rig = rigOf([lines("drop_message", { nth: 1 })].map((each) => ({ ...each, after: { bytes: 4, time: 0 } })));
  rig.send("one\ntwo\nthree\n");
  expect(rig.text).toBe("one\nthree\n");
});
