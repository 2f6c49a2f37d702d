/** Times on the command line, `--at`: by the clock of this machine unless they say by which. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";

const { TZ } = process.env;

// Under UTC, as tests run, a time without a zone would be right by chance.
beforeEach(() => {
  process.env["TZ"] = "Asia/Tokyo";
});

afterEach(() => {
  if (TZ === undefined) delete process.env["TZ"];
  else process.env["TZ"] = TZ;
});

test.each([
  ["2026-03-01T09:30", "2026-03-01T00:30:00Z"],
  ["2026-03-01T09:30:15", "2026-03-01T00:30:15Z"],
  ["2026-03-01", "2026-02-28T15:00:00Z"],
  ["2026-03-01T24:00", "2026-03-01T15:00:00Z"],
  ["2026-03-01T09:30Z", "2026-03-01T09:30:00Z"],
  ["2026-03-01T09:30+05:45", "2026-03-01T03:45:00Z"],
  ["2024-02-29T00:00Z", "2024-02-29T00:00:00Z"],
])("%s is %s", (text, utc) => {
  expect(at(text)).toBe(Date.parse(utc));
});

test.each([
  ...["", "now", "09:30", "2026-03-01 09:30", "2026-3-1", "2026-03-01T9:30", "2026-03-01Z", "1767225600"],
  ...["2026-13-01", "2026-02-29", "2026-02-30T09:30", "2026-04-31T00:00Z", "2026-03-00"],
  ...["2026-03-01T25:00", "2026-03-01T09:60", "2026-03-01T09:30+25:00"],
])("%p is no time", (text) => {
  const message = `weir explain: --at: expected a time such as 2026-03-01T09:30 or 2026-03-01T09:30Z, found "${text}"`;
  expect(() => at(text)).toThrow(expect.objectContaining({ code: "EUSAGE", message }));
});

function at(text: string): unknown {
  const parsed = parseCommandLine(["explain", "weir.toml", `--at=${text}`], program);
  return parsed.kind === "run" ? parsed.flags["at"] : undefined;
}
