/** What systemd says of `deploy/systemd/weir.service`, where it is installed. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { haveTool } from "../e2e/tools.ts";
import { run } from "../e2e/weir.ts";

const UNIT = join(import.meta.dir, "../../deploy/systemd/weir.service");
const withSystemd = test.skipIf(process.platform !== "linux" || !haveTool("systemd-analyze"));

withSystemd("systemd has nothing to say against the unit", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-systemd-"));
  const unit = join(folder, "weir.service");
  // It looks whether what is to be executed is there.
  writeFileSync(unit, (await Bun.file(UNIT).text()).replaceAll("/usr/local/bin/weir", process.execPath));
  const { code, out, err } = await run(["systemd-analyze", "verify", "--man=no", unit]);
  expect({ code, said: `${out}${err}` }).toEqual({ code: 0, said: "" });
  rmSync(folder, { recursive: true });
});

withSystemd("it leaves the service few rights: an exposure of at most 2.0 of 10", async () => {
  const { code, out } = await run([
    "systemd-analyze",
    "security",
    "--offline=true",
    "--threshold=20",
    "--no-pager",
    UNIT,
  ]);
  expect(code).toBe(0);
  expect(out).toMatch(/Overall exposure level for weir.service: 1\.\d OK/);
});
