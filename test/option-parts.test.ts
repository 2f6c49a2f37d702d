/** Observers, inspection, filters and faults as the library's options: the same as in files, and what is wrong with them. */
import { describe, expect, test } from "bun:test";
import type * as v from "valibot";
import type { ProxyConfig } from "../src/config/config.ts";
import type { faultSchema } from "../src/config/fault-schema.ts";
import type { filterSchema } from "../src/config/filter-schema.ts";
import { loadConfig } from "../src/config/load.ts";
import type { Fault, FaultAttributes, FaultOptions } from "../src/fault-settings.ts";
import type { FAULTS, FaultType } from "../src/filter/faults/fault.ts";
import type { ScriptFilter } from "../src/index.ts";
import { type FilterSettings, readFaults, scriptsOf, viewOfFault } from "../src/option-parts.ts";
import { type ProxyOptions, toProxyConfig } from "../src/options.ts";

function config(options: ProxyOptions) {
  return toProxyConfig("8080", "example.com:80", options);
}

/** What a file with this at the end of its only proxy becomes. */
function fromFile(text: string) {
  const file = `[[proxy]]\nname = "127.0.0.1:8080"\nlisten = 8080\ntarget = "example.com:80"\n${text}`;
  return loadConfig(file, "weir.toml").proxies[0] as ProxyConfig;
}

describe("the same as in a file", () => {
  test.each<[string, ProxyOptions, string]>([
    [
      "observers",
      {
        observers: [
          "127.0.0.1:6000,copies=both",
          { address: "udp://127.0.0.1:6001" },
          { address: "file:/tmp/x", buffer: "64KiB", whenFull: "block", format: "framed", copies: "downstream" },
        ],
      },
      `[[proxy.observer]]\naddress = "127.0.0.1:6000"\ncopies = "both"
      [[proxy.observer]]\naddress = "udp://127.0.0.1:6001"
      [[proxy.observer]]\naddress = "file:/tmp/x"\nbuffer = 65536\nwhen_full = "block"\nformat = "framed"\ncopies = "downstream"`,
    ],
    [
      "inspect",
      {
        inspect: [
          { path: "/tmp/{session}.pcap", format: "pcap", maxBytes: "1MiB", maxSize: 0, keep: 2, direction: "upstream" },
          { path: "x" },
        ],
      },
      `[[proxy.inspect]]\npath = "/tmp/{session}.pcap"\nformat = "pcap"\nmax_bytes = "1MiB"\nmax_size = "off"\nkeep = 2\ndirection = "upstream"
      [[proxy.inspect]]\npath = "x"`,
    ],
    [
      "filters",
      {
        filters: [
          { type: "replace", find: "a", with: "b", direction: "upstream" },
          { type: "replace", find_regex: "a+", with: "b", flags: "i", delimiter: ";", window: "4KiB", wait: 250 },
          { type: "drop", find_hex: "0d 0a" },
          { type: "limit", rate: "1MB/s", burst: 1_000 },
          { type: "reject", find: "x", how: "close" },
          { type: "script", path: "./shout.ts", options: { except: "10." } },
        ],
      },
      `[[proxy.filter]]\ntype = "replace"\nfind = "a"\nwith = "b"\ndirection = "upstream"
      [[proxy.filter]]\ntype = "replace"\nfind_regex = "a+"\nwith = "b"\nflags = "i"\ndelimiter = ";"\nwindow = "4KiB"\nwait = "250ms"
      [[proxy.filter]]\ntype = "drop"\nfind_hex = "0d 0a"
      [[proxy.filter]]\ntype = "limit"\nrate = "1MB/s"\nburst = 1000
      [[proxy.filter]]\ntype = "reject"\nfind = "x"\nhow = "close"
      [[proxy.filter]]\ntype = "script"\npath = "./shout.ts"\noptions = { except = "10." }`,
    ],
    [
      "faults",
      {
        faults: [
          "latency:latency=1s,stream=upstream",
          { type: "latency", latency: 100, jitter: "20ms" },
          { type: "bandwidth", rate: 12.5, toxicity: 0.5 },
          { type: "slicer", average_size: "1KiB", size_variation: 10, delay: 100, after: { bytes: "1MB", time: 500 } },
          { type: "slow_close", delay: "1s", name: "late" },
          { type: "timeout", timeout: 0 },
          { type: "reset_peer" },
          { type: "limit_data", bytes: 10 },
          { type: "down" },
        ],
      },
      `[[proxy.fault]]\ntype = "latency"\nlatency = "1s"\nstream = "upstream"
      [[proxy.fault]]\ntype = "latency"\nlatency = 100\njitter = 20
      [[proxy.fault]]\ntype = "bandwidth"\nrate = 12.5\ntoxicity = 0.5
      [[proxy.fault]]\ntype = "slicer"\naverage_size = 1024\nsize_variation = 10\ndelay = "100us"\nafter = { bytes = 1000000, time = "500ms" }
      [[proxy.fault]]\ntype = "slow_close"\ndelay = "1s"\nname = "late"
      [[proxy.fault]]\ntype = "timeout"\ntimeout = 0
      [[proxy.fault]]\ntype = "reset_peer"
      [[proxy.fault]]\ntype = "limit_data"\nbytes = 10
      [[proxy.fault]]\ntype = "down"`,
    ],
  ])("%s", (_, options, text) => expect(config(options)).toEqual(fromFile(text)));
});

