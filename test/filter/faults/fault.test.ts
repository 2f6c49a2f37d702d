/** The table of faults, and whom they hit. */
import { describe, expect, test } from "bun:test";
import { randomFrom } from "../../../src/balance/hash.ts";
import { FAULT_TYPES, FAULTS, hits } from "../../../src/filter/faults/fault.ts";
import type { FaultWords } from "../../../src/filter/faults/kind.ts";
import { fault } from "./rig.ts";

test("has the toxics of Toxiproxy with their attributes, down, and those of whole messages and datagrams", () => {
  const which = ["protocol", "delimiter", "nth", "every", "contains", "contains_hex", "times"];
  const names = FAULT_TYPES.map((type) => [type, Object.keys(FAULTS[type].attributes)]);
  expect(Object.fromEntries(names)).toEqual({
    latency: ["latency", "jitter"],
    bandwidth: ["rate"],
    slow_close: ["delay"],
    timeout: ["timeout"],
    reset_peer: ["timeout"],
    slicer: ["average_size", "size_variation", "delay"],
    limit_data: ["bytes"],
    drop_message: which,
    duplicate_message: which,
    delay_message: ["latency", ...which],
    drop_datagram: ["probability"],
    duplicate_datagram: ["probability"],
    reorder_datagram: ["probability", "latency"],
    delay_datagram: ["latency", "jitter"],
    down: [],
  });
});

describe.each(FAULT_TYPES)("%s", (type) => {
  const kind: FaultWords = FAULTS[type];

  test("says what it does in one line, and what can be set", () => {
    for (const { about } of [kind, ...Object.values(kind.attributes)]) {
      expect(about).toMatch(/^[A-Z][^\n]{5,110}\.$/);
    }
  });

  test("has defaults within its bounds", () => {
    for (const attribute of Object.values(kind.attributes)) {
      if (attribute.unit === "text") expect(attribute.parse(attribute.default)).toBe(attribute.default);
      else expect(attribute.default ?? attribute.least).toBeWithin(attribute.least, attribute.most);
    }
  });

  test("can be sent to another thread", () => {
    const config = fault(type, {}, { after: { bytes: 1, time: 1 } });
    expect(structuredClone(config)).toEqual(config);
  });
});

test("toxicity is the share of connections that it hits", () => {
  const random = randomFrom(5);
  const share = (toxicity: number) => {
    const config = fault("down", {}, { toxicity });
    return Array.from({ length: 10_000 }, () => hits(config, random)).filter(Boolean).length / 10_000;
  };
  expect(share(0)).toBe(0);
  expect(share(1)).toBe(1);
  expect(share(0.3)).toBeWithin(0.28, 0.32);
});
