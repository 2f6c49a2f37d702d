/** Modules that users write, loaded while the program runs. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { versions } from "node:process";
import { pathToFileURL } from "node:url";

/** See `Runtime.importModule`. */
export async function importModule(path: string): Promise<unknown> {
  const file = resolve(path);
  const { mtimeMs } = await stat(file);
  // Modules are kept by their address: another one for each version of the file. Of URLs Bun takes no notice of that.
  const address = versions.bun === undefined ? pathToFileURL(file).href : file;
  return await import(`${address}?version=${mtimeMs}`);
}
