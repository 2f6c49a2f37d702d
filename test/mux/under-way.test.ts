/** Which request a reply is for. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { randomFrom } from "../../src/balance/hash.ts";
import type { MuxClient } from "../../src/mux/client.ts";
import type { Keys } from "../../src/mux/message.ts";
import { Request } from "../../src/mux/request.ts";
import { underWay } from "../../src/mux/under-way.ts";
import { SEED } from "../seed.ts";

/** Two bytes: a key, and what was asked, which the reply repeats. */
const keys = (ids: number): Keys => ({
  ids,
  ofRequest: ([key = 0]) => key,
  ofReply: ([key = 0]) => (key === 255 ? undefined : key),
  answers: (context, [, asked]) => context === asked,
  stamp(bytes, key) {
    bytes[0] = Number(key);
  },
});

const clientOf = (name: string) => ({ name }) as unknown as MuxClient;

function requestOf(client: MuxClient, key: number, asked: number) {
  const bytes = Uint8Array.of(key, asked);
  return { bytes, request: new Request(client, 0, { bytes, idempotent: false, last: false, context: asked }) };
}

type Step = {
  readonly do: "ask" | "answer" | "give up" | "late" | "unknown";
  readonly which: number;
  readonly key: number;
};

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("ask", "ask", "ask", "answer", "answer", "give up", "late", "unknown"),
  which: fc.nat(),
  key: fc.nat(3),
});

describe.each([0, 15])("with keys, of which %i are its own", (ids) => {
  test("keys under way are unique, those of late replies are not used again, and each gets its own", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const requests = underWay(keys(ids), randomFrom(SEED));
        const open: { readonly request: Request; readonly sent: Uint8Array; readonly bytes: Uint8Array }[] = [];
        const late: Uint8Array[] = [];
        let asked = 0;
        for (const { do: what, which, key } of steps) {
          const [chosen] = open.length > 0 ? [open[which % open.length]] : [];
          if (what === "ask") {
            const { bytes, request } = requestOf(clientOf("any"), key, asked++ % 256);
            const used = [...open.map(({ sent }) => sent[0]), ...late.map(([each]) => each)];
            const accepted = requests.accepts(bytes);
            if (ids === 0) expect(accepted).toBe(!used.includes(key));
            if (!accepted) continue;
            const sent = requests.add(request, bytes).slice();
            expect(used).not.toContain(sent[0]);
            expect(sent[1]).toBe(bytes[1] as number);
            expect(bytes[0]).toBe(key);
            open.push({ request, sent, bytes });
          } else if (what === "answer" && chosen) {
            expect(requests.match(chosen.sent)).toEqual(chosen.bytes);
            expect(requests.current).toBe(chosen.request);
            expect(requests.shift()).toBe(chosen.request);
            open.splice(open.indexOf(chosen), 1);
          } else if (what === "give up" && chosen) {
            expect(requests.forget(chosen.request)).toBe(true);
            open.splice(open.indexOf(chosen), 1);
            late.push(chosen.sent);
          } else if (what === "late" && late.length > 0) {
            const [reply] = late.splice(which % late.length, 1);
            expect(requests.match(reply as Uint8Array)).toBe("late");
            expect(requests.current).toBeUndefined();
            expect(requests.shift()).toBeUndefined();
          } else if (what === "unknown") {
            expect(requests.match(Uint8Array.of(255, 0))).toBe("unknown");
            // The key of one, and nothing else of it.
            if (chosen)
              expect(requests.match(Uint8Array.of(chosen.sent[0] ?? 0, (chosen.sent[1] ?? 0) ^ 1))).toBe("unknown");
          }
          expect(requests.length).toBe(open.length);
        }
        expect(requests.drain()).toEqual(open.map(({ request }) => request));
        expect(requests.length).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

test("ids are drawn from all that are not in use", () => {
  const requests = underWay(keys(3), randomFrom(SEED));
  const first = requestOf(clientOf("any"), 0, 1);
  const [kept = 0] = requests.add(first.request, first.bytes);
  const seen: number[] = [];
  for (let n = 0; n < 100; n++) {
    const { request, bytes } = requestOf(clientOf("any"), 0, 2);
    expect(requests.accepts(bytes)).toBe(true);
    const sent = requests.add(request, bytes);
    seen.push(sent[0] as number);
    requests.match(sent.slice());
    requests.shift();
  }
  expect(seen).not.toContain(kept);
  expect(new Set(seen).size).toBe(3);
});

describe("in order", () => {
  test("a reply is for the one that was added first, whatever it says", () => {
    const requests = underWay(undefined, randomFrom(SEED));
    expect(requests.match(Uint8Array.of(1))).toBe("unknown");
    const all = [1, 2, 3].map((n) => requestOf(clientOf("any"), n, n));
    for (const { request, bytes } of all) expect(requests.add(request, bytes)).toBe(bytes);
    for (const { request } of all) {
      expect(requests.current).toBe(request);
      expect(requests.match(Uint8Array.of(9))).toEqual(Uint8Array.of(9));
      expect(requests.shift()).toBe(request);
    }
    expect(requests.current).toBeUndefined();
  });

  test("one is given up only when its client waits for no other before", () => {
    const requests = underWay(undefined, randomFrom(SEED));
    const [mine, yours] = [clientOf("mine"), clientOf("yours")];
    const [one, two, three] = [requestOf(mine, 1, 1), requestOf(yours, 2, 2), requestOf(mine, 3, 3)];
    for (const { request, bytes } of [one, two, three]) requests.add(request, bytes);
    expect(requests.forget(three.request)).toBe(false);
    expect(requests.forget(two.request)).toBe(true);
    one.request.givenUp = true;
    expect(requests.forget(three.request)).toBe(true);
    // They stay where they are: their replies come all the same.
    expect(requests.drain()).toEqual([one.request, two.request, three.request]);
  });
});
