/** The workflows of hosted CI call what there is: scripts of package.json, files of the project, the pinned Bun. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { TARGETS } from "../../scripts/ship/targets.ts";

interface Workflow {
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly needs?: string;
  readonly "runs-on": string;
  readonly "timeout-minutes": number;
  readonly strategy?: { readonly matrix: { readonly include: readonly { readonly target: string }[] } };
  readonly steps: readonly { readonly run?: string; readonly uses?: string }[];
}

const ROOT = join(import.meta.dir, "../..");
const FOLDER = join(ROOT, ".github/workflows");
const FILES = readdirSync(FOLDER);

async function jobsOf(file: string): Promise<readonly (readonly [string, Job])[]> {
  const { jobs } = Bun.YAML.parse(await Bun.file(join(FOLDER, file)).text()) as Workflow;
  return Object.entries(jobs);
}

test("there are three", () => {
  expect(FILES.sort()).toEqual(["ci.yml", "nightly.yml", "release.yml"]);
});

test.each(FILES)("%s: every command and file in it exists, and Bun is the pinned one", async (file) => {
  const jobs = await jobsOf(file);
  for (const [name, job] of jobs) {
    expect({ name, runsOn: typeof job["runs-on"], minutes: job["timeout-minutes"] > 0 }).toEqual({
      name,
      runsOn: "string",
      minutes: true,
    });
    if (job.needs !== undefined) expect(jobs.map(([each]) => each)).toContain(job.needs);
    for (const { run = "", uses } of job.steps) {
      expect(run === "").toBe(uses !== undefined);
      for (const [, script = ""] of run.matchAll(/bun run ([\w-]+)/g))
        expect(Object.keys(manifest.scripts)).toContain(script);
      for (const [path] of run.matchAll(/(?:src|scripts|test)\/[\w./-]+|\.ci\/\w+/g))
        expect(existsSync(join(ROOT, path))).toBe(true);
      for (const [, version] of run.matchAll(/bun@(\S+)/g)) expect(version).toBe(manifest.devDependencies.bun);
    }
  }
});

test("CI runs .ci/run and nothing beside it", async () => {
  const commands = (await jobsOf("ci.yml")).flatMap(([, { steps }]) => steps.flatMap(({ run }) => run ?? []));
  expect(commands).toEqual(["sudo --preserve-env .ci/run"]);
});

test("a release tries targets that there are, on all systems", async () => {
  const [, smoke] = (await jobsOf("release.yml")).find(([name]) => name === "smoke") ?? [];
  const tried = smoke?.strategy?.matrix.include.map(({ target }) => target) ?? [];
  // Hosted CI has no machine with musl on arm64.
  expect(TARGETS.map(({ name }) => name).filter((name) => !tried.includes(name))).toEqual(["linux-arm64-musl"]);
  expect(tried.filter((name) => !TARGETS.some((target) => target.name === name))).toEqual([]);
});
