/** The portable engine where the runtime cannot do what is asked of it. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { DEFAULTS, plainTarget } from "../../src/config/config.ts";
import { PortableEngine } from "../../src/engine/portable.ts";
import type { Runtime } from "../../src/net/runtime.ts";
import { LOOPBACK } from "../contract/kit.ts";

test("a port that the runtime cannot share is refused, and nothing listens", async () => {
  const listen = () => Promise.reject(new Error("it tried to listen"));
  const old: Runtime = {
    ...runtime,
    name: "node",
    version: "20.1.0",
    can: { ...runtime.can, reusePort: false },
    listen,
  };
  const config = { ...DEFAULTS.proxy, name: "db", listen: LOOPBACK, targets: [plainTarget(LOOPBACK)], reusePort: true };
  const message =
    "Cannot share 127.0.0.1:0 with other processes (reuse_port): node 20.1.0 cannot do that here; " +
    "leave it out, or run weir on Linux under Bun, Deno or Node 22.12 or later";
  await expect(new PortableEngine(old).open(config)).rejects.toThrow(
    expect.objectContaining({ name: "UsageError", code: "ECONFIG", message }),
  );
});
