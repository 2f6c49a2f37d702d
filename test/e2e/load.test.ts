/** `weir load` as its users run it, against `weir echo`. */
import { describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, RUNTIMES } from "../contract/runtimes.ts";
import { readLate } from "./late-reader.ts";
import { Weir } from "./weir.ts";

const SHORT = ["--duration", "300ms", "--warmup", "0s"];

async function echoing(listen: string, run: (address: string) => Promise<void>): Promise<void> {
  await using echo = await Weir.start(["echo", listen, "--log-level", "info"]);
  const line = await echo.stdout.next((text) => text.startsWith("listening "));
  await run(line.split(" ")[1] as string);
}

async function load(args: readonly string[], runtime: (typeof RUNTIMES)[number] = "bun") {
  await using weir = await Weir.start(["load", ...args], runtime);
  const [code, out, err] = await Promise.all([weir.exit(), weir.stdout.rest(), weir.stderr.rest()]);
  return { code, out, err };
}

test.each(RUNTIMES)("under %s: a table with a line for each scenario", (runtime) =>
  echoing("127.0.0.1:0", async (address) => {
    const { code, out } = await load([address, "-c", "4", "-s", "64", ...SHORT], runtime);
    const [header = "", row = "", ...others] = out.trimEnd().split("\n");
    expect(header.split(/ {2,}/)).toEqual([
      ...["scenario", "clients", "size", "requests", "requests/s", "p50", "p95", "p99", "error %"],
      ...["p99.9", "p99.99", "max"],
    ]);
    expect(row).toMatch(/^load +4 +64 B +[\d,]+ +[\d,]+( +[\d.]+(us|ms)){3} +0%/);
    expect(others).toEqual([]);
    expect(code).toBe(0);
  }),
);

describe("conditions", () => {
  test("that are met end with 0, others with 1, and each says what was measured", () =>
    echoing("127.0.0.1:0", async (address) => {
      const met = await load([address, ...SHORT, "--assert", "errors<=0", "--assert", "p50<10s"]);
      expect(met.code).toBe(0);
      expect(met.out).toMatch(/^load: met: errors<=0, measured 0$/m);
      const missed = await load([address, ...SHORT, "--assert", "p99.9<1us"]);
      expect(missed.code).toBe(1);
      expect(missed.out).toMatch(/^load: NOT MET: p99\.9<1us, measured [\d.]+(us|ms|s)$/m);
    }));

  test("nothing came back: 1, and why", async () => {
    const { code, out } = await load(["127.0.0.1:1", ...SHORT]);
    expect(code).toBe(1);
    expect(out).toMatch(/^load: \d+ failed: \d+ connection refused \(ECONNREFUSED\)$/m);
  });
});

test("--json is for programs", () =>
  echoing("udp://127.0.0.1:0", async (address) => {
    const { code, out } = await load([address, ...SHORT, "--rate", "200/s", "--json", "--assert", "errors<50%"]);
    const report = JSON.parse(out);
    expect(code).toBe(0);
    expect(report.ok).toBe(true);
    const [scenario] = report.scenarios;
    expect(scenario).toMatchObject({ name: "load", target: address, rate_wanted: 200, failed: 0, requests: 60 });
    expect(scenario.latency_ms["p99.99"]).toBeGreaterThan(0);
    expect(scenario.from_sending_ms.p50).toBeGreaterThan(0);
    expect(scenario.latency_hdr_us).toMatch(/^HISTF/);
    expect(scenario.assertions).toEqual([{ condition: "errors<50%", actual: 0, met: true }]);
  }));

test("a file of scenarios runs in its order, flags override it, and the page shows each", () =>
  echoing("127.0.0.1:0", async (address) => {
    const folder = await mkdtemp(join(tmpdir(), "weir-load-"));
    const [file, page] = [join(folder, "load.toml"), join(folder, "page.html")];
    await writeFile(
      file,
      `target_addr = "${address}"
[[scenarios]]
name = "first"
connections = 2
duration_secs = 60
message_size = 64
[[scenarios]]
name = "<b>second"
connections = 3
message_size = 2048
assert = ["errors<=0"]
`,
    );
    await writeFile(page, "something that was there before");
    const { code, out } = await load(["--scenarios", file, ...SHORT, "--html", page]);
    expect(out).toMatch(/^first +2 +64 B /m);
    expect(out).toMatch(/^<b>second +3 +2 KiB /m);
    expect(out).toContain("<b>second: met: errors<=0, measured 0");
    expect(code).toBe(0);
    const html = await readFile(page, "utf8");
    expect(html).toStartWith("<!doctype html>");
    expect(html).toContain("&#60;b&#62;second");
    expect(html).not.toContain("<b>second");
    expect(html).not.toContain("something that was there before");
    expect(html.match(/<svg /g)?.length).toBe(6);
    await rm(folder, { recursive: true });
  }));

test("a report that is longer than a pipe arrives whole, however late somebody reads it", () =>
  echoing("127.0.0.1:0", async (address) => {
    const folder = await mkdtemp(join(tmpdir(), "weir-load-"));
    const file = join(folder, "many.toml");
    const scenarios = Array.from({ length: 100 }, (_, n) => `[[scenarios]]\nname = "${n}"\nduration = "1ms"\n`);
    await writeFile(file, `target = "${address}"\n${scenarios.join("")}`);
    const args = ["load", "--scenarios", file, "--warmup", "0s", "--json", "--quiet"];
    const out = await readLate([...(await command("bun", "src/main.ts")), ...args]);
    expect(out.length).toBeGreaterThan(65_536);
    expect(JSON.parse(out).scenarios).toHaveLength(100);
    await rm(folder, { recursive: true });
  }));

test("Ctrl+C ends it with a report", () =>
  echoing("127.0.0.1:0", async (address) => {
    await using weir = await Weir.start([
      "load",
      address,
      "--duration",
      "10m",
      "--rate",
      "1000/s",
      "--engine",
      "portable",
    ]);
    // Nothing tells from outside that it runs but its clients: by then its handlers are in place.
    await using probe = await Weir.start(["load", address, "--duration", "1s", "--warmup", "0s"]);
    await probe.exit();
    weir.signal("SIGINT");
    const [code, out] = await Promise.all([weir.exit(), weir.stdout.rest()]);
    expect(out).toMatch(/^load +10 /m);
    expect([0, 1]).toContain(code);
  }));

describe("a bad command line", () => {
  test.each<[readonly string[], string]>([
    [
      [],
      'weir: scenario "load": there is no target; write where to ask, such as 127.0.0.1:8080, or "target" in the file',
    ],
    [["nowhere"], 'weir load: TARGET: Cannot parse address "nowhere": the port is missing; write "nowhere:PORT"'],
    [["1", "--assert", "p99"], 'Cannot parse the condition "p99": write one such as "p99<5ms"'],
    [["1", "--scenarios", "/nowhere.toml"], 'weir: Cannot read scenarios "/nowhere.toml": there is no such file'],
    [["1", "--matrix", "--scenarios", "x"], "weir load: --scenarios and --matrix both say what to run; keep one"],
    [["udp://127.0.0.1:9", "-s", "64KiB"], "a message of 65536 bytes is too big for a datagram; 65507 are the most"],
    [["1", "-s", "0"], "expected a whole number from 1 to 67108864"],
  ])("%p", async (args, message) => {
    const { code, err } = await load(args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});
