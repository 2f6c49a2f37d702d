/**
 * Writes `src/admin/dashboard/assets.ts`: the page and all that belongs to it, as strings, so that they are in every
 * bundle and executable. No runtime but Bun can import text. A test holds the file to its sources.
 *
 *   bun scripts/embed.ts
 */
import { createHash } from "node:crypto";
import { join } from "node:path";

const FOLDER = join(import.meta.dir, "../src/admin/dashboard");
const UPLOT = join(import.meta.dir, "../node_modules/uplot/dist");

/** Where it is written. */
export const ASSETS_FILE = join(FOLDER, "assets.ts");

/** The text of the module. */
export async function embedded(): Promise<string> {
  const css = `${await text(UPLOT, "uPlot.min.css")}\n${await text(FOLDER, "page.css")}`;
  const assets = {
    "page.html": asset("text/html; charset=utf-8", await text(FOLDER, "page.html")),
    "page.css": asset("text/css; charset=utf-8", css),
    "client.js": asset("text/javascript; charset=utf-8", await client()),
    "icon.svg": asset("image/svg+xml", await text(FOLDER, "icon.svg")),
  };
  const entries = Object.entries(assets).map(([name, each]) => `  ${JSON.stringify(name)}: ${JSON.stringify(each)},`);
  return [
    "// Made by scripts/embed.ts from the files around it; do not edit.",
    "export interface Asset {",
    "  readonly type: string;",
    "  readonly etag: string;",
    "  readonly text: string;",
    "}",
    "",
    `export type AssetName = ${Object.keys(assets)
      .map((name) => JSON.stringify(name))
      .join(" | ")};`,
    "",
    "export const ASSETS: Readonly<Record<AssetName, Asset>> = {",
    ...entries,
    "};",
    "",
  ].join("\n");
}

function text(folder: string, name: string): Promise<string> {
  return Bun.file(join(folder, name)).text();
}

/** All modules of the client and the library of its charts in one. */
async function client(): Promise<string> {
  const entrypoints = [join(FOLDER, "client/main.ts")];
  const { outputs } = await Bun.build({ entrypoints, target: "browser", format: "esm", minify: true });
  const [output] = outputs;
  if (!output) throw new Error("nothing was built from client/main.ts");
  return await output.text();
}

function asset(type: string, content: string): { type: string; etag: string; text: string } {
  const hash = createHash("sha256").update(content).digest("base64url").slice(0, 16);
  return { type, etag: `"${hash}"`, text: content };
}

if (import.meta.main) await Bun.write(ASSETS_FILE, await embedded());
