/** Modules that users write, loaded while the program runs. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** See `Runtime.importModule`. */
export async function importModule(path: string): Promise<unknown> {
  const file = resolve(path);
  const { mtimeMs } = await stat(file);
  const url = pathToFileURL(file);
  // Modules are kept by their address: another one for each version of the file.
  url.searchParams.set("version", String(mtimeMs));
  return await import(url.href);
}
