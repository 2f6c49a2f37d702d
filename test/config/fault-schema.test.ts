/** [[proxy.fault]] and --fault: what they mean, and what is said when they are wrong. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { parseFault } from "../../src/config/fault-options.ts";
import { faultSchema, repeatedFaults, toFault } from "../../src/config/fault-schema.ts";
import { formatPath } from "../../src/config/problem.ts";
import { read } from "../../src/config/read.ts";
import { FAULT_TYPES } from "../../src/filter/faults/fault.ts";
import { UsageError } from "../../src/net/errors.ts";

const schema = faultSchema();
const types = FAULT_TYPES.join(", ");
const known = `${FAULT_TYPES.slice(0, -1)
  .map((type) => `"${type}"`)
  .join(", ")} or "down"`;

function load(toml: string) {
  const result = read(schema, parse(toml));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return toFault(result.value);
}

/** What is wrong with a table, each with its path. */
function problems(table: unknown): string[] {
  const result = read(schema, table);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

describe("[[proxy.fault]]", () => {
  test("has the defaults of Toxiproxy", () => {
    expect(load('type = "latency"\nlatency = "100ms"')).toEqual({
      name: "latency_downstream",
      type: "latency",
      stream: "downstream",
      toxicity: 1,
      after: { bytes: 0, time: 0 },
      attributes: { latency: 100, jitter: 0 },
    });
  });

  test("reads everything there is", () => {
    const toml = `
      type = "slicer"
      name = "small pieces"
      stream = "upstream"
      toxicity = 0.25
      average_size = "1KiB"
      size_variation = 100
      delay = "50us"
      after = { bytes = "1MB", time = "5s" }
    `;
    expect(load(toml)).toEqual({
      name: "small pieces",
      type: "slicer",
      stream: "upstream",
      toxicity: 0.25,
      after: { bytes: 1_000_000, time: 5_000 },
      attributes: { average_size: 1_024, size_variation: 100, delay: 50 },
    });
  });

  test.each<[string, string, number]>([
    ["latency", 'latency = "1.5s"', 1_500],
    ["latency", "latency = 1500", 1_500],
    ["latency", 'latency = "1500"', 1_500],
    ["latency", "latency = 0", 0],
    ["bandwidth", 'rate = "100KB/s"', 100],
    ["bandwidth", 'rate = "1MB/s"', 1_000],
    ["bandwidth", 'rate = "1KiB/s"', 1.024],
    ["bandwidth", 'rate = "500B/s"', 0.5],
    ["bandwidth", "rate = 100", 100],
    ["bandwidth", "rate = 0.5", 0.5],
    ["bandwidth", "rate = 0", 0],
    ["slow_close", 'delay = "2m"', 120_000],
    ["slow_close", "delay = 50", 50],
    ["timeout", "timeout = 0", 0],
    ["reset_peer", 'timeout = "1s"', 1_000],
    ["limit_data", 'bytes = "1MB"', 1_000_000],
    ["limit_data", "bytes = 10", 10],
    ["slicer", "average_size = 10", 10],
    ["delay_message", 'latency = "1s"', 1_000],
  ])("%s with %s", (type, line, value) => {
    const [first] = Object.values(load(`type = "${type}"\n${line}`).attributes);
    expect(first).toBe(value);
  });

  test.each([
    ["50", 50],
    ['"50"', 50],
    ['"50us"', 50],
    ['"50µs"', 50],
    ['"2ms"', 2_000],
    ['"1.5s"', 1_500_000],
  ])("the delay of slicer counts microseconds: %s", (written, delay) => {
    expect(load(`type = "slicer"\naverage_size = 1\ndelay = ${written}`).attributes).toMatchObject({ delay });
  });

  test("a fault of whole messages says which, and has defaults for what it leaves out", () => {
    const usual = { protocol: "mux", delimiter: "", nth: 0, every: 0, contains: "", contains_hex: "", times: 0 };
    expect(load('type = "drop_message"').attributes).toEqual(usual);
    const toml = `
      type = "delay_message"
      latency = 50
      protocol = "echo"
      delimiter = "\\r\\n"
      nth = 3
      every = "2"
      contains = "ü,b"
      contains_hex = "0d 0A"
      times = 1
    `;
    expect(load(toml).attributes).toEqual({
      ...{ latency: 50, protocol: "echo", delimiter: "\r\n", nth: 3, every: 2 },
      ...{ contains: "ü,b", contains_hex: "0d 0A", times: 1 },
    });
  });

  test("attributes that need not be written have defaults, and down has none", () => {
    expect(load('type = "reset_peer"').attributes).toEqual({ timeout: 0 });
    expect(load('type = "down"')).toMatchObject({ name: "down_downstream", attributes: {} });
  });

  const size = 'write a number and a unit, such as "64KiB" or "1MB"';
  test.each<[unknown, ...string[]]>([
    [5, ": expected a table, found 5"],
    [{}, `type: the key "type" is missing; the types are ${types}`],
    [{ latency: 5 }, `type: the key "type" is missing; the types are ${types}`],
    [{ type: "latncy" }, `type: expected ${known}, found "latncy"; did you mean "latency"?`],
    [{ type: "slow-close" }, `type: expected ${known}, found "slow-close"; did you mean "slow_close"?`],
    [{ type: 5 }, `type: expected ${known}, found 5`],
    [{ type: "latency" }, 'latency: "latency" is missing; write one such as "100ms"'],
    [{ type: "bandwidth" }, 'rate: "rate" is missing; write one such as "100KB/s"'],
    [{ type: "slicer" }, 'average_size: "average_size" is missing; write one such as "64KiB"'],
    [{ type: "latency", latncy: 5 }, 'latncy: unknown key "latncy"; did you mean "latency"?'],
    [{ type: "latency", latency: true }, "latency: expected a number or a string, found true"],
    [
      { type: "latency", latency: "5x" },
      'latency: Cannot parse duration "5x": the unit "x" is unknown; use ms, s, m, h or d',
    ],
    [{ type: "latency", latency: -5 }, 'latency: Cannot parse duration "-5": it is negative'],
    [
      { type: "latency", latency: 0.5 },
      'latency: Cannot parse duration "0.5": the unit is missing; write "0.5s" or "0.5ms"',
    ],
    [
      { type: "latency", latency: 5, rate: 5 },
      'rate: "rate" belongs to bandwidth; the attributes of latency are latency, jitter',
    ],
    [
      { type: "down", timeout: 5 },
      'timeout: "timeout" belongs to timeout, reset_peer; the attributes of down are none',
    ],
    [{ type: "bandwidth", rate: "100KB" }, 'rate: expected a speed such as "100KB/s" or "1MiB/s", found "100KB"'],
    [{ type: "bandwidth", rate: "x/s" }, 'rate: expected a speed such as "100KB/s" or "1MiB/s", found "x/s"'],
    [{ type: "bandwidth", rate: 1e10 }, 'rate: expected 0 to 1000000000 KB/s, found "10000000000"'],
    [
      { type: "drop_message", protocol: "iso" },
      'protocol: unknown protocol "iso"; use mux, echo, http, iso8583, mpu, modbus, redis, length',
    ],
    [{ type: "drop_message", protocol: "reddis" }, 'protocol: unknown protocol "reddis"; did you mean "redis"?'],
    [{ type: "drop_message", nth: "third" }, 'nth: expected a whole number such as "3", found "third"'],
    [{ type: "drop_message", nth: -1 }, 'nth: expected a whole number such as "3", found "-1"'],
    [{ type: "drop_message", every: 1e300 }, 'every: expected a whole number such as "3", found "1e+300"'],
    [{ type: "drop_message", times: 2 ** 60 }, `times: expected 0 to 9007199254740991 messages, found "${2 ** 60}"`],
    [{ type: "drop_message", contains: true }, "contains: expected a number or a string, found true"],
    [
      { type: "drop_message", contains_hex: "0g" },
      'contains_hex: Cannot parse bytes "0g": write two hexadecimal digits for each, such as "0d 0a"',
    ],
    [
      { type: "drop_message", delimiter: "→" },
      'delimiter: Cannot use delimiter "→": each character stands for one byte, \\u0000 to \\u00ff, and "→" is none',
    ],
    [{ type: "delay_message" }, 'latency: "latency" is missing; write one such as "100ms"'],
    [
      { type: "latency", latency: 5, nth: 3 },
      'nth: "nth" belongs to drop_message, duplicate_message, delay_message; the attributes of latency are latency, jitter',
    ],
    [{ type: "limit_data", bytes: "many" }, `bytes: Cannot parse size "many": ${size}`],
    [
      { type: "slicer", average_size: 0, delay: "5x" },
      'average_size: expected 1 to 9007199254740991 bytes, found "0"',
      'delay: expected a duration such as "100us" or "1ms", found "5x"',
    ],
    [{ type: "down", toxicity: 2 }, "toxicity: expected a share from 0 to 1, found 2"],
    [{ type: "down", toxicity: Number.NaN }, "toxicity: expected a share from 0 to 1, found NaN"],
    [{ type: "down", toxicity: "1" }, 'toxicity: expected a share from 0 to 1, found "1"'],
    [{ type: "down", stream: "up" }, 'stream: expected "upstream" or "downstream", found "up"'],
    [{ type: "down", name: "" }, "name: a name has 1 to 100 characters, none of them a control character"],
    [{ type: "down", after: "1MB" }, 'after: expected a table, found "1MB"'],
    [{ type: "down", after: { bytes: "x" } }, `after.bytes: Cannot parse size "x": ${size}`],
    [{ type: "down", after: { byte: 5 } }, 'after.byte: unknown key "byte"; did you mean "bytes"?'],
    [
      { type: "latency", toxicity: 2, rate: 5 },
      "toxicity: expected a share from 0 to 1, found 2",
      'latency: "latency" is missing; write one such as "100ms"',
      'rate: "rate" belongs to bandwidth; the attributes of latency are latency, jitter',
    ],
  ])("%j is explained", (table, ...expected) => {
    expect(problems(table)).toEqual(expected);
  });

  test("two faults of one name are one too many", () => {
    const [one, other] = [load('type = "down"'), load('type = "down"\nstream = "upstream"')];
    expect(repeatedFaults([one, other])).toEqual([]);
    expect(repeatedFaults([one, other, one])).toEqual([
      {
        path: ["fault", 2, "name"],
        at: "value",
        message: 'there is another fault "down_downstream"; give one of them another name',
      },
    ]);
  });
});

describe("--fault", () => {
  test.each([
    ["down", 'type = "down"'],
    ["latency:latency=100ms", 'type = "latency"\nlatency = 100'],
    [
      "latency:latency=100,jitter=20ms,stream=upstream,toxicity=0.5,after=1MB,name=slow",
      'type = "latency"\nlatency = 100\njitter = 20\nstream = "upstream"\ntoxicity = 0.5\nafter.bytes = "1MB"\nname = "slow"',
    ],
    ["down:after=5s", 'type = "down"\nafter.time = "5s"'],
    ["down:after=5s,after=100", 'type = "down"\nafter = { bytes = 100, time = "5s" }'],
    ["slicer:average_size=1KiB,delay=50us", 'type = "slicer"\naverage_size = 1024\ndelay = 50'],
    [
      "drop_message:protocol=echo,delimiter=\\r\\n,nth=3,contains_hex=0d 0a,times=1",
      'type = "drop_message"\nprotocol = "echo"\ndelimiter = "\\r\\n"\nnth = 3\ncontains_hex = "0d 0a"\ntimes = 1',
    ],
    ["bandwidth:rate=1MB/s", 'type = "bandwidth"\nrate = 1000'],
  ])("%s means what a file says so: %j", (text, toml) => {
    expect(parseFault(text)).toEqual(load(toml));
  });

  test.each([
    ["", `unknown type ""; use ${types}`],
    ["latncy:latency=5", 'unknown type "latncy"; did you mean "latency"?'],
    ["latency", '"latency" is missing; write one such as "100ms"'],
    ["latency:", 'unknown option ""; use latency, jitter, name, stream, toxicity, after'],
    ["latency:latency", "write latency=…"],
    ["latency:latency=", "write latency=…"],
    ["latency:latency=5x", 'Cannot parse duration "5x": the unit "x" is unknown; use ms, s, m, h or d'],
    ["latency:latency=5,latency=6", '"latency" is given twice; keep one'],
    ["latency:latency=5,jiter=6", 'unknown option "jiter"; did you mean "jitter"?'],
    ["latency:latency=5,rate=6", 'unknown option "rate"; use latency, jitter, name, stream, toxicity, after'],
    [
      "drop_message:delimiter=\\q",
      'Cannot use delimiter "\\q": "\\q" is no byte; use \\r, \\n, \\t, \\\\ or two digits as in \\x03',
    ],
    ["drop_message:protocol=redi", 'unknown protocol "redi"; did you mean "redis"?'],
    ["down:bytes=6", 'unknown option "bytes"; use name, stream, toxicity, after'],
    ["down:stream=up", 'unknown stream "up"; use upstream, downstream'],
    ["down:toxicity=2", "write toxicity=SHARE, with SHARE from 0 to 1"],
    ["down:toxicity=1.2.3", "write toxicity=SHARE, with SHARE from 0 to 1"],
    ["down:toxicity=-1", "write toxicity=SHARE, with SHARE from 0 to 1"],
    [
      "down:after=1XB",
      'Cannot parse size "1XB": the unit "XB" is unknown; use B, KB, MB, GB (thousands) or KiB, MiB, GiB (1024s)',
    ],
    [
      "down:after=1.2.3s",
      'Cannot parse duration "1.2.3s": write a number and a unit (ms, s, m, h, d), such as "5s" or "1.5h"',
    ],
    ["down:after=1MB,after=2MB", '"after" is given twice; keep one'],
    ["down:name=a\u0000", "a name has 1 to 100 characters, none of them a control character"],
  ])("refuses %j and says why", (text, why) => {
    const message = `Cannot parse fault "${text}": ${why}`;
    expect(() => parseFault(text)).toThrow(expect.objectContaining({ name: "UsageError", code: "EFAULT", message }));
  });

  test("throws nothing but UsageError, whatever the text", () => {
    const piece = fc.constantFrom(
      ...FAULT_TYPES,
      ":",
      ",",
      "=",
      "latency",
      "rate",
      "after",
      "toxicity",
      "1",
      "MB",
      "s",
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: piece })), (text) => {
        try {
          parseFault(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
