/** Whatever comes, and however it is cut: the same comes out, it is what was meant, and nothing is kept without end. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { inPieces, lengths, reply, request, spoilt } from "./http-messages.ts";
import { Answering, Asking } from "./http-rig.ts";

/** What comes before a request that is the last, and that one. */
function untilLast<T extends { last: boolean }>(all: readonly T[]): readonly T[] {
  const last = all.findIndex((one) => one.last);
  return last < 0 ? all : all.slice(0, last + 1);
}

describe("requests", () => {
  test("that are good go on as was meant", () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 5 }), lengths, (all, sizes) => {
        const text = all.map(({ sent }) => sent).join("");
        const expected = untilLast(all);
        for (const pieces of [[text], inPieces(text, sizes)]) {
          const asking = new Asking().send(...pieces);
          expect([asking.refusals, asking.texts]).toEqual([[], expected.map(({ gone }) => gone)]);
          expect(asking.requests.map(({ last }) => last)).toEqual(expected.map(({ last }) => last));
          expect(asking.reader.waiting).toBe(0);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  test("are good for another weir", () => {
    fc.assert(
      fc.property(request, ({ sent }) => {
        const [gone = ""] = new Asking().send(sent).texts;
        const [again = ""] = new Asking().send(gone).texts;
        expect(again).toBe(gone);
      }),
      { numRuns: 500 },
    );
  });

  test("that are spoilt are let through, refused or kept, the same in pieces as whole", () => {
    fc.assert(
      fc.property(spoilt(request), lengths, (text, sizes) => {
        const whole = new Asking(1_000).send(text);
        const cut = new Asking(1_000);
        for (const piece of inPieces(text, sizes)) {
          cut.send(piece);
          if (cut.status === 0) expect(cut.reader.waiting).toBeLessThanOrEqual(1_000);
        }
        expect([cut.status, cut.refusals[0]?.message]).toEqual([whole.status, whole.refusals[0]?.message]);
        expect(cut.requests).toEqual(whole.requests);
      }),
      { numRuns: 6_000 },
    );
  });
});

describe("replies", () => {
  test("that are good go on as was meant", () => {
    fc.assert(
      fc.property(fc.array(reply, { minLength: 1, maxLength: 5 }), lengths, (all, sizes) => {
        const text = all.map(({ sent }) => sent).join("");
        const expected = untilLast(all).map(({ gone, last }) => ({ text: gone, last: false, spent: last }));
        for (const pieces of [[text], inPieces(text, sizes)]) {
          const answering = new Answering(...all.map(() => ({}))).send(...pieces).end();
          expect([answering.broken, answering.replies]).toEqual([undefined, expected]);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  test("tell a client of HTTP/1.0 what is in them", () => {
    fc.assert(
      fc.property(reply, lengths, ({ sent, body }, sizes) => {
        const answering = new Answering({ version10: true }).send(...inPieces(sent, sizes));
        const [text = ""] = answering.texts;
        expect(text.slice(text.indexOf("\r\n\r\n") + 4)).toBe(body);
        expect(text.toLowerCase()).not.toContain("transfer-encoding");
      }),
      { numRuns: 500 },
    );
  });

  test("that are spoilt are let through or not, the same in pieces as whole", () => {
    const contexts = fc.array(fc.record({ head: fc.boolean(), version10: fc.boolean(), close: fc.boolean() }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(spoilt(reply), contexts, lengths, (text, asked, sizes) => {
        const whole = new Answering(...asked).send(text).end();
        const cut = new Answering(...asked).send(...inPieces(text, sizes)).end();
        expect([cut.broken, cut.replies]).toEqual([whole.broken, whole.replies]);
        if (whole.broken === undefined) expect(cut.text).toBe(whole.text);
      }),
      { numRuns: 6_000 },
    );
  });
});