test("a function is a script, by what stands for its path", () => {
  const first: ScriptFilter = () => undefined;
  const second: ScriptFilter = () => ({});
  const filters = [first, { type: "drop", find: "x" }, second] as const;
  expect(config({ filters }).filters).toEqual([
    { type: "script", direction: "both", path: "filter 1", options: {} },
    expect.objectContaining({ type: "drop" }),
    { type: "script", direction: "both", path: "filter 3", options: {} },
  ]);
  const scripts = scriptsOf(filters);
  expect([...scripts.keys()]).toEqual(["filter 1", "filter 3"]);
  expect(scripts.get("filter 3")).toBe(second);
});

const PLACE = { mux: null, listen: { kind: "tcp", host: "127.0.0.1", port: 0 } } as const;

test("a fault that is shown can be set again", () => {
  const faults = readFaults(
    [
      "slicer:average_size=1KiB,delay=1ms,after=1MB,after=2s",
      { type: "bandwidth", rate: "1.5KB/s", toxicity: 0.1, stream: "upstream" },
      { type: "down", name: "gone" },
      { type: "drop_message", protocol: "echo", delimiter: "\r\n", contains: 'a"b', nth: 3 },
    ],
    PLACE,
  );
  const shown = faults.map(viewOfFault);
  expect(shown[0]).toEqual({
    type: "slicer",
    name: "slicer_downstream",
    stream: "downstream",
    toxicity: 1,
    after: { bytes: 1_000_000, time: 2_000 },
    average_size: 1_024,
    size_variation: 0,
    delay: 1_000,
  });
  expect(readFaults(shown, PLACE)).toEqual(faults);
});

