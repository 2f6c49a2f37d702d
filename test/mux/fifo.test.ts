/** A queue, against an array. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Fifo } from "../../src/mux/fifo.ts";

type Step = { readonly do: "push" | "shift" | "unshift" | "find" | "drain"; readonly count: number };

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("push", "push", "push", "shift", "shift", "unshift", "find", "drain"),
  count: fc.oneof({ weight: 4, arbitrary: fc.nat(5) }, fc.nat(200)),
});

test("is what an array would be", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const fifo = new Fifo<{ readonly n: number }>();
      let list: { readonly n: number }[] = [];
      let n = 0;
      for (const { do: what, count } of steps) {
        const fresh = Array.from({ length: count }, () => ({ n: n++ }));
        if (what === "push") for (const each of fresh) fifo.push(each);
        if (what === "push") list.push(...fresh);
        if (what === "unshift") fifo.unshift(...fresh);
        if (what === "unshift") list.unshift(...fresh);
        if (what === "shift") for (let left = count; left > 0; left--) expect(fifo.shift()).toBe(list.shift() as never);
        if (what === "find") {
          const fits = ({ n: each }: { n: number }) => each % 7 === count % 7;
          expect(fifo.find(fits)).toBe(list.find(fits) as never);
        }
        if (what === "drain" && count < 3) {
          expect(fifo.drain()).toEqual(list);
          list = [];
        }
        expect([fifo.length, fifo.first]).toEqual([list.length, list[0]]);
      }
      expect(fifo.drain()).toEqual(list);
      expect(fifo.length).toBe(0);
    }),
  );
});
