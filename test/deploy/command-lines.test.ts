/** What `deploy/` starts is what a release has, with command lines that weir takes. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileOf, TARGETS } from "../../scripts/ship/targets.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";

const FOLDER = join(import.meta.dir, "../../deploy");
const dockerfile = readFileSync(join(FOLDER, "Dockerfile"), "utf8");
const unit = readFileSync(join(FOLDER, "systemd/weir.service"), "utf8");
const files = TARGETS.flatMap((target) => [fileOf(target, "1.2.3"), fileOf(target, "1.2.3", "deno")]);

test.each([
  ["amd64", "weir-1.2.3-linux-x64"],
  ["arm64", "weir-1.2.3-linux-arm64"],
])("the image for %s takes one file of a release", (machine, file) => {
  const [, pattern = ""] =
    new RegExp(`^FROM scratch AS ${machine}\nCOPY --chmod=0555 (\\S+) `, "m").exec(dockerfile) ?? [];
  const glob = new Bun.Glob(pattern);
  expect(files.filter((each) => glob.match(each))).toEqual([file]);
});

test("the image runs what weir takes, as a user without rights", () => {
  const [, command = ""] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  expect(parseCommandLine(JSON.parse(command), program)).toMatchObject({
    kind: "run",
    positionals: ["/etc/weir/weir.toml"],
  });
  expect(dockerfile).toMatch(/^USER 65532:65532$/m);
});

test("the unit runs what weir takes, and checks a configuration before it is read again", () => {
  const lines = [...unit.matchAll(/^(Exec\w+)=\/usr\/local\/bin\/weir (.*)$/gm)];
  const started = lines.map(([, key = "", words = ""]) => {
    const line = parseCommandLine(words.split(" "), program);
    return [key, line.kind === "run" ? line.command.name : line.kind];
  });
  expect(started).toEqual([
    ["ExecStartPre", "check"],
    ["ExecStart", "run"],
    ["ExecReload", "check"],
  ]);
});
