/** What is given back is code, all of it comes back when it is called, and nothing else is touched. */
import { expect, test } from "bun:test";
import { unchanged } from "../../adapters/linux/trim.ts";
import { command } from "../contract/runtimes.ts";

const WEIR = "/srv/a folder/weir";

/** A mapping as smaps tells of it. */
function mapping(line: string, anonymous = 0): string {
  return `${line}\nSize:                132 kB\nRss:                 100 kB\nAnonymous:        ${String(anonymous).padStart(6)} kB\nVmFlags: rd ex mr mw me \n`;
}

test("of the mappings of a process those are its code that are the executable's, unwritable and unchanged", () => {
  const smaps = [
    mapping(`00200000-01a39000 r--p 00000000 fe:00 1234                           ${WEIR}`),
    mapping(`01a40000-0684a000 r-xp 01838000 fe:00 1234                           ${WEIR}`),
    mapping(`0684a000-0685f000 r--p 06640000 fe:00 1234                           ${WEIR}`, 12),
    mapping(`06867000-07265000 rw-p 06653000 fe:00 1234                           ${WEIR}`),
    mapping(`7f0000000000-7f0000100000 r-xs 00000000 fe:00 1234                   ${WEIR}`),
    mapping("7f0500000000-7f0600000000 rwxp 00000000 00:00 0 ", 40),
    mapping("7f07098ce000-7f0709a24000 r-xp 00026000 fe:00 99                     /usr/lib/libc.so.6"),
    mapping("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0              [vsyscall]"),
  ].join("");
  expect(unchanged(smaps, WEIR)).toEqual([
    { start: 0x200000n, size: 0x1839000 },
    { start: 0x1a40000n, size: 0x4e0a000 },
  ]);
  expect(unchanged(smaps, "/srv/another")).toEqual([]);
  expect(unchanged("", WEIR)).toEqual([]);
});

test.skipIf(process.platform !== "linux").each(["bun", "deno"] as const)(
  "%s goes on without the code that it gave back",
  async (runtime) => {
    const { stdout, stderr } = Bun.spawnSync(await command(runtime, "test/adapters/trim-process.ts"));
    expect(stderr.toString()).toBe("");
    const { before, after, again, same } = JSON.parse(stdout.toString());
    expect(same).toBe(true);
    expect(after).toBeLessThan(0.7 * before);
    expect(again).toBeLessThan(0.7 * before);
  },
);
