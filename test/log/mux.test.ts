import { expect, test } from "bun:test";
import { DEFAULTS, type LogConfig } from "../../src/config/config.ts";
import { Log } from "../../src/log/log.ts";
import { muxLog } from "../../src/log/mux.ts";

const TARGET = "10.0.0.1:80";
const OPENED = { event: "opened", target: TARGET, local: "10.0.0.9:4000" } as const;
const UNREACHABLE = { event: "unreachable", target: TARGET, code: "ECONNREFUSED", message: "Cannot connect" } as const;

function world(config: Partial<LogConfig> = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const sink = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) };
  const log = new Log({ ...DEFAULTS.log, ...config }, sink, () => 0);
  return { out, err, ...muxLog(log, "cards") };
}

test("connections to targets are told of at level debug, with both ends, and why one has ended", () => {
  const it = world({ level: "debug" });
  it.line?.(OPENED);
  it.line?.({ ...OPENED, event: "closed", why: "target_reset", underWay: 3 });
  it.line?.({ ...OPENED, event: "closed", why: "idle", underWay: 0 });
  it.line?.({ event: "opened", target: "unix:/run/x.sock", local: "unix:/run/x.sock" });
  expect(it.out).toEqual([
    'weir: new target connection of proxy "cards": 10.0.0.9:4000 <-> 10.0.0.1:80',
    'weir: target connection of proxy "cards" has ended: 10.0.0.9:4000 <-> 10.0.0.1:80: the target has reset it, with 3 requests under way',
    'weir: target connection of proxy "cards" has ended: 10.0.0.9:4000 <-> 10.0.0.1:80: it was idle',
    'weir: new target connection of proxy "cards": unix:/run/x.sock',
  ]);
});

test("nobody is asked to tell of connections that are not printed", () => {
  expect(world().line).toBeUndefined();
});

test("a target that cannot be connected, one that can again, and one that sends what nobody has asked for", () => {
  const it = world();
  it.trouble?.(UNREACHABLE);
  it.trouble?.({ event: "reachable", target: TARGET });
  it.trouble?.({ event: "mismatch", target: TARGET, what: "a length of 0", count: 1 });
  it.trouble?.({ event: "mismatch", target: TARGET, what: "a length of 0", count: 8 });
  const whose = 'weir: target 10.0.0.1:80 of proxy "cards"';
  expect(it.out).toEqual([`${whose} can be connected again`]);
  expect(it.err).toEqual([
    `${whose}: Cannot connect`,
    `${whose} has sent what fits no request: a length of 0`,
    `${whose} has sent what fits no request: a length of 0 (and 7 more like it)`,
  ]);
});

test("the same for programs", () => {
  const it = world({ format: "json", level: "debug" });
  const time = "1970-01-01T00:00:00.000Z";
  it.trouble?.(UNREACHABLE);
  it.line?.({ ...OPENED, event: "closed", why: "max_age", underWay: 0 });
  const known = { time, proxy: "cards", target: TARGET };
  expect([...it.err, ...it.out].map((line) => JSON.parse(line))).toEqual([
    { ...known, level: "warn", event: "target_unreachable", error: "ECONNREFUSED" },
    {
      ...known,
      level: "debug",
      event: "target_connection_closed",
      local: OPENED.local,
      reason: "max_age",
      requests: 0,
    },
  ]);
});
