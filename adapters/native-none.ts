/** No native engine under Node. */
import type { OpenThreads } from "../src/engine/threads.ts";

export const openThreads: OpenThreads = async () => {
  throw new Error("it needs Bun or Deno: Node has no foreign function interface");
};
