/** The UDP relay as a process, between other people's programs. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { Daemon } from "./daemon.ts";
import { haveTool } from "./tools.ts";
import { run, Weir } from "./weir.ts";

const there = haveTool("dnsmasq") && haveTool("dig");

/** Knows one.test, and a name with a long text, which makes a large answer. */
function dnsmasq(address: string): Promise<Daemon> {
  return Daemon.start({
    ports: 1,
    async prepare([port]) {
      const where = [`--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file="];
      const texts = Array.from({ length: 12 }, (_, n) => `--txt-record=long.test,${String(n).padStart(200, "x")}`);
      const what = ["--no-resolv", "--no-hosts", "--local=/test/", `--address=/one.test/${address}`, ...texts];
      return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--edns-packet-max=4096", ...where, ...what];
    },
    async ready([port]) {
      const asked = runtime.resolve("one.test", { servers: [`127.0.0.1:${port}`], timeout: 200 });
      return await asked.then(
        () => true,
        () => false,
      );
    },
  });
}

const RUNS = [
  ["bun", "portable"],
  ["bun", "native"],
  ["deno", "native"],
  ["node", "portable"],
] as const;

test.skipIf(!there).each(RUNS)("dig asks dnsmasq through weir, under %s, %s", async (name, engine) => {
  await using one = await dnsmasq("10.0.0.1");
  await using two = await dnsmasq("10.0.0.1");
  const directory = mkdtempSync(join(tmpdir(), "weir-dns-"));
  const file = join(directory, "weir.toml");
  const targets = [one, two].map(({ ports }) => `"127.0.0.1:${ports[0]}"`).join(", ");
  // Clients do not say goodbye: without this it would wait for their sessions to be idle.
  const stop = '[shutdown]\ngrace = "0s"\n';
  writeFileSync(file, `${stop}[[proxy]]\nname = "dns"\nlisten = "udp://127.0.0.1:0"\ntargets = [${targets}]\n`);
  try {
    await using weir = await Weir.start(["run", file, "--engine", engine, "--metrics", "127.0.0.1:0"], name);
    const line = await weir.stdout.next((text) => text.startsWith("listening "));
    expect(line).toContain("udp://127.0.0.1:");
    const port = /udp:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? "";
    const dig = (...what: string[]) => run(["dig", "+tries=1", "+time=5", "-p", port, "@127.0.0.1", ...what]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => dig("+short", "one.test")));
    expect(answers.map(({ out }) => out.trim())).toEqual(Array(10).fill("10.0.0.1"));
    // Larger than a frame of Ethernet: in one datagram all the same.
    const long = await dig("+notcp", "+ignore", "+bufsize=4096", "+short", "TXT", "long.test");
    expect(long.out.trim().split("\n")).toHaveLength(12);
    const admin = await weir.stdout.next((text) => text.includes("/metrics"));
    const url = /http:\/\/[^\s/]+/.exec(admin)?.[0] ?? "";
    const page = await (await fetch(`${url}/metrics`)).text();
    const sum = [...page.matchAll(/^weir_datagrams_total\{.*target=.*direction="downstream"\} (\d+)$/gm)];
    expect(sum.reduce((total, [, count]) => total + Number(count), 0)).toBe(11);
    expect(page).toContain('weir_datagrams_overrun_total{proxy="dns",direction="upstream"} 0');
    const list = (await (await fetch(`${url}/api/connections`)).json()) as { total: number };
    expect(list.total).toBe(11);
    weir.signal("SIGTERM");
    expect(await weir.exit()).toBe(0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
