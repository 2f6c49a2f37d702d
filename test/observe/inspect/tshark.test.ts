/** Captures, read by tshark: what it sees is what was said, and it has nothing to complain of. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InspectConfig } from "../../../src/observe/inspect/inspect-config.ts";
import { initialSequences } from "../../../src/observe/inspect/pcap.ts";
import { haveTool } from "../../e2e/tools.ts";
import { run } from "../../e2e/weir.ts";
import { bytes, InspectWorld, play, tcp } from "./world.ts";

const WANTED = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-n"];
/** Of _ws.expert.severity: a warning, or worse. */
const WARNING = "_ws.expert.severity >= 0x600000";

/** What tshark says of a capture, in lines. */
async function tshark(capture: Uint8Array, ...args: readonly string[]): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "weir-tshark-"));
  try {
    const path = join(directory, "x.pcap");
    await Bun.write(path, capture);
    const { code, out, err } = await run(["tshark", "-r", path, ...WANTED, ...args]);
    expect(`${code} ${err.replace(/^Running as user.*\n/m, "")}`).toBe("0 ");
    return out.split("\n").filter((line) => line !== "");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function fields(...names: readonly string[]): string[] {
  return ["-T", "fields", "-E", "separator=|", ...names.flatMap((name) => ["-e", name])];
}

/** Warnings, and checksums that are not right. */
async function complaints(capture: Uint8Array): Promise<string[]> {
  const wrong = `${WARNING} or tcp.checksum.status != 1 or (ip and ip.checksum.status != 1) or tcp.analysis.flags`;
  return await tshark(capture, "-Y", wrong, ...fields("frame.number", "_ws.expert.message"));
}

function capture(config: Partial<InspectConfig>, talk: (world: InspectWorld) => void): Uint8Array {
  const world = new InspectWorld({ format: "pcap", ...config });
  talk(world);
  return world.files.read("record");
}

const PAGE = "x".repeat(200_000);
const HTTP = [
  ["upstream", bytes("GET /page HTTP/1.1\r\nHost: exa")],
  ["upstream", bytes("mple.org\r\n\r\n")],
  ["downstream", bytes(`HTTP/1.1 200 OK\r\nContent-Length: ${PAGE.length}\r\n\r\n`)],
  ["downstream", bytes(PAGE)],
  ["upstream", bytes("DELETE /page HTTP/1.1\r\nHost: example.org\r\n\r\n")],
  ["downstream", bytes("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")],
] as const;
const REDIS = [
  ["upstream", bytes("*2\r\n$3\r\nGET\r\n$1\r\na\r\n")],
  ["downstream", bytes("$5\r\nhello\r\n")],
  ["upstream", bytes("*1\r\n$4\r\nPING\r\n")],
  ["downstream", bytes("+PONG\r\n")],
] as const;

describe.skipIf(!haveTool("tshark"))("tshark", () => {
  test("reads a session of HTTP", async () => {
    const http = capture({}, (world) => play(world.session(), HTTP));
    expect(await complaints(http)).toEqual([]);
    const messages = fields("http.request.method", "http.request.uri", "http.response.code", "http.file_data");
    const lines = await tshark(http, "-Y", "http", ...messages);
    expect(lines.map((line) => line.replace(/x{3,}|(78){3,}/, "…"))).toEqual([
      "GET|/page||",
      "||200|…",
      "DELETE|/page||",
      "||404|",
    ]);
  });

  test("reads a session of Redis over IPv6", async () => {
    const ends = { client: tcp("2001:db8::5", 40_000), local: tcp("10.0.0.1", 6_379) };
    const redis = capture({}, (world) => play(world.session(ends), REDIS));
    expect(await complaints(redis)).toEqual([]);
    const said = fields("frame.protocols", "resp.bulk_string.value", "resp.string", "ipv6.src");
    expect(await tshark(redis, "-Y", "tcp.len > 0", ...said)).toEqual([
      `raw:ipv6:tcp:resp|${[bytes("GET"), bytes("a")].map((word) => word.toHex())}||2001:db8::5`,
      `raw:ipv6:tcp:resp|${bytes("hello").toHex()}||::ffff:10.0.0.1`,
      `raw:ipv6:tcp:resp|${bytes("PING").toHex()}||2001:db8::5`,
      "raw:ipv6:tcp:resp||PONG|::ffff:10.0.0.1",
    ]);
  });

  test("keeps apart sessions side by side, and those that come again from the same port", async () => {
    const many = capture({}, (world) => {
      const [a, b] = [world.session({ id: 1 }), world.session({ id: 2, client: tcp("127.0.0.1", 50_001) })];
      for (const [direction, chunk] of HTTP.slice(0, 3)) for (const each of [b, a]) each.saw(direction, chunk);
      play(a, []);
      play(b, HTTP.slice(3));
      play(world.session({ id: 3 }), HTTP);
    });
    expect(await tshark(many, "-Y", WARNING)).toEqual([]);
    const requests = await tshark(many, "-Y", "http.request", ...fields("tcp.stream", "http.request.method"));
    expect(requests).toEqual(["1|GET", "0|GET", "1|DELETE", "2|GET", "2|DELETE"]);
  });

  test("reads sessions over unix sockets", async () => {
    const unix = { kind: "unix", path: "" } as const;
    const http = capture({}, (world) => play(world.session({ client: unix, local: unix }), HTTP));
    expect(await complaints(http)).toEqual([]);
    expect(await tshark(http, "-Y", "http.request", ...fields("http.request.method"))).toEqual(["GET", "DELETE"]);
  });

  test("shows a reset as one, and nothing else that is odd", async () => {
    const reset = capture({}, (world) => {
      const session = world.session();
      for (const [direction, chunk] of REDIS) session.saw(direction, chunk);
      session.ended("upstream");
      session.closed({ reason: "target_reset", error: "ECONNRESET" });
    });
    const warnings = await tshark(reset, "-Y", WARNING, ...fields("_ws.expert.message", "tcp.flags.reset"));
    expect(warnings).toEqual(["Connection reset (RST)|1"]);
  });

  test("gives back the streams as they were, across 2^32 and across packets", async () => {
    let id = 1;
    while (initialSequences(id).downstream < 2 ** 32 - 100_000) id++;
    const chunk = Uint8Array.from({ length: 150_001 }, (_, index) => index * 31);
    const long = capture({}, (world) => {
      const session = world.session({ id });
      play(session, [
        ["upstream", bytes("ask")],
        ["downstream", chunk],
        ["upstream", bytes("more")],
      ]);
    });
    expect(await complaints(long)).toEqual([]);
    const lines = await tshark(long, "-Y", "tcp.len > 0 and tcp.srcport == 8080", ...fields("tcp.payload"));
    expect(lines.join("")).toBe(chunk.toHex());
  });

  test("reads a file that begins in the middle of a session", async () => {
    const world = new InspectWorld({ format: "pcap", maxSize: 4_096, keep: 100 });
    const session = world.session();
    for (let round = 0; round < 30; round++) for (const [direction, chunk] of REDIS) session.saw(direction, chunk);
    play(session, []);
    expect(world.files.names.length).toBeGreaterThan(2);
    for (const name of world.files.names) expect(await complaints(world.files.read(name))).toEqual([]);
  });

  test("sees where bytes are missing, because max_bytes was reached", async () => {
    const cut = capture({ maxBytes: 10_000 }, (world) => play(world.session(), HTTP));
    const found = await tshark(cut, "-Y", "frame.cap_len < frame.len", ...fields("frame.number"));
    expect(found).toHaveLength(1);
    const missing = await tshark(cut, "-Y", "tcp.analysis.lost_segment", ...fields("tcp.flags.fin"));
    expect(missing[0]).toBe("1");
  });
});
