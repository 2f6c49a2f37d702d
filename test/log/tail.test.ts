import { expect, test } from "bun:test";
import { Log } from "../../src/log/log.ts";
import { LogTail } from "../../src/log/tail.ts";

test("the last 200 lines are kept, and whoever comes late knows how many were missed", () => {
  const tail = new LogTail();
  expect(tail.since(0)).toEqual([]);
  for (let line = 1; line <= 450; line++) tail.add(line, "info", `line ${line}`);
  expect(tail.last).toBe(450);
  const all = tail.since(0);
  expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 200 }, (_, index) => 251 + index));
  expect(all.every(({ number, text, time }) => text === `line ${number}` && time === number)).toBe(true);
  expect(tail.since(448).map(({ text }) => text)).toEqual(["line 449", "line 450"]);
  expect(tail.since(450)).toEqual([]);
});

test("no line is longer than 1,000 characters and a mark", () => {
  const tail = new LogTail();
  tail.add(0, "warn", "x".repeat(1_000_000));
  expect(tail.since(0)[0]?.text).toBe(`${"x".repeat(1_000)}…`);
});

test("a log keeps what it prints, in text form, and nothing else", () => {
  const printed: string[] = [];
  const sink = { out: (line: string) => printed.push(line), err: (line: string) => printed.push(line) };
  const log = new Log({ level: "info", format: "json" }, sink, () => 7);
  log.write("debug", "secret", "not printed");
  log.write("warn", "trouble", "weir: trouble", { proxy: "db" });
  expect(log.tail.since(0)).toEqual([{ number: 1, time: 7, level: "warn", text: "weir: trouble" }]);
  expect(printed).toHaveLength(1);
});
