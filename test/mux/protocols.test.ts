/** What each protocol has to do, whichever it is. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PROTOCOL_NAMES } from "../../src/mux/mux-config.ts";
import { PROTOCOLS } from "../../src/mux/protocols.ts";
import { MESSAGES } from "./messages.ts";
import { byteByByte, bytesOf, cut, cuts, type Reading, readReplies, readRequests } from "./reading.ts";

/** As far as it must not depend on how a stream was cut. */
const essence = ({ messages, error, waiting, last }: Reading) =>
  error === undefined ? { messages, waiting, last } : { messages, error: true };

for (const name of PROTOCOL_NAMES) {
  const protocol = PROTOCOLS[name];
  const { framing, spare = 0, request, reply, sized, endless, empty, streams } = MESSAGES[name];
  const [context] = readRequests(protocol, framing, fc.sample(request, { numRuns: 20, seed: 1 }).map(bytesOf)).contexts;

  const requests = (chunks: readonly Uint8Array[], max = framing.maxMessage) =>
    readRequests(protocol, { ...framing, maxMessage: max }, chunks);
  const replies = (chunks: readonly Uint8Array[], max = framing.maxMessage, asked?: number) =>
    readReplies(protocol, { ...framing, maxMessage: max }, chunks, asked, context);
  /** What waits is no more than a message, and the byte that has shown that there is too much. */
  const bounded = (reading: Reading, max: number) => {
    expect(reading.mostWaiting).toBeLessThanOrEqual(Math.max(max, spare) + 1);
    return essence(reading);
  };
  const directions = [
    { read: requests, message: request, what: "requests" },
    { read: replies, message: reply, what: "replies" },
  ];

  describe(name, () => {
    for (const { read, message, what } of directions) {
      test(`${what} are the same however they are cut`, () => {
        fc.assert(
          fc.property(fc.array(message, { maxLength: 8 }), cuts(), (texts, sizes) => {
            const stream = bytesOf(texts.join(""));
            const whole = read([stream]);
            expect(whole.error).toBeUndefined();
            expect(whole.waiting).toBe(0);
            expect({ ...read(cut(stream, sizes)), mostWaiting: 0 }).toEqual({ ...whole, mostWaiting: 0 });
            expect({ ...read(byteByByte(stream)), mostWaiting: 0 }).toEqual({ ...whole, mostWaiting: 0 });
          }),
        );
      });

      test(`what is missing of ${what} is waited for`, () => {
        fc.assert(
          fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), cuts(), fc.nat(), (texts, sizes, some) => {
            const stream = bytesOf(texts.join(""));
            const part = stream.subarray(0, some % stream.length);
            const { messages, error } = read(cut(part, sizes));
            expect(error).toBeUndefined();
            expect(read([stream]).messages.slice(0, messages.length)).toEqual([...messages]);
            expect(essence(read(cut(part, sizes)))).toEqual(essence(read([part])));
          }),
        );
      });

      test(`garbage instead of ${what} is refused, or waited for, however it is cut`, () => {
        const noise = fc.uint8Array({ maxLength: 200 });
        fc.assert(
          fc.property(noise, cuts(), (stream, sizes) => {
            expect(bounded(read(cut(stream, sizes), 64), 64)).toEqual(essence(read([stream], 64)));
          }),
          { numRuns: 300 },
        );
      });

      test(`changed ${what} are refused, or waited for, however they are cut`, () => {
        const changes = fc.array(
          fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 10, 13, 36, 42, 48, 57))),
          {
            minLength: 1,
            maxLength: 4,
          },
        );
        const texts = fc.array(message, { minLength: 1, maxLength: 5 });
        fc.assert(
          fc.property(texts, changes, cuts(), fc.integer({ min: 16, max: 400 }), (messages, edits, sizes, max) => {
            const stream = bytesOf(messages.join(""));
            for (const [at, byte] of edits) stream[at % stream.length] = byte;
            expect(bounded(read(cut(stream, sizes), max), max)).toEqual(essence(read([stream], max)));
          }),
          { numRuns: 400 },
        );
      });

      test(`${what} are cut in time that grows as they do`, () => {
        const [one = ""] = fc.sample(message, { numRuns: 1, seed: 7 });
        const stream = bytesOf(one.repeat(Math.ceil(100_000 / one.length)));
        expect(read(byteByByte(stream)).messages).toEqual(read([stream]).messages);
      });

      const bounds = !(streams && read === replies);

      if (sized && !bounds) {
        test(`${what} larger than max_message pass, and nothing of them waits`, () => {
          const chunks = cut(sized(300_000), [1_000, 1, 1]);
          expect(read(chunks, 240)).toMatchObject({ error: undefined, mostWaiting: 0 });
          expect(read(chunks, 240).messages).toEqual([Buffer.concat(chunks).toString("latin1")]);
        });
      }

      if (sized && bounds) {
        test(`${what} of max_message pass, one byte more does not`, () => {
          const most = 240;
          const fits = read([sized(most)], most);
          expect(fits).toMatchObject({ error: undefined, waiting: 0 });
          expect(fits.messages).toHaveLength(1);
          for (const chunks of [[sized(most + 1)], byteByByte(sized(most + 1)), cut(sized(most + 1), [100])]) {
            const refused = read(chunks, most);
            expect(refused.messages).toEqual([]);
            expect(refused.error).toMatch(/\b24[01]\b.*max_message/);
          }
        });

        test(`one of the ${what} that comes byte by byte is no dearer than others`, () => {
          const size = name === "modbus" ? 260 : name === "iso8583" ? 60_000 : name === "mpu" ? 9_999 : 300_000;
          expect(read(byteByByte(sized(size))).messages).toHaveLength(1);
        });
      }

      if (endless && bounds) {
        test(`${what} that say they are endless are refused at once`, () => {
          expect(read([bytesOf(endless)]).error).toMatch(
            /^a message of \d+ bytes or more, where max_message is 1048576$/,
          );
        });
      }

      if (empty) {
        test(`${what} of no bytes are refused`, () => {
          expect(read([bytesOf(empty)]).error).toStartWith("a length of 0");
        });
      }

      test(`good ${what} in front of bad ones are handed over`, () => {
        if (!bounds || (!endless && !empty)) return;
        const [good = ""] = fc.sample(message, { numRuns: 1, seed: 3 });
        const bad = good + (endless ?? empty);
        expect(read([bytesOf(bad)]).messages).toEqual(read([bytesOf(good)]).messages);
        expect(read([bytesOf(bad)]).error).toBeDefined();
      });
    }

    if (!protocol.keys(framing)) {
      test("a reply that nobody has asked for is refused at its first byte", () => {
        const [one = ""] = fc.sample(reply, { numRuns: 1, seed: 5 });
        const chunks = [bytesOf(one), bytesOf(one.slice(0, 1))];
        const { messages, error } = replies(chunks, framing.maxMessage, 1);
        expect(messages).toHaveLength(1);
        expect(error).toInclude("nobody has asked");
        expect(replies([bytesOf(one + one)], framing.maxMessage, 1).messages).toHaveLength(1);
        expect(replies([bytesOf(one)], framing.maxMessage, 1).error).toBeUndefined();
      });
    }
  });
}
