/** weir check as scripts call it: with several files, and with standard input. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, RUNTIMES } from "../contract/runtimes.ts";
import { run } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-check-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const GOOD = '[[proxy]]\nlisten = "127.0.0.1:1"\ntarget = "10.0.0.1:2"\n';

describe.each([...RUNTIMES])("under %s", (runtime) => {
  const check = async (args: string[], input?: string) => {
    return await run([...(await command(runtime, "src/main.ts")), "check", ...args], input);
  };

  test("every file is judged, and one that is wrong is enough for 2", async () => {
    const [good, bad] = [join(directory, "good.toml"), join(directory, "bad.toml")];
    writeFileSync(good, GOOD);
    writeFileSync(bad, `${GOOD}lisen = 3\nbuffer = "1 KB"\n`);
    const { code, out, err } = await check([bad, good]);
    expect(code).toBe(2);
    expect(out).toStartWith(`${good} is fine: 1 proxy\n`);
    const places = err.split("\n").map((line) => line.split(": ").slice(0, 3).join(": "));
    expect(places).toEqual([`weir: ${bad}:4:1: proxy[0].lisen`, `weir: ${bad}:5:10: proxy[0].buffer`, ""]);
  });

  test("standard input can be one of them", async () => {
    expect(await check(["-q", "-"], GOOD)).toEqual({ code: 0, out: "", err: "" });
    const { code, err } = await check(["-"], "[log]\nlevel = 5\n");
    expect(code).toBe(2);
    expect(err).toStartWith("weir: -:2:9: log.level: expected ");
  });
});
