/** `weir mux` as a process in front of a server of the test. */
import type { RuntimeName } from "../contract/runtimes.ts";
import type { Engine } from "./observer-world.ts";
import { Weir } from "./weir.ts";

/** Each runtime, with the engines that it has. */
export const KINDS = [
  ["bun", "native"],
  ["bun", "portable"],
  ["deno", "native"],
  ["node", "portable"],
] as const;

export interface Kind {
  readonly runtime?: RuntimeName;
  readonly engine: Engine;
}

/** It listens on `port` of 127.0.0.1 and shares connections to `target`, another port there. Gone with the test. */
export async function mux(protocol: string, target: number | undefined, flags: readonly string[], kind: Kind) {
  const where = ["-p", protocol, "127.0.0.1:0", `127.0.0.1:${target}`];
  const weir = await Weir.start(
    ["mux", ...where, "--metrics", "off", "--engine", kind.engine, ...flags],
    kind.runtime ?? "bun",
  );
  return {
    port: await weir.port(),
    [Symbol.asyncDispose]: () => weir[Symbol.asyncDispose](),
  };
}
