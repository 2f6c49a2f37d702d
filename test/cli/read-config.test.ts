/** Configuration files and the files that they name: where they are looked for, and what is said if they are not there. */
import { describe, expect, test } from "bun:test";
import { readConfig } from "../../src/cli/read-config.ts";
import { rangeReader } from "../../src/cli/read-file.ts";
import { formatCidr } from "../../src/net/cidr.ts";
import { fakeHost, runCommand } from "./fake-host.ts";

const TEXT = '[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:80"\ndeny_file = "lists/out.txt"\n';

describe("the files that a configuration names", () => {
  test.each([
    ["weir.toml", "lists/out.txt"],
    ["conf/weir.toml", "conf/lists/out.txt"],
    ["../weir.toml", "../lists/out.txt"],
    ["/etc/weir/weir.toml", "/etc/weir/lists/out.txt"],
  ])("lie beside it: %s, %s", async (path, list) => {
    const { proxies } = await readConfig(fakeHost({ [path]: TEXT, [list]: "10.0.0.0/8" }), path);
    expect(proxies[0]?.deny.map(formatCidr)).toEqual(["10.0.0.0/8"]);
  });

  test("may lie elsewhere, by a path from the root", async () => {
    const files = { "conf/weir.toml": TEXT.replace("lists", "/lists"), "/lists/out.txt": "10.0.0.0/8" };
    const { proxies } = await readConfig(fakeHost(files), "conf/weir.toml");
    expect(proxies[0]?.deny.map(formatCidr)).toEqual(["10.0.0.0/8"]);
  });

  test("are named with their whole path when something is wrong with them", async () => {
    const files = { "conf/weir.toml": TEXT };
    expect(await runCommand(["check", "conf/weir.toml"], files)).toEqual({
      code: 2,
      out: [],
      err: ['weir: Cannot read ranges "conf/lists/out.txt": there is no such file'],
    });
    expect(await runCommand(["check", "conf/weir.toml"], { ...files, "conf/lists/out.txt": "::1\nx\n8\n" })).toEqual({
      code: 2,
      out: [],
      err: [
        'weir: conf/lists/out.txt:2:1: Cannot parse address range "x": write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8',
        'weir: conf/lists/out.txt:3:1: Cannot parse address range "8": write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8',
      ],
    });
  });
});

test("a configuration that is not there is one line", async () => {
  expect(await runCommand(["check", "a\nb.toml"])).toEqual({
    code: 2,
    out: [],
    err: ['weir: Cannot read configuration "a\\u000ab.toml": there is no such file'],
  });
});

test("a command line's files are read as they are named", async () => {
  expect(await rangeReader(fakeHost({ "lists/in.txt": "::1" }))("lists/in.txt")).toBe("::1");
});
