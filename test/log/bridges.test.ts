import { expect, test } from "bun:test";
import { bridgeLog } from "../../src/log/bridges.ts";
import { Log } from "../../src/log/log.ts";

/** A log, its lines, and a clock that stands still between seconds. */
function world() {
  const lines: string[] = [];
  const timers: (() => void)[] = [];
  const push = (line: string) => void lines.push(line);
  const log = new Log({ level: "debug", format: "text" }, { out: push, err: push }, () => 0);
  const after = (_: number, run: () => void) => {
    timers.push(run);
    return { cancel() {} };
  };
  const tell = bridgeLog(log, { after }, "ais");
  return { lines, tell, second: () => timers.splice(0).forEach((run) => void run()) };
}

test("losses are told at once, then once a second, and none of them is left out", () => {
  const { lines, tell, second } = world();
  const lost = (count: number) => tell({ event: "lost", end: "udp://127.0.0.1:1", reason: "overrun", count });
  lost(3);
  lost(4);
  lost(5);
  tell({ event: "lost", end: "udp://127.0.0.1:1", reason: "unsent", count: 1 });
  expect(lines.map((line) => Number(/\d+/.exec(line)?.[0]))).toEqual([3, 1]);
  second();
  expect(lines.map((line) => Number(/\d+/.exec(line)?.[0]))).toEqual([3, 1, 9]);
  second();
  lost(2);
  expect(lines.at(-1)).toBe("weir: 2 datagrams of udp://127.0.0.1:1 came and could not be read in time");
});

test("what becomes of ends is said with the end", () => {
  const { lines, tell } = world();
  const end = "udp://239.1.2.3:9%eth0";
  tell({ event: "left", end, why: "no such interface" });
  tell({ event: "joined", end });
  tell({ event: "looped", end, count: 3 });
  tell({ event: "too_slow", end, peer: "127.0.0.1:5" });
  tell({ event: "unwritable", end, why: "no space left" });
  tell({ event: "connected", end, peer: "127.0.0.1:5" });
  expect(lines).toEqual([
    `weir: ${end} is not joined any more: no such interface`,
    `weir: ${end} is joined again`,
    `weir: ${end} brings back what was sent to it: dropped (and 2 more like it)`,
    `weir: 127.0.0.1:5 was cut off ${end}: it is too slow`,
    `weir: ${end}: no space left`,
    `weir: 127.0.0.1:5 has connected to ${end}`,
  ]);
});
