/** Every command in the README is typed as it stands there, and every configuration in it is one. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../contract/runtimes.ts";
import { haveTool } from "../e2e/tools.ts";
import { run } from "../e2e/weir.ts";
import { haveOpenssl, issue } from "../tls/certificates.ts";
import { type Block, blocksOf, commandsOf } from "./blocks.ts";
import { HELLO, type Played, type Scene } from "./stage.ts";

const ROOT = join(import.meta.dir, "../..");
const blocks = blocksOf(join(ROOT, "README.md"));
const of = (language: string) => blocks.filter((block) => block.language === language);

/** It runs this very test. */
const OWN = "npx -y bun@1.4.5 run test";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-readme-"));
  mkdirSync(join(folder, "bin"));
  copyFileSync(compile("src/main.ts", "adapters/linux/worker.ts"), join(folder, "weir"));
  // There is no registry on the stage, and what npx would bring is here already.
  script("npx", `shift 2; cd "${ROOT}"; exec "${process.execPath}" "$@"`);
  // An answer that is an error is one.
  script("curl", `exec "${Bun.which("curl")}" --fail --silent --show-error "$@"`);
  writeFileSync(join(folder, "weir.toml"), of("toml").find(({ text }) => text.includes('name = "db"'))?.text ?? "");
  if (!haveOpenssl()) return;
  const ca = issue(folder, "internal-ca");
  issue(folder, "site", { alternative: "DNS:example.com", issuer: ca });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, text: string): void {
  const path = join(folder, "bin", name);
  writeFileSync(path, `#!/bin/bash\n${text}\n`);
  chmodSync(path, 0o755);
}

const NETWORK = "unshare --net --mount --pid --fork --kill-child --mount-proc".split(" ");
const tools = ["ip", "curl", "man"].map(haveTool);
const stage = Bun.spawnSync([...NETWORK, "true"], { stderr: "ignore" }).success && !tools.includes(false);
if (!stage) console.log("skipping the commands of the README: there can be no network of their own here");

describe("the configurations", () => {
  test.each(of("toml").map((block) => [block.line, block] as const))("of line %i", async (line, { text }) => {
    const file = join(folder, `line-${line}.toml`);
    // Some show a part of a proxy.
    writeFileSync(file, text.startsWith("[[proxy.") ? `[[proxy]]\nlisten = 8080\ntarget = 8081\n${text}` : text);
    const { code, err } = await run([
      join(folder, "weir"),
      ...(text.includes("[[scenarios]]") ? ["load", "--scenarios", file, "--help"] : ["check", file]),
    ]);
    expect(err).toBe("");
    expect(code).toBe(0);
  });
});

describe.if(stage)("the commands", () => {
  const written = of("sh").filter((block) => !commandsOf(block).includes(OWN));
  test.each(written.map((block) => [block.line, block] as const))(
    "of line %i",
    async (_, block) => {
      for (const { command, code, echoed, out } of await played(block)) {
        expect({ command, code, out }).toMatchObject({ code: 0, out });
        expect([command, echoed ?? HELLO]).toEqual([command, HELLO]);
      }
    },
    120_000,
  );

  test("of one block are left out: those that run this test", () => {
    expect(of("sh").length - written.length).toBe(1);
  });
});

async function played(block: Block): Promise<readonly Played[]> {
  const commands = commandsOf(block);
  const first = commands[0] ?? "";
  const scene: Scene = {
    commands,
    servers: serversFor(commands),
    // What is asked over HTTP is there.
    before: /^(curl|weir status)\b/.test(first) ? ["weir run weir.toml"] : [],
    ...(commands.some((command) => command.includes("4711")) && {
      connected: { to: "127.0.0.1:5432", admin: "127.0.0.1:8998" },
    }),
  };
  const env = { ...process.env, HOME: folder, PATH: `${folder}:${join(folder, "bin")}:${process.env["PATH"]}` };
  const argv = [...NETWORK, process.execPath, join(import.meta.dir, "stage.ts"), JSON.stringify(scene)];
  const child = Bun.spawn(argv, { cwd: folder, env, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(err);
  return JSON.parse(out) as readonly Played[];
}

/** Where on this machine somebody has to answer: targets that none of the commands listens on. */
function serversFor(commands: readonly string[]): string[] {
  const own = commands.flatMap((command) => {
    const [, listen = ""] = /^weir (?:tcp|tap|echo|mux -p \w+) (\S+)/.exec(command) ?? [];
    return [listen, `127.0.0.1:${listen}`];
  });
  const named = commands.flatMap((command) => command.match(/\b127\.0\.0\.1:\d+|unix:\/[^\s,]+/g) ?? []);
  return [...new Set(named)]
    .filter((address) => !own.includes(address))
    .filter(isTarget(commands))
    .map((address) => (address.startsWith("unix:") ? address : `tcp:${address}`));
}

function isTarget(commands: readonly string[]) {
  return (address: string) =>
    commands.some((command) => {
      const [, args = ""] = /^weir (?:tcp|tap|mux|replay|load) (.*)/.exec(command) ?? [];
      return args.includes(` ${address}`) || args.startsWith(`replay ${address}`);
    });
}
