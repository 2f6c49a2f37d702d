/** What is in a bundle, from the list of inputs and outputs that Bun writes. */
import type { Metafile } from "./executable.ts";

/** The packages in a bundle, by name, with the bytes that each contributes. */
export function packagesIn(metafile: Metafile): ReadonlyMap<string, number> {
  const packages = new Map<string, number>();
  for (const [path, bytes] of bytesOf(metafile)) {
    const name = packageOf(path);
    if (name !== undefined) packages.set(name, (packages.get(name) ?? 0) + bytes);
  }
  return packages;
}

/** A table of the modules, by folder and package, the largest first; `size` is that of the whole executable. */
export function contents(metafile: Metafile, size: number): string[] {
  const groups = new Map<string, number>();
  let code = 0;
  for (const [path, bytes] of bytesOf(metafile)) {
    const name = groupOf(path);
    groups.set(name, (groups.get(name) ?? 0) + bytes);
    code += bytes;
  }
  const rows = [...groups].sort(([, a], [, b]) => b - a);
  const line = (name: string, bytes: number) => `  ${name.padEnd(30)} ${(bytes / 1_000).toFixed(1).padStart(10)} KB`;
  return [
    line("Bun, bytecode, source maps", size - code),
    line("code", code),
    ...rows.map(([name, bytes]) => line(`  ${name}`, bytes)),
  ];
}

/** Of every input, what it adds to all outputs together. */
function bytesOf({ outputs }: Metafile): ReadonlyMap<string, number> {
  const sum = new Map<string, number>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) sum.set(path, (sum.get(path) ?? 0) + bytesInOutput);
  }
  return sum;
}

/** `hono`, `@hono/node-server`: what stands behind the last `node_modules/`. */
function packageOf(path: string): string | undefined {
  return /(?:^|.*\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

function groupOf(path: string): string {
  const name = packageOf(path);
  if (name !== undefined) return `npm: ${name}`;
  return path.split("/").slice(0, 2).join("/");
}
