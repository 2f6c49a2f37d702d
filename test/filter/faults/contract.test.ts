/**
 * What every fault has to keep, whatever it does otherwise: no byte is lost or overtakes another, the FIN is the last and
 * comes once, however the bytes are cut, whenever the sink stalls, and whenever faults come and go.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FAULTS, type FaultConfig, type FaultType, STREAM_TYPES } from "../../../src/filter/faults/fault.ts";
import type { FaultWords, NumberAttribute, Unit } from "../../../src/filter/faults/kind.ts";
import { fault, Rig } from "./rig.ts";

/** They end the session by design; the others let everything through, at the latest when they are taken away. Those that
 * take messages out or add some find none here: see {@link texts}. */
const ENDING: readonly FaultType[] = ["limit_data", "reset_peer", "down"];

const VALUES: Readonly<Record<Unit, fc.Arbitrary<number>>> = {
  ms: fc.integer({ min: 0, max: 60 }),
  us: fc.integer({ min: 0, max: 9_000 }),
  bytes: fc.integer({ min: 0, max: 300 }),
  "KB/s": fc.constantFrom(0, 0.3, 1, 10, 1_000),
  messages: fc.constantFrom(0, 0, 1, 2, 3),
  share: fc.constantFrom(0, 0.5, 1),
};

/** What the source sends is whatever each of these makes of 0, 1, 2, … 255, 0, 1, … */
const PROTOCOLS = fc.constantFrom("echo", "iso8583", "mpu", "modbus", "redis", "http", "mux");

/** Those of a fault, by name. */
function texts(type: FaultType): Readonly<Record<string, fc.Arbitrary<string>>> {
  const contains = type === "delay_message" ? fc.constantFrom("", "\n", "!") : fc.constant("what nobody sends");
  return {
    protocol: PROTOCOLS,
    delimiter: fc.constantFrom("", "\u0005\u0006"),
    contains,
    contains_hex: fc.constant(""),
  };
}

interface Change {
  readonly at: number;
  readonly place: number;
  /** What comes in; nothing: the one in this place goes. */
  readonly fault: FaultConfig | undefined;
}

interface Story {
  readonly seed: number;
  readonly faults: readonly FaultConfig[];
  readonly chunks: readonly { readonly at: number; readonly size: number }[];
  /** When the source finishes. */
  readonly fin: number;
  readonly stalls: readonly number[];
  readonly changes: readonly Change[];
}

/** Longer than any story. */
const END = 100_000;

describe("whatever happens on the way", () => {
  const lasting = STREAM_TYPES.filter((type) => !ENDING.includes(type));

  test("everything arrives, in order, and the FIN is last", async () => {
    await check(story(faultOf(lasting, false)), async (rig) => {
      for (const step of [...rig.path.steps]) rig.path.remove(step);
      await rig.run(END);
      expect(rig.said).toBe(true);
      expect(rig.received).toBe(rig.sent);
      expect(rig.fins).toHaveLength(1);
      expect(rig.path.held).toBe(0);
      expect(rig.timers).toBe(0);
    });
  });

  test("it does so without anybody taking faults away that let things through", async () => {
    const letsThrough = lasting.filter((type) => type !== "timeout");
    const passing = faultOf(letsThrough, false).filter(({ attributes }) => attributes["rate"] !== 0);
    await check(story(passing), async (rig) => {
      expect(rig.said).toBe(true);
      expect(rig.received).toBe(rig.sent);
      expect(rig.fins).toHaveLength(1);
      expect(rig.timers).toBe(0);
    });
  });

  test("a session that ends has passed on the first of its bytes, and no timer is left", async () => {
    await check(story(faultOf(STREAM_TYPES, true)), async (rig) => {
      expect(rig.received).toBeLessThanOrEqual(rig.sent);
      rig.path.stop();
      expect(rig.timers).toBe(0);
    });
  });

  test("the same seed repeats it", async () => {
    await fc.assert(
      fc.asyncProperty(story(faultOf(STREAM_TYPES, true)), async (each) => {
        const [one, other] = [await play(each), await play(each)];
        expect(other.arrivals).toEqual(one.arrivals);
        expect(other.fins).toEqual(one.fins);
        expect(other.endings).toEqual(one.endings);
      }),
      { numRuns: 100 },
    );
  });
});

async function check(stories: fc.Arbitrary<Story>, then: (rig: Rig) => Promise<void>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(stories, async (each) => {
      const rig = await play(each);
      await then(rig);
      expect(rig.misuses).toEqual([]);
      expect(rig.intact).toBe(true);
    }),
    { numRuns: 300 },
  );
}

async function play({ seed, faults, chunks, fin, stalls, changes }: Story): Promise<Rig> {
  const rig = new Rig(seed, ...faults);
  rig.stalls = [...stalls];
  for (const { at, size } of chunks) rig.at(Math.min(at, fin), () => rig.send(size));
  rig.at(fin + 1, () => rig.finish());
  for (const { at, place, fault: coming } of changes) {
    rig.at(at, () => {
      // Once a session has ended nothing changes any more.
      if (rig.endings.length > 0) return;
      const { steps } = rig.path;
      const leaving = steps[place % Math.max(1, steps.length)];
      if (coming) rig.path.insert(rig.make(coming), steps[place % (steps.length + 1)]);
      else if (leaving) rig.path.remove(leaving);
    });
  }
  await rig.run(END);
  return rig;
}

function story(faults: fc.Arbitrary<FaultConfig>): fc.Arbitrary<Story> {
  const time = fc.integer({ min: 0, max: 300 });
  return fc.record({
    seed: fc.nat(),
    faults: fc.array(faults, { maxLength: 3 }),
    chunks: fc.array(fc.record({ at: time, size: fc.integer({ min: 1, max: 400 }) }), { maxLength: 12 }),
    fin: time,
    stalls: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50 })), { maxLength: 10 }),
    changes: fc.array(fc.record({ at: time, place: fc.nat(3), fault: fc.option(faults, { nil: undefined }) }), {
      maxLength: 6,
    }),
  });
}

/** `closing`: whether `timeout` may close the session. */
function faultOf(types: readonly FaultType[], closing: boolean): fc.Arbitrary<FaultConfig> {
  const onset = fc.record({ bytes: fc.constantFrom(0, 0, 1, 300), time: fc.constantFrom(0, 0, 1, 100) });
  return fc.tuple(fc.constantFrom(...types), onset).chain(([type, after]) => {
    const kind: FaultWords = FAULTS[type];
    const values = Object.entries(kind.attributes).map(([name, attribute]) => {
      const value = attribute.unit === "text" ? (texts(type)[name] ?? fc.constant("")) : within(attribute);
      return fc.tuple(fc.constant(name), type === "timeout" && !closing ? fc.constant(0) : value);
    });
    return fc.tuple(...values).map((attributes) => fault(type, Object.fromEntries(attributes), { after }));
  });
}

function within({ unit, least }: NumberAttribute): fc.Arbitrary<number> {
  return VALUES[unit].map((value) => Math.max(least, value));
}
