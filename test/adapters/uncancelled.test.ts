/** Calls that go to the kernel by syscall(2) say what libc would say. What they do with sockets is all over the contract. */
import { expect, test } from "bun:test";
import { ffi } from "#ffi";
import type { Libc } from "../../adapters/linux/symbols.ts";
import { System } from "../../adapters/linux/system.ts";
import { uncancelled } from "../../adapters/linux/uncancelled.ts";
import { linux } from "../engine/world.ts";

const EBADF = 9;

linux("a call that fails returns -1 and leaves why in errno", () => {
  const system = new System(ffi, false);
  const { libc, scratch } = system;
  for (const call of [
    () => libc.recv(-1, scratch.pointer, 8, 0),
    () => libc.send(-1, scratch.pointer, 8, 0),
    () => libc.epoll_wait(-1, scratch.pointer, 1, 0),
  ]) {
    // Something else, so that it is seen to be set.
    libc.setsockopt(0, -1, -1, null, 0);
    expect(call()).toBe(-1);
    expect(system.errno).toBe(EBADF);
  }
});

test("where the numbers of system calls are not known libc does all", () => {
  const libc = {} as Libc;
  expect(uncancelled(libc, "riscv64")).toBe(libc);
});
