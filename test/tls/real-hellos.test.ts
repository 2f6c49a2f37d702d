/** What real clients say first, caught on the loopback: what is read from it is what they were told to say. */
import { describe, expect, test } from "bun:test";
import { connect } from "node:tls";
import * as fc from "fast-check";
import { runtime } from "#runtime";
import { HelloReader, type HelloReading } from "../../src/tls/client-hello.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { haveTool } from "../e2e/tools.ts";
import { run } from "../e2e/weir.ts";

/** Runs a client against a listener that hangs up once the hello is there: the bytes, and what was read from them. */
async function caught(client: (port: number) => unknown): Promise<{ bytes: Uint8Array; reading: HelloReading }> {
  const kit = new Kit(runtime);
  const { promise, resolve } = Promise.withResolvers<{ bytes: Uint8Array; reading: HelloReading }>();
  const listener = await kit.listen(LOOPBACK, (socket) => {
    const probe = new Probe(socket, false);
    const reader = new HelloReader();
    probe.raw = true;
    probe.onData = () => {
      const reading = reader.read(probe.bytes);
      if (reading.kind === "more") return;
      resolve({ bytes: probe.bytes, reading });
      probe.abort();
    };
    probe.resume();
  });
  const { address } = listener;
  const ran = client(address.kind === "tcp" ? address.port : 0);
  const result = await promise;
  await ran;
  await kit.clean();
  return result;
}

const openssl = (...flags: string[]) => {
  // Debian's setting would offer older ones as well.
  const least = ["-min_protocol", "TLSv1.2"];
  return (port: number) => run(["openssl", "s_client", "-connect", `127.0.0.1:${port}`, ...least, ...flags], "");
};

const curl = (...flags: string[]) => {
  return (port: number) =>
    run(["curl", "-sk", ...flags, "--resolve", `a.example:${port}:127.0.0.1`, `https://a.example:${port}/`]);
};

const SOURCE = `const [port, alpn] = process.argv.slice(-2);
  const options = { host: "127.0.0.1", port: Number(port), servername: "node.example", ALPNProtocols: alpn.split("+") };
  require("node:tls").connect(options).on("error", () => {});`;

const bun = (port: number) =>
  new Promise<void>((resolve) => {
    const options = { host: "127.0.0.1", port, servername: "bun.example", ALPNProtocols: ["h2", "http/1.1"] };
    connect(options)
      .on("error", () => {})
      .on("close", () => resolve());
  });

const BOTH = [0x0304, 0x0303];

describe.each<[string, boolean, (port: number) => unknown, Partial<HelloReading>]>([
  [
    "openssl",
    haveTool("openssl"),
    openssl("-servername", "A.Example", "-alpn", "h2,http/1.1"),
    { serverName: "a.example", alpn: ["h2", "http/1.1"], versions: BOTH },
  ],
  [
    "openssl without a name",
    haveTool("openssl"),
    openssl("-noservername"),
    { serverName: null, alpn: [], versions: BOTH },
  ],
  [
    "openssl with TLS 1.2",
    haveTool("openssl"),
    openssl("-max_protocol", "TLSv1.2", "-servername", "old.example"),
    { serverName: "old.example", versions: [0x0303] },
  ],
  ["curl", haveTool("curl"), curl("--http2"), { serverName: "a.example", alpn: ["h2", "http/1.1"] }],
  ["curl with HTTP/1.1", haveTool("curl"), curl("--http1.1"), { serverName: "a.example", alpn: ["http/1.1"] }],
  [
    "Node",
    haveTool("node"),
    (port) => run(["node", "-e", SOURCE, String(port), "h2+imap"]),
    { serverName: "node.example", alpn: ["h2", "imap"] },
  ],
  ["Bun", true, bun, { serverName: "bun.example", alpn: ["h2", "http/1.1"] }],
])("%s", (_, there, client, said) => {
  test.skipIf(!there)("is understood, and however its bytes are cut or spoilt nothing breaks", async () => {
    const { bytes, reading } = await caught(client);
    expect(reading).toMatchObject({ kind: "hello", ech: false, ...said });
    const read = (bytes: Uint8Array, cuts: readonly number[]) => {
      const reader = new HelloReader();
      let last: HelloReading = { kind: "more" };
      for (const end of [...cuts, bytes.length]) if (last.kind === "more") last = reader.read(bytes.subarray(0, end));
      return last;
    };
    const at = fc.integer({ min: 0, max: bytes.length - 1 });
    const cuts = fc.array(at, { maxLength: 10 }).map((list) => list.sort((a, b) => a - b));
    const spoilt = fc.array(fc.tuple(at, fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
    fc.assert(
      fc.property(cuts, spoilt, (cuts, changes) => {
        const other = bytes.slice();
        for (const [at, value] of changes) other[at] = value;
        expect(read(bytes, cuts)).toEqual(reading);
        expect(read(other, cuts)).toEqual(read(other, []));
      }),
      { numRuns: 300 },
    );
  });
});
