/** Changes to folders, by `node:fs`, which Bun, Deno and Node have alike. */
import { lstat, open, readlink, realpath, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { platform } from "node:process";
import type { Entry, Folders } from "../src/cli/host.ts";

const LOOKED_AT = 4_096;

export const folders: Folders = {
  posix: platform !== "win32",
  async absolute(path) {
    const folder = await realpath(path);
    if ((await stat(folder)).isDirectory()) return folder;
    throw Object.assign(new Error(`${path} is not a folder`), { code: "ENOTDIR" });
  },
  async look(path): Promise<Entry> {
    try {
      const found = await lstat(path);
      if (found.isSymbolicLink()) return { kind: "link", to: await readlink(path) };
      return found.isFile() ? { kind: "file", text: await beginning(path) } : { kind: "other" };
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return { kind: "none" };
      throw error;
    }
  },
  link: (path, to) => symlink(to, path),
  script: (path, text) => writeFile(path, text, { mode: 0o755, flag: "wx" }),
  remove: (path) => unlink(path),
};

async function beginning(path: string): Promise<string> {
  const file = await open(path);
  try {
    const buffer = new Uint8Array(LOOKED_AT);
    const { bytesRead } = await file.read(buffer, 0, LOOKED_AT, 0);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
