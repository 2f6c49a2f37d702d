/** What clients of Toxiproxy send and get. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromToxic, isToxic, ToxicError, toToxic } from "../../src/admin/toxics.ts";
import { DATAGRAM_FAULTS, FAULT_TYPES, type FaultType } from "../../src/filter/faults/fault.ts";
import { fault } from "../filter/faults/rig.ts";

describe("a toxic that is created", () => {
  test("has the defaults of Toxiproxy", () => {
    const created = fromToxic({ type: "latency", attributes: { latency: 1_000 } });
    expect(created).toEqual(fault("latency", { latency: 1_000, jitter: 0 }));
    expect(toToxic(created)).toEqual({
      name: "latency_downstream",
      type: "latency",
      stream: "downstream",
      toxicity: 1,
      attributes: { latency: 1_000, jitter: 0 },
    });
  });

  test("is what it says", () => {
    const json = {
      name: "slow",
      type: "slicer",
      stream: "upstream",
      toxicity: 0.5,
      attributes: { average_size: 100, size_variation: 10, delay: 5 },
    };
    expect(toToxic(fromToxic(json))).toEqual(json);
  });

  test.each([
    ["an empty name", { type: "timeout", name: "" }],
    ["null", { type: "timeout", name: null, stream: null, toxicity: null, attributes: null }],
    ["attributes that are null", { type: "timeout", attributes: { timeout: null } }],
    ["fields and attributes that it does not know", { type: "timeout", enabled: true, attributes: { rate: 5 } }],
    ["names in capitals", { Type: "timeout", Attributes: { Timeout: 0 } }],
    ["a stream in capitals", { type: "timeout", stream: "Downstream" }],
  ])("takes %s as Toxiproxy does", (_, json) => {
    expect(fromToxic(json)).toEqual(fault("timeout", { timeout: 0 }));
  });

  test.each([
    [2, 1],
    [-1, 0],
    [0, 0],
  ])("a toxicity of %d counts as %d", (given, toxicity) => {
    expect(fromToxic({ type: "timeout", toxicity: given }).toxicity).toBe(toxicity);
  });

  test("may be about whole messages, which its clients have no words for", () => {
    const attributes = { protocol: "redis", contains: "DEL", nth: 3 };
    const created = fromToxic({ type: "drop_message", attributes });
    expect(created).toEqual(fault("drop_message", attributes));
    expect(fromToxic({ attributes: { contains: "GET" } }, created).attributes).toEqual({
      ...created.attributes,
      contains: "GET",
    });
  });

  test("rates may be fractions", () => {
    expect(fromToxic({ type: "bandwidth", attributes: { rate: 0.5 } }).attributes).toEqual({ rate: 0.5 });
  });

  const stream = "stream was invalid, can be either upstream or downstream";
  test.each<[unknown, string]>([
    [{ type: "latency", stream: "sideways" }, stream],
    [{ type: "latency", stream: "" }, stream],
    [{ type: "none", stream: "sideways" }, stream],
    [{}, "invalid toxic type"],
    [{ type: "none" }, "invalid toxic type"],
    [{ type: "down" }, "invalid toxic type"],
    [{ type: "constructor" }, "invalid toxic type"],
    [[], "bad request body: the body is no JSON object"],
    [null, "bad request body: the body is no JSON object"],
    [{ type: 5 }, "bad request body: type is no string"],
    [{ type: "timeout", name: 5 }, "bad request body: name is no string"],
    [
      { type: "timeout", name: "a\nb" },
      "bad request body: a name has 1 to 100 characters, none of them a control character",
    ],
    [{ type: "timeout", stream: 5 }, "bad request body: stream is no string"],
    [{ type: "timeout", toxicity: "1" }, "bad request body: toxicity is no number"],
    [{ type: "timeout", attributes: [] }, "bad request body: attributes is no JSON object"],
    [
      { type: "latency", attributes: { latency: 1.5 } },
      "bad request body: latency is 1.5; send a whole number of ms, 0 to 2147483647",
    ],
    [
      { type: "latency", attributes: { latency: "100" } },
      'bad request body: latency is "100"; send a whole number of ms, 0 to 2147483647',
    ],
    [
      { type: "bandwidth", attributes: { rate: -1 } },
      "bad request body: rate is -1; send a number of KB/s, 0 to 1000000000",
    ],
    [
      { type: "drop_message", attributes: { contains: 5 } },
      'bad request body: contains is 5; send a string such as "DEL"',
    ],
    [
      { type: "drop_message", attributes: { protocol: "reddis" } },
      'bad request body: protocol: unknown protocol "reddis"; did you mean "redis"?',
    ],
    [
      { type: "drop_message", attributes: { nth: 1.5 } },
      "bad request body: nth is 1.5; send a whole number of messages, 0 to 9007199254740991",
    ],
    [{ type: "slicer" }, "bad request body: average_size is 0; send a whole number of bytes, 1 to 9007199254740991"],
  ])("%j is refused in the words of Toxiproxy", (json, message) => {
    expect(() => fromToxic(json)).toThrow(refusal(message));
  });
});

describe("a toxic that is updated", () => {
  const existing = fault("latency", { latency: 100, jitter: 20 }, { toxicity: 0.5, after: { bytes: 5, time: 0 } });

  test("keeps what the request does not name", () => {
    expect(fromToxic({ attributes: { jitter: 30 } }, existing)).toEqual({
      ...existing,
      attributes: { latency: 100, jitter: 30 },
    });
    expect(fromToxic({ toxicity: 1 }, existing)).toEqual({ ...existing, toxicity: 1 });
    expect(fromToxic({}, existing)).toEqual(existing);
  });

  test("keeps its name, type and stream, whatever the request says", () => {
    expect(fromToxic({ name: "x", type: "down", stream: "sideways" }, existing)).toEqual(existing);
  });

  test("is left alone if the request is bad", () => {
    expect(() => fromToxic({ attributes: { latency: -1 } }, existing)).toThrow(
      refusal("bad request body: latency is -1; send a whole number of ms, 0 to 2147483647"),
    );
  });
});

test("down is no toxic: clients have proxies that are not enabled; faults of datagrams are none of theirs", () => {
  const ours = [...Object.keys(DATAGRAM_FAULTS), "down"];
  expect(FAULT_TYPES.filter((type) => !isToxic(fault(type)))).toEqual(ours as FaultType[]);
});

test("whatever the JSON, there is a toxic or a ToxicError", () => {
  const key = fc.constantFrom("type", "name", "stream", "toxicity", "attributes", "latency", "rate", "__proto__");
  const leaf = fc.oneof(fc.constantFrom(...FAULT_TYPES, "upstream", 5, -1, 0.5), fc.jsonValue());
  const json = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf)));
  fc.assert(
    fc.property(json, (value) => {
      try {
        const created = fromToxic(value);
        expect(fromToxic(toToxic(created))).toEqual(created);
      } catch (error) {
        expect(error).toBeInstanceOf(ToxicError);
      }
    }),
    { numRuns: 500 },
  );
});

function refusal(message: string) {
  return expect.objectContaining({ name: "ToxicError", status: 400, message });
}
