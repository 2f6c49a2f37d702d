/** What every path keeps, whatever its steps are, however they come and go, and whenever the sink is full. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Holder, type Parcel, type Turn } from "../../src/filter/holder.ts";
import { Replace } from "../../src/filter/replace.ts";
import { Step, type StepContext } from "../../src/filter/step.ts";
import { latin1Bytes } from "../../src/net/latin1.ts";
import type { Chunk } from "../../src/net/runtime.ts";
import { BUFFER, Rig } from "./rig.ts";

/** Keeps each parcel for some time, passes it on in parts, and the FIN after as long. */
class Keeper extends Holder {
  readonly #wait: number;
  readonly #grain: number;

  constructor(context: StepContext, wait: number, grain: number, limit?: number) {
    super(context, limit);
    this.#wait = wait;
    this.#grain = grain;
  }

  protected override turn({ at }: Parcel, now: number): Turn {
    return at + this.#wait > now ? { wait: at + this.#wait - now } : { take: this.#grain };
  }

  protected override finWait(since: number, now: number): number {
    return since + this.#wait - now;
  }
}

class Plain extends Step {}

/** Says that there is room whenever it can. */
class Eager extends Step {
  override write(chunk: Chunk): boolean {
    const room = this.next.write(chunk);
    if (room) this.previous.drain();
    return room;
  }
}

type Make = (context: StepContext) => Step;

const step: fc.Arbitrary<Make> = fc.oneof(
  fc.constant(() => new Plain()),
  fc.constant(() => new Eager()),
  // Changes nothing, but holds what may be the beginning of a match.
  fc.constantFrom([7], [1, 2, 3, 4, 5]).map((bytes) => (context: StepContext) => {
    const needle = Uint8Array.from(bytes);
    return new Replace({ pattern: { kind: "literal", bytes: needle }, with: needle }, context);
  }),
  fc
    .record({
      wait: fc.constantFrom(0, 0, 1, 30),
      grain: fc.constantFrom(1, 7, 1_000),
      limit: fc.constantFrom(1, 20, BUFFER),
    })
    .map(
      ({ wait, grain, limit }) =>
        (context: StepContext) =>
          new Keeper(context, wait, grain, limit),
    ),
);

/** Something to send, as long as the FIN has not come, or something that happens to the path. */
type Deed = { readonly size: number } | ((rig: Rig) => void);

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { arbitrary: fc.record({ size: fc.integer({ min: 1, max: 100 }) }), weight: 4 },
  fc.boolean().map((full) => (rig: Rig) => rig.stall(full)),
  fc.tuple(step, fc.nat(4)).map(([make, place]) => (rig: Rig) => {
    rig.path.insert(make(rig.context()), rig.path.steps[place % (rig.path.steps.length + 1)]);
  }),
  fc.nat(4).map((place) => (rig: Rig) => {
    const leaving = rig.path.steps[place % Math.max(1, rig.path.steps.length)];
    if (leaving) rig.path.remove(leaving);
  }),
);

interface Story {
  readonly seed: number;
  readonly steps: readonly Make[];
  readonly deeds: readonly (readonly [pause: number, deed: Deed])[];
  /** After so many of them comes the FIN. */
  readonly fin: number;
}

const story: fc.Arbitrary<Story> = fc.record({
  seed: fc.nat(),
  steps: fc.array(step, { maxLength: 3 }),
  deeds: fc.array(fc.tuple(fc.constantFrom(0, 0, 1, 20), deed), { maxLength: 25 }),
  fin: fc.nat(25),
});

/** Answers how many bytes were sent: 0, 1, 2, … */
async function play(rig: Rig, { deeds, fin }: Story): Promise<number> {
  let sent = 0;
  for (const [index, [pause, deed]] of deeds.entries()) {
    if (index === fin) rig.finish();
    await rig.run(pause);
    if (typeof deed === "function") deed(rig);
    else if (index < fin) rig.send(Uint8Array.from({ length: deed.size }, () => sent++));
  }
  if (fin >= deeds.length) rig.finish();
  return sent;
}

test("no byte is lost or overtakes another, the FIN is last, and the source is told that there is room", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (each) => {
      const rig = new Rig((context) => each.steps.map((make) => make(context)), each.seed);
      const sent = await play(rig, each);
      rig.stall(false);
      await rig.run(100_000);
      expect(rig.waiting).toBe(0);
      expect(rig.received).toEqual(Uint8Array.from({ length: sent }, (_, index) => index));
      const { fins, misuses, timers, path } = rig;
      expect({ fins, misuses, timers, held: path.held }).toEqual({ fins: 1, misuses: [], timers: 0, held: 0 });
    }),
    { numRuns: 1_000 },
  );
});

test("nothing moves any more once it has stopped", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (each) => {
      const rig = new Rig((context) => each.steps.map((make) => make(context)), each.seed);
      await play(rig, each);
      rig.path.stop();
      expect(rig.timers).toBe(0);
      const { length } = rig.arrivals;
      const { fins } = rig;
      await rig.run(1_000);
      expect([rig.arrivals.length, rig.fins]).toEqual([length, fins]);
    }),
    { numRuns: 500 },
  );
});

test("a session that ends while a step passes bytes on leaves no timer", async () => {
  class Cutter extends Step {
    override write(): boolean {
      context.cut("rejected", "enough");
      return true;
    }
  }
  let context: StepContext;
  const rig = new Rig((given) => {
    context = given;
    return [new Keeper(given, 10, 1), new Cutter()];
  });
  rig.send("abc");
  await rig.run(50);
  expect(rig.endings).toHaveLength(1);
  expect([rig.timers, rig.path.held]).toEqual([0, 2]);
});

test("nor does one that ends while a step makes up its mind", async () => {
  class Breaker extends Holder {
    protected override turn(): Turn {
      this.context.cut("rejected", "enough");
      return { wait: 10 };
    }
  }
  const rig = new Rig((context) => [new Breaker(context)]);
  rig.send("abc");
  expect([rig.endings.length, rig.timers]).toEqual([1, 0]);
});

test("a step that leaves gets nothing more of what it would hold", () => {
  const bytes = new TextEncoder().encode("abc");
  const rig = new Rig((context) => [
    new Replace({ pattern: { kind: "literal", bytes }, with: bytes }, context),
    new Eager(),
  ]);
  rig.stall(true);
  rig.send("xa", "ya", "za");
  expect(rig.waiting).toBe(2);
  rig.path.remove(rig.path.steps[0] as Step);
  rig.stall(false);
  expect(rig.text).toBe("xayaza");
});

test("a step that comes while the sink is full does not keep the drain to itself", async () => {
  const rig = new Rig(() => []);
  rig.stall(true);
  rig.send("a", "b");
  expect(rig.text).toBe("a");
  rig.path.insert(new Keeper(rig.context(), 0, 1));
  rig.stall(false);
  await rig.run(1);
  expect(rig.text).toBe("ab");
});

test.each([0, 1, 2])("when a connection breaks, what waits for more goes on, without a FIN (%i)", async (place) => {
  const steps = (context: StepContext) => {
    const pattern = { kind: "literal", bytes: latin1Bytes("abc") } as const;
    const others: Step[] = [new Keeper(context, 20, 1), new Keeper(context, 5, 3)];
    return others.toSpliced(place, 0, new Replace({ pattern, with: latin1Bytes("-") }, context));
  };
  const rig = new Rig(steps);
  rig.send("xabcab");
  rig.path.broke();
  await rig.run(1_000);
  expect([rig.text, rig.fins, rig.path.held, rig.timers]).toEqual(["x-ab", 0, 0, 0]);
});
