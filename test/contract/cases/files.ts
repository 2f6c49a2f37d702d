/** Files that are written at their end. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { FileError } from "../../../src/net/errors.ts";
import type { InputFile, Runtime } from "../../../src/net/runtime.ts";
import type { Case } from "../kit.ts";
import { pattern } from "../probe.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder().decode(content);
const devices = ({ can }: Runtime) => (can.abstractUnix ? undefined : "Linux alone has such files");

const inputs = ({ openInput }: Runtime) => (openInput ? undefined : "nothing may wait in threads of the native engine");

/** Reads all of it; `take` sees each piece first. */
async function readAll(runtime: Runtime, from: string | number, take: (chunk: Uint8Array) => void = () => {}) {
  const pieces: Uint8Array[] = [];
  let input: InputFile | undefined;
  const ended = new Promise<FileError | undefined>((resolve) => {
    const data = (chunk: Uint8Array) => {
      pieces.push(chunk.slice());
      take(chunk);
    };
    void runtime.openInput?.(from, { data, close: resolve }).then((opened) => {
      input = opened;
      opened.resume();
    });
  });
  const error = await ended;
  input?.close();
  return { content: new Uint8Array(Buffer.concat(pieces)), error };
}

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
  {
    name: "a descriptor is written to where it stands, and stays open",
    async run(kit) {
      const path = join(kit.directory(), "given");
      const given = openSync(path, "w");
      writeSync(given, "one ");
      const file = kit.runtime.openFile(`/dev/fd/${given}`);
      file.write(bytes("two "));
      file.close();
      // Whoever has given it, such as a shell, goes on behind that, and not over it.
      writeSync(given, "three");
      closeSync(given);
      assert.equal(text(kit.content(path)), "one two three");
      fails(() => kit.runtime.openFile("/dev/fd/987654"), "EBADF");
    },
  },
  {
    name: "what a file has been told to sync is there",
    async run(kit) {
      const path = join(kit.directory(), "a");
      const file = kit.runtime.openFile(path);
      file.write(bytes("one"));
      file.sync();
      assert.equal(text(kit.content(path)), "one");
      file.close();
      file.sync();
    },
  },
  {
    name: "a file is read from its beginning to its end",
    skip: inputs,
    async run(kit) {
      const path = join(kit.directory(), "a");
      const content = pattern(0, 1_000_000);
      writeFileSync(path, content);
      const { content: got, error } = await readAll(kit.runtime, path, (chunk) => chunk.fill(0));
      assert.equal(error, undefined);
      assert.ok(Buffer.from(got).equals(content));
      writeFileSync(path, "");
      assert.equal((await readAll(kit.runtime, path)).content.length, 0);
    },
  },
  {
    name: "a descriptor is read from where it stands, and stays open",
    skip: inputs,
    async run(kit) {
      const path = join(kit.directory(), "a");
      writeFileSync(path, "0123456789");
      const fd = openSync(path, "r");
      readSync(fd, new Uint8Array(4), 0, 4, null);
      assert.equal(text((await readAll(kit.runtime, fd)).content), "456789");
      assert.ok(fstatSync(fd).isFile());
      closeSync(fd);
    },
  },
  {
    name: "a paused input gives nothing, and one that is closed says nothing more",
    skip: inputs,
    async run(kit) {
      const path = join(kit.directory(), "a");
      writeFileSync(path, pattern(0, 1_000_000));
      let read = 0;
      let closed = 0;
      const close = () => {
        closed++;
      };
      let paused: (() => void) | undefined;
      const pausing = new Promise<void>((resolve) => {
        paused = resolve;
      });
      const data = (chunk: Uint8Array) => {
        read += chunk.length;
        input?.pause();
        paused?.();
      };
      const input = await kit.runtime.openInput?.(path, { data, close });
      await kit.busy(200);
      assert.equal(read, 0);
      input?.resume();
      await pausing;
      const before = read;
      await kit.busy(200);
      assert.equal(read, before);
      input?.close();
      input?.resume();
      await kit.busy(200);
      assert.equal(read, before);
      assert.equal(closed, 0);
    },
  },
  {
    name: "what cannot be read is an error by name",
    skip: inputs,
    async run(kit) {
      const events = { data() {}, close() {} };
      const directory = kit.directory();
      const failing = (from: string | number) => kit.runtime.openInput?.(from, events) ?? Promise.resolve();
      await assert.rejects(failing(join(directory, "none")), { name: "FileError", code: "ENOENT" });
      await assert.rejects(failing(directory), { name: "FileError", code: "EISDIR" });
      await assert.rejects(failing(987_654), { name: "FileError", code: "EBADF" });
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