describe("what cannot be is told", () => {
  const mux = "the proxy is no mux, whose own it would be; use protocol echo, http, iso8583, mpu, modbus or redis";
  test.each<[ProxyOptions, code: string, message: string | RegExp]>([
    [{ seed: 1.5 }, "EOPTION", "The option seed is 1.5; use a whole number from 0 to 1000000"],
    [{ seed: -1 }, "EOPTION", "The option seed is -1; use a whole number from 0 to 1000000"],
    [{ faults: "down" as never }, "EOPTION", 'Cannot use the option faults: expected an array, found "down"'],
    [{ faults: [7 as never] }, "EOPTION", "Cannot use the option faults[0]: expected an object, found 7"],
    [{ faults: ["latncy"] }, "EFAULT", 'Cannot parse fault "latncy": unknown type "latncy"; did you mean "latency"?'],
    [
      { faults: [{ type: "down" }, { type: "latncy" as never }] },
      "EOPTION",
      /^Cannot use the option faults\[1\].type: .*found "latncy"; did you mean "latency"\?$/,
    ],
    [
      { faults: [{ type: "latency" } as never] },
      "EOPTION",
      'Cannot use the option faults[0].latency: "latency" is missing; write one such as "100ms"',
    ],
    [
      { faults: [{ type: "latency", latency: "soon" }] },
      "EOPTION",
      /^Cannot use the option faults\[0\].latency: Cannot parse duration "soon": write a number and a unit/,
    ],
    [
      { faults: [{ type: "timeout", timeout: 1, rate: 1 } as never] },
      "EOPTION",
      /^Cannot use the option faults\[0\].rate: "rate" belongs to bandwidth; the attributes of timeout are timeout$/,
    ],
    [
      { faults: [{ type: "down", toxicity: 2 }] },
      "EOPTION",
      "Cannot use the option faults[0].toxicity: expected a share from 0 to 1, found 2",
    ],
    [
      { faults: [{ type: "down", after: 5 as never }] },
      "EOPTION",
      "Cannot use the option faults[0].after: expected an object, found 5",
    ],
    [
      { faults: ["down", { type: "down" }] },
      "EOPTION",
      'Cannot use the option faults[1].name: there is another fault "down_downstream"; give one of them another name',
    ],
    [
      { faults: [{ type: "drop_message", nth: 3 }] },
      "EOPTION",
      `Cannot use the option faults[0].protocol: the fault "drop_message_downstream" has no protocol to cut messages by: ${mux}`,
    ],
    [
      { faults: ["drop_message:nth=3"] },
      "EFAULT",
      `Cannot use fault "drop_message:nth=3": the fault "drop_message_downstream" has no protocol to cut messages by: ${mux}`,
    ],
    [
      { faults: [{ type: "drop_message" }], mux: { protocol: "http" } },
      "EOPTION",
      /^Cannot use the option faults\[0\].stream: .*replies of protocol http end.*; use stream upstream$/,
    ],
    [
      { faults: [{ type: "delay_message", latency: "1s", protocol: "redis", delimiter: ";" }] },
      "EOPTION",
      /^Cannot use the option faults\[0\].delimiter: .*; leave it out$/,
    ],
    [
      { faults: [{ type: "drop_message", protocol: "length" }], mux: { protocol: "redis" } },
      "EOPTION",
      /^Cannot use the option faults\[0\].protocol: .*only a mux of it says so; use echo, http, iso8583/,
    ],
    [
      { observers: [{ address: "udp://127.0.0.1:1", whenFull: "block" }] },
      "EOPTION",
      'Cannot use the option observers[0].whenFull: "block" is not for udp://, where nobody says that it is full; write "drop" or leave whenFull out',
    ],
    [
      { observers: [{ address: "127.0.0.1:1", whenful: "block" } as never] },
      "EOPTION",
      'Cannot use the option observers[0].whenful: unknown key "whenful"; did you mean "whenFull"?',
    ],
    [
      { observers: ["127.0.0.1:1,copies=all"] },
      "EOBSERVER",
      'Cannot parse observer "127.0.0.1:1,copies=all": write copies=WHAT, with upstream, downstream or both',
    ],
    [
      { observers: ["127.0.0.1:8080"] },
      "ELOOP",
      "Cannot copy 127.0.0.1:8080 to 127.0.0.1:8080: the proxy would copy its copies",
    ],
    [
      { inspect: [{} as never] },
      "EOPTION",
      "Cannot use the option inspect[0].path: it is missing; write that of a file",
    ],
    [{ inspect: [{ path: "-" }] }, "EOPTION", 'Cannot use the option inspect[0].path: it is "-"; write that of a file'],
    [
      { inspect: [{ path: "x", maxSize: 5 }] },
      "EOPTION",
      'Cannot use the option inspect[0].maxSize: Cannot parse size "5": it is too small; use 4096B or more, or "off"',
    ],
    [
      { filters: [{ type: "replace", find: "x" }] },
      "EOPTION",
      'Cannot use the option filters[0].with: the key "with" (or with_hex) is missing',
    ],
    [
      { filters: ["shout.ts" as never] },
      "EOPTION",
      'Cannot use the option filters[0]: expected an object, found "shout.ts"',
    ],
  ])("%j", (options, code, message) => {
    expect(() => config(options)).toThrow(
      expect.objectContaining({
        name: "UsageError",
        code,
        message: message instanceof RegExp ? expect.stringMatching(message) : message,
      }),
    );
  });
});

/** True only if the second goes where the first is wanted. */
type Fits<Wanted, Given> = [Given] extends [Wanted] ? true : false;

test("the types of options are those of files", () => {
  type Attributes = { [T in FaultType]: keyof (typeof FAULTS)[T]["attributes"] };
  const fits: readonly true[] = [
    true satisfies Fits<v.InferInput<ReturnType<typeof filterSchema>>, FilterSettings>,
    true satisfies Fits<v.InferInput<ReturnType<typeof faultSchema>>, FaultOptions>,
    true satisfies Fits<FaultOptions, Fault>,
    true satisfies Fits<{ [T in FaultType]: keyof FaultAttributes[T] }, Attributes>,
    true satisfies Fits<Attributes, { [T in FaultType]: keyof FaultAttributes[T] }>,
  ];
  expect(fits).not.toContain(false as never);
});
