/** What weir prints for shells, pagers and editors, given to bash, zsh, fish, groff and mandoc as they are. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "../../src/cli/program.ts";
import { command } from "../contract/runtimes.ts";
import { readLate } from "./late-reader.ts";
import { haveTool } from "./tools.ts";
import { run, Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-shells-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Where files and folders are completed. */
const place = join(directory, "conf");
mkdirSync(join(place, "certs"), { recursive: true });
for (const name of ["web.toml", "work.toml"]) writeFileSync(join(place, name), "");

/** What each shell offers behind a line, whole words, in order. */
const SHELLS: Readonly<Record<string, (script: string, line: string) => string[]>> = {
  bash: (script, line) => [
    ...["bash", "--norc", "-c"],
    `source "$1"; COMP_LINE=$2; COMP_POINT=\${#2}; COMP_TYPE=9; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
     _weir; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ...["bash", script, line, ...bashWords(line)],
  ],
  zsh: (script, line) => ["zsh", "-f", join(import.meta.dir, "complete.zsh"), script, line],
  fish: (script, line) => ["fish", "--no-config", "-c", `source ${script}; complete -C ${JSON.stringify(line)}`],
};

/** As readline cuts a line: an equals sign and a colon are words of their own. */
function bashWords(line: string): string[] {
  return line.split(" ").flatMap((word) => word.split(/(=|:)/).filter((part, index) => part !== "" || index === 0));
}

const INSTALLED = Object.keys(SHELLS).filter((shell) => haveTool(shell));

describe.each(INSTALLED)("%s", (shell) => {
  const script = join(directory, `weir.${shell}`);
  beforeAll(async () => {
    const { code, out, err } = await Weir.run("completions", shell);
    expect([code, err]).toEqual([0, ""]);
    writeFileSync(script, out);
  });

  const offers = async (line: string): Promise<string[]> => {
    const argv = SHELLS[shell]?.(script, line) ?? [];
    // What shells keep for later is kept there.
    const env = { ...process.env, HOME: directory };
    const child = Bun.spawn(argv, { cwd: place, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(err).toBe("");
    // Behind a tab, what it is; before an equals sign, the flag that has been written; behind a folder, a slash.
    const words = out.split("\n").map((text) => (text.split("\t")[0] ?? "").replace(/^--[\w-]+=|\/$/g, ""));
    return [...new Set(words.filter((word) => word !== ""))].sort();
  };

  test("the script is sound", async () => {
    expect(await run([shell, "-n", script])).toEqual({ code: 0, out: "", err: "" });
  });

  test("offers every command", async () => {
    const firsts = program.commands.map(({ name }) => name.split(" ")[0] ?? name);
    expect(await offers("weir ")).toEqual([...new Set(firsts)].sort());
  });

  test.each<[string, string[]]>([
    // commands
    ["weir t", ["tap", "tcp", "top"]],
    ["weir udp ", ["forward", "recv", "reverse", "send"]],
    ["weir mux ", ["list", "server"]],
    ["weir help m", ["man", "mux"]],
    ["weir nonsense ", []],
    // flags
    ["weir tcp --ba", ["--balance"]],
    ["weir tcp 8080 example.com:80 --max-connections 5 --slow", ["--slow-start"]],
    ["weir mux -p echo --in-f", ["--in-flight"]],
    ["weir mux server --appl", ["--applicationProtocol"]],
    ["weir udp send --datagram-", ["--datagram-size"]],
    ["weir tcp 1 2 --no-nod", ["--no-nodelay"]],
    ["weir mux list --ba", []],
    // their values
    ["weir tcp --balance r", ["random_two", "round_robin"]],
    ["weir tcp --log-format=j", ["json"]],
    ["weir mux server -p is", ["iso8583"]],
    ["weir mux -p mo", ["modbus"]],
    ["weir tcp --idle-timeout ", ["off"]],
    ["weir run --workers ", ["auto"]],
    ["weir tcp 1 2 --fault lat", ["latency:"]],
    ["weir tcp 1 2 --fault do", ["down"]],
    ["weir tcp --buffer ", []],
    // arguments
    ["weir completions ", ["bash", "fish", "zsh"]],
    ["weir schema tcp", ["tcp-clone"]],
    ["weir as mproxy-c", ["mproxy-client"]],
    ["weir run w", ["web.toml", "work.toml"]],
    ["weir run --quiet w", ["web.toml", "work.toml"]],
    ["weir check web.toml wo", ["work.toml"]],
    ["weir tap 1 2 --out we", ["web.toml"]],
    ["weir install-links c", ["certs"]],
    ["weir install-links w", []],
    ["weir run web.toml w", []],
  ])("%p", async (line, words) => {
    expect(await offers(line)).toEqual(words);
  });

  test("offers the rest of a list", async () => {
    const words = await offers("weir tcp 1 2 --log access,c");
    expect(words.map((word) => word.replace(/^access,/, ""))).toEqual(["connections"]);
  });

  test("offers all flags of a command", async () => {
    const { flagGroups } = program.commands.find(({ name }) => name === "replay") ?? { flagGroups: [] };
    const names = flagGroups.flatMap(({ flags }) => flags.map(({ name }) => `--${name}`));
    const offered = (await offers("weir replay a b --")).filter((word) => word !== "--help");
    expect(offered).toEqual(names.sort());
  });
});

describe("the manual page", () => {
  const page = join(directory, "weir.1");
  beforeAll(async () => {
    const { code, out, err } = await Weir.run("man");
    expect([code, err]).toEqual([0, ""]);
    writeFileSync(page, out);
  });

  test.skipIf(!haveTool("groff"))("groff finds nothing wrong with it", async () => {
    const { code, err, out } = await run(["groff", "-man", "-ww", "-rHY=0", "-Tascii", page]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("weir tcp");
  });

  test.skipIf(!haveTool("mandoc"))("nor does mandoc, of style either", async () => {
    expect(await run(["mandoc", "-Tlint", page])).toEqual({ code: 0, out: "", err: "" });
  });

  test.skipIf(!haveTool("mandoc"))("it tells every command, every flag, and text as it is", async () => {
    const plain = (await run(["mandoc", "-Tutf8", "-Owidth=100", page])).out.replace(/.[^\P{Cc}\n]/gu, "");
    for (const { name, flagGroups } of program.commands) {
      expect(plain).toContain(`weir ${name}`);
      for (const { flags } of flagGroups) {
        for (const flag of flags) expect(plain).toMatch(new RegExp(`--(\\[no-\\])?${flag.name}\\b`));
      }
    }
    // What roff would take for its own.
    expect(plain).toContain("--health-send TEXT\n              Send this; \\r \\n \\t and \\\\ are understood");
    expect(plain).toContain("  weir completions bash > ~/.local/share/bash-completion/completions/weir");
    expect(plain).toContain("9920, :9920 (every interface), localhost:9920, [::1]:9920;");
  });

  test.skipIf(!haveTool("man"))("man shows what comes from a pipe", async () => {
    const weir = (await command("bun", "src/main.ts")).join(" ");
    const { code, out } = await run(["sh", "-c", `${weir} man | MANPAGER=cat MANWIDTH=80 man -l -`]);
    expect(code).toBe(0);
    expect(out).toContain("WEIR(1)");
  });
});

test("the same source has the same page, whenever it is made", async () => {
  const child = Bun.spawn([...(await command("bun", "src/main.ts")), "man"], {
    env: { ...process.env, SOURCE_DATE_EPOCH: "1767225600" },
    stdout: "pipe",
  });
  expect(await new Response(child.stdout).text()).toContain('\n.TH WEIR 1 "2026-01-01" "weir ');
});

describe("a reader that takes its time", () => {
  test.each(["bun", "deno", "node"] as const)("gets all of what is longer than a pipe, under %s", async (runtime) => {
    const out = await readLate([...(await command(runtime, "src/main.ts")), "schema"]);
    expect(out.length).toBeGreaterThan(100_000);
    expect(Object.keys(JSON.parse(out))).toContain("properties");
  });
});
