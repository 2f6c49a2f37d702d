/** When a socket of loopback is taken off the kernel's pacing. What comes of it on real ones: test/engine/pacing.test.ts. */
import { expect, test } from "bun:test";
import { ffi } from "#ffi";
import { Pacing } from "../../adapters/linux/pacing.ts";
import { System } from "../../adapters/linux/system.ts";

/** A kernel that takes `congestion` by default, and what it was told to take instead. */
function kernel(congestion: string | undefined, allowed = true) {
  const { scratch, scratchInts, name, namePointer } = new System(ffi, false);
  const said: string[] = [];
  let asked = 0;
  const libc = {
    getsockopt(): number {
      asked++;
      if (congestion === undefined) return -1;
      name.fill(0).set(new TextEncoder().encode(congestion));
      return 0;
    },
    setsockopt(fd: number, _level: number, _option: number, _value: unknown, length: number): number {
      said.push(`${fd} ${new TextDecoder().decode(name.subarray(0, length))}`);
      return allowed ? 0 : -1;
    },
  };
  const pacing = new Pacing({ libc, scratch, scratchInts, name, namePointer } as unknown as System);
  return { pacing, said, asked: () => asked };
}

const linux = test.skipIf(process.platform !== "linux");

linux.each(["bbr", "bbr2", "bbr3"])("under %s each socket gets another, and the kernel is asked once", (congestion) => {
  const { pacing, said, asked } = kernel(congestion);
  for (const fd of [5, 6]) pacing.none(fd);
  expect(said).toEqual(["5 reno", "6 reno"]);
  expect(asked()).toBe(1);
});

linux.each(["cubic", "reno", "dctcp", undefined])("under %p nothing is changed", (congestion) => {
  const { pacing, said, asked } = kernel(congestion);
  for (const fd of [5, 6]) pacing.none(fd);
  expect(said).toEqual([]);
  expect(asked()).toBe(1);
});

linux("a kernel that refuses is not asked again", () => {
  const { pacing, said } = kernel("bbr", false);
  for (const fd of [5, 6]) pacing.none(fd);
  expect(said).toEqual(["5 reno"]);
});
