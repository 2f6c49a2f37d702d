/** TLS that passes through: real clients and servers, one weir between them that decrypts nothing; on each engine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { formatAddress, parseAddress } from "../../src/net/address.ts";
import { Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { compile } from "../contract/runtimes.ts";
import { helloFor } from "../tls/hellos.ts";
import type { Daemon } from "./daemon.ts";
import { client, curl, subjectAt, tlsServer } from "./tls-servers.ts";
import { haveTool } from "./tools.ts";
import { Weir } from "./weir.ts";

const HAVE_OPENSSL = haveTool("openssl");
const HAVE_CURL = haveTool("curl");
const linux = process.platform === "linux";

interface Way {
  readonly name: string;
  readonly start: (args: readonly string[]) => Promise<Weir>;
}

const under = (name: "bun" | "deno" | "node", engine: string): Way => ({
  name: `${engine}, ${name}`,
  start: (args) => Weir.start([...args, "--engine", engine], name),
});

let compiled: string | undefined;

function executable(): string {
  compiled ??= compile("src/main.ts", "adapters/linux/worker.ts");
  return compiled;
}

const WAYS: readonly Way[] = [
  ...(["bun", "deno", "node"] as const).map((name) => under(name, "portable")),
  ...(linux ? (["bun", "deno"] as const).map((name) => under(name, "native")) : []),
  ...(linux
    ? [
        {
          name: "native, compiled",
          start: async (args: readonly string[]) => Weir.spawn([executable(), ...args, "--engine", "native"]),
        },
      ]
    : []),
];

describe.skipIf(!HAVE_OPENSSL)("with servers of openssl", () => {
  let servers: Record<"one" | "two" | "wild" | "h2" | "rest", Daemon>;
  let directory: string;
  const port = ({ ports }: Daemon) => ports[0] as number;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "weir-sni-"));
    const [one, two, wild, h2, rest] = await Promise.all([
      tlsServer("one.test"),
      tlsServer("two.test"),
      tlsServer("wild.test"),
      tlsServer("h2.test", "h2"),
      tlsServer("rest.test", "http/1.1"),
    ]);
    servers = { one, two, wild, h2, rest };
  });
  afterAll(async () => {
    for (const server of Object.values(servers)) await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const config = (targets: string) => {
    const path = join(directory, `${crypto.randomUUID()}.toml`);
    writeFileSync(path, `[[proxy]]\nname = "front"\nlisten = "127.0.0.1:0"\ntargets = [${targets}]\n`);
    return path;
  };
  const named = () => `
    { address = "127.0.0.1:${port(servers.one)}", sni = ["one.test"] },
    { address = "127.0.0.1:${port(servers.two)}", sni = ["two.test", "*.two.test"] },
    { address = "127.0.0.1:${port(servers.wild)}", sni = ["*.test"] },`;
  const everyone = () => `${named()}
    { address = "127.0.0.1:${port(servers.h2)}", alpn = ["h2"] },
    "127.0.0.1:${port(servers.rest)}",`;

  describe.each(WAYS)("$name", ({ start }) => {
    const weirFor = (targets: string) =>
      start(["run", config(targets), "--metrics", "127.0.0.1:0", "--log-format", "json", "--log-level", "info"]);

    test("each client sees the certificate of the server that it asked for", async () => {
      await using weir = await weirFor(everyone());
      const at = await listening(weir);
      const seen = await Promise.all([
        subjectAt(at, "one.test"),
        subjectAt(at, "ONE.test", "-tls1_2"),
        subjectAt(at, "two.test"),
        subjectAt(at, "a.b.two.test"),
        subjectAt(at, "three.test"),
        subjectAt(at, "elsewhere.org", "-alpn", "h2,http/1.1"),
        subjectAt(at, "elsewhere.org", "-alpn", "http/1.1"),
        subjectAt(at),
      ]);
      const [one, two, wild, h2, rest] = ["one.test", "two.test", "wild.test", "h2.test", "rest.test"];
      expect(seen).toEqual([one, one, two, two, wild, h2, rest, rest]);
    });

    test.skipIf(!HAVE_CURL)("a verified page over HTTPS, and its record with the name", async () => {
      await using weir = await weirFor(everyone());
      const at = await listening(weir);
      const page = await curl("one.test", at, servers.one);
      expect([page.code, page.err]).toEqual([0, ""]);
      expect(page.out).toContain("s_server -accept");
      const access = JSON.parse(await weir.stdout.next((line) => line.includes('"access"')));
      expect(access).toMatchObject({
        proxy: "front",
        serverName: "one.test",
        target: `127.0.0.1:${port(servers.one)}`,
      });
      // The certificate is the server's own: another name does not fit it.
      expect((await curl("other.test", at, servers.wild)).code).toBe(60);
    });

    test("an unknown name gets the alert, and the record says so", async () => {
      await using weir = await weirFor(named());
      const at = await listening(weir);
      expect(await client(at, "example.org")).toMatch(/alert.*unrecognized name|unrecognized.name/i);
      const access = JSON.parse(await weir.stdout.next((line) => line.includes('"access"')));
      expect(access).toMatchObject({ reason: "no_route", serverName: "example.org", target: null });
      expect(await subjectAt(at, "one.test")).toBe("one.test");
    });
  });

  test("a real hello byte by byte; what is no TLS; and what is counted", async () => {
    await using weir = (await WAYS[0]?.start(["run", config(named()), "--metrics", "127.0.0.1:0"])) as Weir;
    const at = await listening(weir);
    const metrics = /\d+\.\d+\.\d+\.\d+:\d+/.exec(await weir.stdout.next((line) => line.startsWith("metrics ")))?.[0];
    const kit = new Kit(runtime);
    // A server that keeps what a real client says first.
    const said: Uint8Array[] = [];
    const trap = await kit.listen(parseAddress("127.0.0.1:0", "listen"), (socket) => {
      const probe = new Probe(socket);
      probe.raw = true;
      probe.onData = () => {
        said.push(probe.bytes.slice());
        probe.abort();
      };
    });
    if (trap.address.kind === "tcp") await client(trap.address.port, "two.test");
    const [hello = new Uint8Array(0)] = said;
    expect(hello.length).toBeGreaterThan(100);
    const slow = new Probe(await kit.connect({ kind: "tcp", host: "127.0.0.1", port: at }));
    slow.raw = true;
    for (const byte of hello) slow.socket.write(Uint8Array.of(byte));
    await slow.until(() => slow.received > 300, "the hello and the certificate of the server");
    expect(new TextDecoder("latin1").decode(slow.bytes.subarray(0, 3))).toBe("\x16\x03\x03");
    const plain = new Probe(await kit.connect({ kind: "tcp", host: "127.0.0.1", port: at }));
    plain.writeText("GET / HTTP/1.1\r\n\r\n");
    expect(await plain.untilClose()).toBe("ECONNRESET");
    await client(at, "example.org");
    const page = await (await fetch(`http://${metrics}/metrics`)).text();
    expect(page).toContain('weir_connections_failed_total{proxy="front",cause="no_route"} 1\n');
    expect(page).toContain('weir_connections_failed_total{proxy="front",cause="no_tls"} 1\n');
    expect(page).toContain('weir_tls_alerts_total{proxy="front"} 1\n');
    expect(page).not.toContain("example.org");
    const api = await (await fetch(`http://${metrics}/api/connections`)).json();
    expect(JSON.stringify(api)).toContain("two.test");
    await kit.clean();
  });

  test("a reload changes routes for the connections to come, and those that live go on", async () => {
    const path = config(named());
    await using weir = await Weir.start(["run", path, "--metrics", "off"]);
    const at = await listening(weir);
    expect(await subjectAt(at, "one.test")).toBe("one.test");
    writeFileSync(
      path,
      `[[proxy]]\nname = "front"\nlisten = "127.0.0.1:0"\ntargets = [{ address = "127.0.0.1:${port(servers.one)}", sni = ["new.test"] }, "127.0.0.1:${port(servers.rest)}"]\n`,
    );
    weir.signal("SIGHUP");
    await weir.stdout.next((line) => /reload/i.test(line));
    expect(await subjectAt(at, "new.test")).toBe("one.test");
    expect(await subjectAt(at, "one.test")).toBe("rest.test");
  });
});

test.each(linux ? ["portable", "native"] : ["portable"])(
  "who waits in the queue when targets get names is asked for one, and gets its own; engine: %s",
  async (engine) => {
    const kit = new Kit(runtime);
    const directory = kit.directory();
    const met: [string, Probe][] = [];
    let arrive = () => {};
    const target = async (name: string) => {
      const { address } = await kit.listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (socket) => {
        const probe = new Probe(socket, false);
        probe.raw = true;
        probe.resume();
        met.push([name, probe]);
        arrive();
      });
      return formatAddress(address);
    };
    const [one, two] = [await target("one"), await target("two")];
    const until = async (count: number) => {
      while (met.length < count) await new Promise<void>((resolve) => (arrive = resolve));
    };
    const path = join(directory, "weir.toml");
    const front = '[[proxy]]\nname = "front"\nlisten = "127.0.0.1:0"\n';
    writeFileSync(path, `${front}target = "${one}"\nmax_connections = 1\n`);
    await using weir = await Weir.start(["run", path, "--engine", engine, "--metrics", "127.0.0.1:0"]);
    const at = { kind: "tcp", host: "127.0.0.1", port: await listening(weir) } as const;
    const metrics = /\d+\.\d+\.\d+\.\d+:\d+/.exec(await weir.stdout.next((line) => line.startsWith("metrics ")))?.[0];
    const first = new Probe(await kit.connect(at));
    await until(1);
    const second = new Probe(await kit.connect(at));
    const hello = helloFor("b.example");
    second.socket.write(hello);
    const page = async () => await (await fetch(`http://${metrics}/metrics`)).text();
    while (!(await page()).includes('weir_queue_length{proxy="front"} 1\n')) await kit.busy(10);
    const targets = `{ address = "${one}", sni = ["a.example"] }, { address = "${two}", sni = ["b.example"] }`;
    writeFileSync(path, `${front}targets = [${targets}]\nmax_connections = 2\n`);
    weir.signal("SIGHUP");
    await until(2);
    const [name, probe] = met[1] as [string, Probe];
    await probe.until(() => probe.received === hello.length, "the hello");
    expect([met[0]?.[0], name, probe.bytes]).toEqual(["one", "two", hello]);
    first.abort();
    second.abort();
    await kit.clean();
  },
);

/** The port, whatever the log's format. */
async function listening(weir: Weir): Promise<number> {
  const line = await weir.stdout.next((text) => text.includes("listening"));
  return Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
}
