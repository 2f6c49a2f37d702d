/** Files that are written at their end. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "../../../src/net/errors.ts";
import type { Runtime } from "../../../src/net/runtime.ts";
import type { Case } from "../kit.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder().decode(content);
const devices = ({ can }: Runtime) => (can.abstractUnix ? undefined : "Linux alone has such files");

export const files: readonly Case[] = [
  {
    name: "a file grows at its end, and what it had stays",
    async run(kit) {
      const path = join(kit.directory(), "a");
      const first = kit.runtime.openFile(path);
      assert.equal(first.size, 0);
      first.write(bytes("one "));
      assert.equal(text(kit.content(path)), "one ");
      first.write(new Uint8Array(0));
      first.write(bytes("two "));
      assert.equal(first.size, 8);
      first.close();
      first.close();
      const second = kit.runtime.openFile(path);
      assert.equal(second.size, 8);
      second.write(bytes("three"));
      assert.equal(second.size, 13);
      second.close();
      assert.equal(text(kit.content(path)), "one two three");
    },
  },
  {
    name: "a file keeps a million bytes as they are",
    async run(kit) {
      const path = join(kit.directory(), "a");
      const file = kit.runtime.openFile(path);
      const million = Uint8Array.from({ length: 1_000_000 }, (_, index) => index * 7 + (index >> 8));
      file.write(million);
      file.close();
      assert.deepEqual(Uint8Array.from(kit.content(path)), million);
    },
  },
  {
    name: "a file that is closed takes nothing: EBADF",
    async run(kit) {
      const path = join(kit.directory(), "a");
      const file = kit.runtime.openFile(path);
      file.close();
      fails(() => file.write(bytes("late")), "EBADF");
      assert.equal(kit.content(path).length, 0);
    },
  },
  {
    name: "a file is renamed over another, and goes on under its new name for who has it open",
    async run(kit) {
      const directory = kit.directory();
      const [old, path] = [join(directory, "a.1"), join(directory, "a")];
      const file = kit.runtime.openFile(path);
      file.write(bytes("before, "));
      const other = kit.runtime.openFile(old);
      other.write(bytes("gone"));
      kit.runtime.renameFile(path, old);
      file.write(bytes("after"));
      const fresh = kit.runtime.openFile(path);
      assert.equal(fresh.size, 0);
      fresh.write(bytes("new"));
      assert.equal(text(kit.content(old)), "before, after");
      assert.equal(text(kit.content(path)), "new");
      for (const each of [file, other, fresh]) each.close();
      fails(() => kit.runtime.renameFile(join(directory, "none"), path), "ENOENT");
    },
  },
  {
    name: "a file that is removed is gone, and a missing one is ENOENT",
    async run(kit) {
      const path = join(kit.directory(), "a");
      kit.runtime.openFile(path).close();
      kit.runtime.removeFile(path);
      fails(() => kit.runtime.removeFile(path), "ENOENT");
      const file = kit.runtime.openFile(path);
      assert.equal(file.size, 0);
      file.close();
    },
  },
  {
    name: "a new file belongs to its owner alone",
    skip: devices,
    async run(kit) {
      const path = join(kit.directory(), "a");
      kit.runtime.openFile(path).close();
      assert.equal(statSync(path).mode & 0o777, 0o600);
    },
  },
  {
    name: "a directory that is missing is ENOENT, a directory in place of the file EISDIR",
    skip: devices,
    async run(kit) {
      const directory = kit.directory();
      mkdirSync(join(directory, "d"));
      fails(() => kit.runtime.openFile(join(directory, "none", "a")), "ENOENT");
      fails(() => kit.runtime.openFile(join(directory, "d")), "EISDIR");
    },
  },
  {
    name: "a full disk is ENOSPC, and nothing of what it did not take is in the file",
    skip: devices,
    async run({ runtime }) {
      const file = runtime.openFile("/dev/full");
      fails(() => file.write(bytes("too much")), "ENOSPC");
      fails(() => file.write(bytes("again")), "ENOSPC");
      assert.equal(file.size, 0);
      file.close();
    },
  },
  {
    name: "a FIFO that nobody reads is ENXIO at once, and one that is read gets whole chunks",
    skip: devices,
    async run(kit) {
      const path = join(kit.directory(), "fifo");
      execFileSync("/usr/bin/mkfifo", [path]);
      fails(() => kit.runtime.openFile(path), "ENXIO");
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const file = kit.runtime.openFile(path);
      const chunk = Uint8Array.from({ length: 50_021 }, (_, index) => index * 31);
      let taken = 0;
      while (taken < 100 && code(() => file.write(chunk)) === undefined) taken++;
      assert.ok(taken > 0 && taken < 100, "a pipe that nobody empties takes no end");
      fails(() => file.write(chunk), "EAGAIN");
      const all = drain(reader);
      file.write(chunk);
      all.push(...drain(reader));
      file.close();
      all.push(...drain(reader));
      assert.equal(all.length, (taken + 1) * chunk.length);
      assert.ok(all.every((byte, index) => byte === chunk[index % chunk.length]));
      const gone = kit.runtime.openFile(path);
      closeSync(reader);
      fails(() => gone.write(chunk), "EPIPE");
      assert.equal(gone.size, 0);
      gone.close();
    },
  },
];

/** All that waits in a pipe. */
function drain(fd: number): number[] {
  const all: number[] = [];
  const part = new Uint8Array(65_536);
  for (;;) {
    let count = 0;
    code(() => {
      count = readSync(fd, part);
    });
    if (count === 0) return all;
    for (const byte of part.subarray(0, count)) all.push(byte);
  }
}

function fails(act: () => unknown, expected: string): void {
  assert.equal(code(act), expected);
}

/** With which error it fails, if it does. */
function code(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof FileError) return error.code;
    // What the case itself does with node:fs.
    return (error as { code?: string }).code;
  }
}
