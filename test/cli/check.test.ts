/** weir check: every problem of every file, and what those would run that have none. */
import { describe, expect, test } from "bun:test";
import { runCommand } from "./fake-host.ts";

const GOOD = '[[proxy]]\nlisten = "127.0.0.1:1"\ntarget = "10.0.0.1:2"\n';
const OTHER = '[[udp]]\nfrom = "udp://:9920"\nto = "udp://10.0.0.7:9920"\n';
const LIMITS = "connect 5s, idle 10m, fin 30s, lifetime off";

function check(args: string[], files: Readonly<Record<string, string>>) {
  return runCommand(["check", ...args], files);
}

describe("weir check", () => {
  test("tells what each of several files would run", async () => {
    expect(await check(["a.toml", "conf/b.toml"], { "a.toml": GOOD, "conf/b.toml": OTHER })).toEqual({
      code: 0,
      out: [
        "a.toml is fine: 1 proxy",
        `  proxy-1: 127.0.0.1:1 -> 10.0.0.1:2 (${LIMITS})`,
        "  metrics 127.0.0.1:8998",
        "conf/b.toml is fine: 1 bridge",
        "  udp-1: udp://[::]:9920 -> udp://10.0.0.7:9920",
        "  metrics 127.0.0.1:8998",
      ],
      err: [],
    });
  });

  test("one that is wrong keeps no other from being judged, and all that is wrong is told", async () => {
    const files = {
      "a.toml": GOOD.replace("listen", "lisen"),
      "b.toml": GOOD,
      "c.toml": "[log]\nlevel = 5\nformat = 6\n",
      "d.toml": '[[proxy]]\nlisten = "a:1"\nallow_file = "e.txt"\ntarget = "a:2"\n',
    };
    const { code, out, err } = await check(["a.toml", "b.toml", "c.toml", "d.toml", "f.toml"], files);
    expect(code).toBe(2);
    expect(out[0]).toBe("b.toml is fine: 1 proxy");
    expect(err).toEqual([
      'weir: a.toml:2:1: proxy[0].lisen: unknown key "lisen"; did you mean "listen"?',
      expect.stringMatching(/^weir: c\.toml:2:9: log\.level: expected /),
      expect.stringMatching(/^weir: c\.toml:3:10: log\.format: expected /),
      'weir: Cannot read ranges "e.txt": there is no such file',
      'weir: Cannot read configuration "f.toml": there is no such file',
    ]);
  });

  test("--quiet tells problems alone", async () => {
    expect(await check(["-q", "a.toml"], { "a.toml": GOOD })).toEqual({ code: 0, out: [], err: [] });
  });

  test("- is standard input, and what it names lies where weir was started", async () => {
    const { out } = await check(["-"], { "-": `${GOOD}deny_file = "out.txt"\n`, "out.txt": "10.0.0.0/8\n" });
    expect(out[0]).toBe("- is fine: 1 proxy");
    const { code, err } = await check(["-"], { "-": "[lgo]" });
    expect([code, err]).toEqual([2, ['weir: -:1:2: lgo: unknown key "lgo"; did you mean "log"?']]);
  });

  test("a file that is given twice is judged once", async () => {
    const { out } = await check(["a.toml", "a.toml"], { "a.toml": GOOD });
    expect(out).toHaveLength(3);
  });

  test("without a file it says what is missing", async () => {
    expect(await check([], {})).toEqual({
      code: 2,
      out: [],
      err: ["weir check: FILE is missing; usage: weir check FILE…"],
    });
  });
});
