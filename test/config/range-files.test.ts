/** Lists of ranges in files of their own: how they are read, what comes of them, what is said of bad ones. */
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { parseRanges, withRangeFiles } from "../../src/config/range-files.ts";
import { formatCidr } from "../../src/net/cidr.ts";
import { UsageError } from "../../src/net/errors.ts";

const PROXY = '[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:80"\n';
const FORM = "write one such as 10.0.0.0/8, 192.168.1.7 or fd00::/8";

describe("a list of ranges", () => {
  test.each<[string, string, string[]]>([
    ["one in each line", "10.0.0.0/8\n::1\n", ["10.0.0.0/8", "::1"]],
    ["a last line without its end", "10.0.0.0/8\n192.168.1.7", ["10.0.0.0/8", "192.168.1.7"]],
    ["blank lines and blanks", "\n  10.0.0.0/8\t\n   \n\n", ["10.0.0.0/8"]],
    ["comments", "# all of it\n10.0.0.0/8 # the office\n10.1.0.0/16#too\n#::1", ["10.0.0.0/8", "10.1.0.0/16"]],
    ["lines as Windows ends them", "10.0.0.0/8\r\n\r\n::1 # here\r\n", ["10.0.0.0/8", "::1"]],
    ["a byte order mark", "\ufeff10.0.0.0/8\n", ["10.0.0.0/8"]],
    ["nothing", "", []],
  ])("may hold %s", (_, text, ranges) => {
    expect(parseRanges(text, "office.txt").map(formatCidr)).toEqual(ranges);
  });

  test("is told all that is wrong with it, each with its place", () => {
    const text = "10.0.0.0/8\n  10.0.0.1/8 # no start\n\noffice\r\n\ufeff::1/129\n";
    expect(complaint(() => parseRanges(text, "lists/office.txt"))).toEqual([
      'lists/office.txt:2:3: Cannot parse address range "10.0.0.1/8": it does not begin there; write "10.0.0.0/8"',
      `lists/office.txt:4:1: Cannot parse address range "office": ${FORM}`,
      'lists/office.txt:5:2: Cannot parse address range "::1/129": the length 129 is too long; use 0 to 128',
    ]);
  });

  test("cannot reach the terminal's controls", () => {
    expect(complaint(() => parseRanges("\u001b[2J", "a\n.txt"))).toEqual([
      `a\\u000a.txt:1:1: Cannot parse address range "\\u001b[2J": ${FORM}`,
    ]);
  });
});

describe("a configuration", () => {
  test("has the ranges of its files behind its own", async () => {
    const text = `${PROXY}allow = ["::1"]\nallow_file = "in.txt"\ndeny_file = "out.txt"\n`;
    const { proxies } = await whole(text, { "in.txt": "10.0.0.0/8\n", "out.txt": "10.1.0.0/16\n10.2.0.0/16\n" });
    expect(proxies[0]?.allow.map(formatCidr)).toEqual(["::1", "10.0.0.0/8"]);
    expect(proxies[0]?.deny.map(formatCidr)).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
    expect(proxies[0]).toMatchObject({ allowFile: "in.txt", denyFile: "out.txt" });
  });

  test("without files is left as it is", async () => {
    const config = loadConfig(PROXY, "weir.toml");
    expect(await withRangeFiles(config, () => Promise.reject(new Error("nothing is to be read")))).toEqual(config);
  });

  test("has files beside it, unless they say where they are", async () => {
    const text = `${PROXY}allow_file = "lists/in.txt"\ndeny_file = "/etc/out.txt"\n`;
    const files = { "/home/a/lists/in.txt": "::1", "/etc/out.txt": "::2" };
    const { proxies } = await whole(text, files, "/home/a/");
    expect([proxies[0]?.allow, proxies[0]?.deny].map((ranges) => ranges?.map(formatCidr))).toEqual([["::1"], ["::2"]]);
  });

  test("reads a file once, however many proxies name it", async () => {
    const text = `${PROXY}deny_file = "out.txt"\n${PROXY.replace("8080", "8081")}deny_file = "out.txt"\n`;
    const read: string[] = [];
    const { proxies } = await withRangeFiles(loadConfig(text, "weir.toml"), async (path) => {
      read.push(path);
      return "::1";
    });
    expect(read).toEqual(["out.txt"]);
    expect(proxies.map(({ deny }) => deny.map(formatCidr))).toEqual([["::1"], ["::1"]]);
  });

  test("is told what is wrong in all of them, in its own order", async () => {
    const second = PROXY.replace("8080", "8081");
    const text = `${PROXY}allow_file = "a.txt"\ndeny_file = "none.txt"\n${second}deny_file = "b.txt"\n`;
    const files = { "a.txt": "x\ny\n", "b.txt": "::1\nz\n" };
    expect(await refusal(whole(text, files))).toEqual([
      `a.txt:1:1: Cannot parse address range "x": ${FORM}`,
      `a.txt:2:1: Cannot parse address range "y": ${FORM}`,
      'Cannot read "none.txt"',
      `b.txt:2:1: Cannot parse address range "z": ${FORM}`,
    ]);
  });

  test("does not let everybody in because a list of those to let in is empty", async () => {
    const files = { "a.txt": "# nobody yet\n" };
    expect(await refusal(whole(`${PROXY}allow_file = "a.txt"\n`, files))).toEqual([
      "a.txt: there is no range in it, and without one everybody would be let in; write one, or name no file",
    ]);
    const { proxies } = await whole(`${PROXY}allow = ["::1"]\nallow_file = "a.txt"\ndeny_file = "a.txt"\n`, files);
    expect(proxies[0]).toMatchObject({ deny: [] });
    expect(proxies[0]?.allow.map(formatCidr)).toEqual(["::1"]);
  });
});

function whole(text: string, files: Readonly<Record<string, string>>, folder?: string) {
  const read = async (path: string) => {
    const content = files[path];
    if (content === undefined) throw new UsageError("ECONFIG", `Cannot read "${path}"`);
    return content;
  };
  return withRangeFiles(loadConfig(text, "weir.toml"), read, folder);
}

function complaint(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    return linesOf(error);
  }
  throw new Error("nothing was wrong with it");
}

async function refusal(running: Promise<unknown>): Promise<string[]> {
  const [result] = await Promise.allSettled([running]);
  return result.status === "rejected" ? linesOf(result.reason) : ["nothing was wrong with it"];
}

function linesOf(error: unknown): string[] {
  if (!(error instanceof UsageError)) throw error;
  expect(error.code).toBe("ECONFIG");
  return error.message.split("\n");
}
