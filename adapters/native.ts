/** The native engine where there can be one: Linux under Bun and Deno. Nothing of it is loaded before it is asked for. */
import type { OpenThreads } from "../src/engine/threads.ts";

export const openThreads: OpenThreads = async (workers) => (await import("./linux/native.ts")).openThreads(workers);
