/** Multicast where interfaces come and go: in a network namespace of its own, which only root can make. */
import { expect, test } from "bun:test";
import { command } from "../contract/runtimes.ts";

const withNamespaces = test.skipIf(
  process.platform !== "linux" ||
    Bun.spawnSync(["unshare", "-n", "ip", "link", "add", "v0", "type", "veth"]).exitCode !== 0,
);

async function inNamespace(native: boolean): Promise<unknown> {
  const argv = [...(await command("bun", "test/adapters/memberships-process.ts")), ...(native ? ["linux"] : [])];
  const { stdout, stderr } = Bun.spawnSync(["unshare", "-n", ...argv]);
  expect(stderr.toString()).toBe("");
  return JSON.parse(stdout.toString());
}

for (const adapter of ["bun", "linux"]) {
  withNamespaces(
    `${adapter}: a membership goes with its interface, and is joined again on the next of that name`,
    async () => {
      expect(await inNamespace(adapter === "linux")).toEqual({
        joined: true,
        whileDown: true,
        afterUp: true,
        deleted: false,
        again: "ENODEV",
        there: false,
        rejoined: true,
        left: false,
        tooMany: "ENOBUFS",
      });
    },
  );
}
