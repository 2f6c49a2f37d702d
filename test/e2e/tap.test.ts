/** `weir tap` between real programs, what Wireshark's tshark makes of it, and `weir replay` of the same. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Daemon } from "./daemon.ts";
import { haveTool } from "./tools.ts";
import { run, Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-tap-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const CHECKED = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-n"];

async function tshark(path: string, filter: string, ...fields: readonly string[]): Promise<string[]> {
  const wanted = ["-T", "fields", "-E", "separator=|", ...fields.flatMap((field) => ["-e", field])];
  const { code, out, err } = await run(["tshark", "-r", path, ...CHECKED, "-Y", filter, ...wanted]);
  expect(code, err).toBe(0);
  return out.split("\n").filter((line) => line !== "");
}

/** Warnings and worse, and wrong checksums: there are none. */
function complaints(path: string): Promise<string[]> {
  return tshark(
    path,
    "_ws.expert.severity >= 0x600000 or tcp.checksum.status == 0",
    "frame.number",
    "_ws.expert.message",
  );
}

/** A tap in front of `target`, until it is disposed of. */
async function tap(target: string, file: string, format: string) {
  const path = join(directory, file);
  const weir = await Weir.start([
    "tap",
    "127.0.0.1:0",
    target,
    "--format",
    format,
    "--out",
    path,
    "--log",
    "connections",
  ]);
  return {
    path,
    port: await weir.port(),
    /** Ends it when so many connections are over, so that everything is written. */
    async done(connections: number) {
      for (let n = 0; n < connections; n++) await weir.stdout.next((line) => line.includes("ConnectionClosed"));
      weir.signal("SIGTERM");
      expect(await weir.exit()).toBe(0);
    },
    [Symbol.asyncDispose]: () => weir[Symbol.asyncDispose](),
  };
}

function web() {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => new Response(`${request.method} ${new URL(request.url).pathname} ${"x".repeat(100_000)}`),
  });
  return { address: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

describe.skipIf(!haveTool("tshark"))("tshark reads", () => {
  test.skipIf(!haveTool("curl"))("a session of HTTP", async () => {
    using server = web();
    await using it = await tap(server.address, "web.pcap", "pcap");
    const at = `http://127.0.0.1:${it.port}`;
    const { code } = await run([
      "curl",
      "-sS",
      "--http1.1",
      `${at}/one`,
      `${at}/two`,
      "-o",
      "/dev/null",
      "-o",
      "/dev/null",
    ]);
    expect(code).toBe(0);
    await it.done(1);
    expect(await complaints(it.path)).toEqual([]);
    expect(await tshark(it.path, "http", "http.request.uri", "http.response.code")).toEqual([
      "/one|",
      "|200",
      "/two|",
      "|200",
    ]);
    const streams = await tshark(it.path, "tcp.flags.syn == 1 and tcp.flags.ack == 0", "tcp.stream", "tcp.dstport");
    expect(streams).toEqual([`0|${it.port}`]);
  });

  test.skipIf(!haveTool("redis-server") || !haveTool("redis-cli"))("a session of Redis", async () => {
    await using redis = await Daemon.start({
      ports: 1,
      prepare: async ([port]) => ["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--save", ""],
      ready: async ([port]) => (await run(["redis-cli", "-p", String(port), "PING"])).out === "PONG\n",
    });
    await using it = await tap(`127.0.0.1:${redis.ports[0]}`, "redis.pcap", "pcap");
    const cli = (...command: readonly string[]) => run(["redis-cli", "-p", String(it.port), ...command]);
    expect((await cli("SET", "colour", "red")).out).toBe("OK\n");
    expect((await cli("GET", "colour")).out).toBe("red\n");
    await it.done(2);
    expect(await complaints(it.path)).toEqual([]);
    // Its dissector goes by the port.
    const decoded = ["-d", `tcp.port==${it.port},resp`, "-Y", "resp"];
    const { out } = await run([
      "tshark",
      "-r",
      it.path,
      ...CHECKED,
      ...decoded,
      "-T",
      "fields",
      "-e",
      "resp.bulk_string.value",
      "-e",
      "resp.string",
    ]);
    expect(out).toContain(Buffer.from("colour").toString("hex"));
    expect(out).toContain("OK");
  });
});

test("what was recorded is played again, and compared", async () => {
  using server = web();
  await using it = await tap(server.address, "web.jsonl", "jsonl");
  const pages = await Promise.all(
    ["/a", "/b"].map((path) => fetch(`http://127.0.0.1:${it.port}${path}`, { headers: { connection: "close" } })),
  );
  for (const page of pages) await page.text();
  await it.done(2);
  expect(readFileSync(it.path, "utf8")).toContain('"direction":"upstream"');
  using same = web();
  const speed = ["--speed", "max"];
  expect((await Weir.run("replay", it.path, same.address, ...speed)).code).toBe(0);
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("something else") });
  const { code, out } = await Weir.run(
    "replay",
    it.path,
    `127.0.0.1:${other.port}`,
    ...speed,
    "--compare",
    "--timeout",
    "1s",
  );
  expect(code).toBe(1);
  expect(out).toMatch(/different from byte|timed out/);
  await other.stop(true);
});

test("a dump goes to standard output, and everything else to standard error", async () => {
  using server = web();
  await using weir = await Weir.start([
    "tap",
    "127.0.0.1:0",
    server.address,
    "--direction",
    "upstream",
    "--max-bytes",
    "20B",
  ]);
  const listening = await weir.stderr.next((line) => line.startsWith("listening "));
  const port = /:(\d+)/.exec(listening)?.[1];
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  expect(await weir.stdout.next((line) => line.includes("47 45 54"))).toContain("|GET / HTTP/1.1");
  weir.signal("SIGTERM");
  expect(await weir.exit()).toBe(0);
  expect(await weir.stdout.rest()).not.toContain("listening");
});
