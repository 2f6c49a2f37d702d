/** Other people's programs that some tests drive. Missing ones skip their tests, except in CI, where they must be there. */
export function haveTool(name: string): boolean {
  if (Bun.which(name)) return true;
  if (process.env["WEIR_ALL_TOOLS"]) throw new Error(`${name} is missing, and WEIR_ALL_TOOLS says it must be there`);
  console.log(`skipping what needs ${name}: it is not installed`);
  return false;
}
