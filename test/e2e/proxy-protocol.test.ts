/** HAProxy and nginx understand what weir says about clients, and weir what they say; on each engine. */
import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runtime } from "#runtime";
import { formatAddress, type TcpAddress } from "../../src/net/address.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { begin, bytesOf, textOf, v1Ipv4 } from "../proxy/headers.ts";
import { ENGINES, World } from "../proxy/world.ts";
import { answers, Daemon, type Setup } from "./daemon.ts";
import { haveTool, nginxStream } from "./tools.ts";

const HAVE_HAPROXY = haveTool("haproxy");
const NGINX = await nginxStream();

/** A server whose configuration is text that ends with a unix socket that answers. */
function configured(
  ports: number,
  write: (ports: readonly number[], directory: string) => string,
  argv: string[],
): Setup {
  return {
    ports,
    async prepare(ports, directory) {
      const file = join(directory, "server.conf");
      await writeFile(file, write(ports, directory));
      return [...argv, file];
    },
    ready: (_, directory) => answers(join(directory, "ready.sock")),
  };
}

function haproxy(ports: number, write: (...ports: number[]) => string): Promise<Daemon> {
  const around = (ports: readonly number[], directory: string) => `
defaults
  mode tcp
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  unique-id-format %[uuid]
${write(...ports)}
listen ready
  mode http
  bind unix@${directory}/ready.sock
  http-request return status 200
`;
  return Daemon.start(configured(ports, around, ["haproxy", "-db", "-f"]));
}

function nginx(ports: number, write: (...ports: number[]) => string): Promise<Daemon> {
  const around = (ports: readonly number[], directory: string) => `
${NGINX.line}
daemon off;
master_process off;
pid ${directory}/nginx.pid;
events { worker_connections 256; }
stream {
  ${write(...ports)}
  server { listen unix:${directory}/ready.sock; return ready; }
}
`;
  return Daemon.start(configured(ports, around, ["nginx", "-e", "stderr", "-c"]));
}

/** A target behind another server. */
interface Collector extends AsyncDisposable {
  readonly port: number;
  /** What the next connection brings until its FIN; then it is ended. */
  next(): Promise<string>;
}

async function collector(): Promise<Collector> {
  const kit = new Kit(runtime);
  const came: Probe[] = [];
  const waiting: ((probe: Probe) => void)[] = [];
  const listener = await kit.listen(LOOPBACK, (socket) => {
    const probe = new Probe(socket);
    probe.raw = true;
    const first = waiting.shift();
    if (first) first(probe);
    else came.push(probe);
  });
  return {
    port: (listener.address as TcpAddress).port,
    async next() {
      const probe = came.shift() ?? (await new Promise<Probe>((resolve) => waiting.push(resolve)));
      await probe.untilEnd();
      probe.finish();
      return textOf(probe.bytes);
    },
    [Symbol.asyncDispose]: () => kit.clean(),
  };
}

const SERVER_OPTIONS = [
  "send-proxy",
  "send-proxy-v2",
  "send-proxy-v2 proxy-v2-options crc32c,unique-id",
  "send-proxy-v2 proxy-v2-options crc32c,unique-id,ssl,cert-cn,authority",
];

describe.each(ENGINES)("on the %s engine", (engine) => {
  const accepting = () => World.with(engine, { proxyProtocol: { acceptFrom: ["127.0.0.0/8"], timeout: 0 } });

  test.skipIf(!HAVE_HAPROXY)("HAProxy tells weir about its clients, over IPv4 and IPv6", async () => {
    await using it = await accepting();
    const backend = (options: string, n: number) => `
backend b${n}
  server weir 127.0.0.1:${it.proxy.port} ${options}`;
    const frontend = (port: number, n: number) => `
frontend f${n}
  bind 127.0.0.1:${port}
  bind [::1]:${port}
  default_backend b${n}`;
    await using server = await haproxy(SERVER_OPTIONS.length, (...ports) =>
      [...ports.map(frontend), ...SERVER_OPTIONS.map(backend)].join("\n"),
    );
    for (const port of server.ports) {
      for (const host of ["127.0.0.1", "::1"]) {
        await exchange(it, new Probe(await it.kit.connect({ kind: "tcp", host, port })));
      }
    }
  });

  test.skipIf(!HAVE_HAPROXY)("HAProxy's own checks come as LOCAL, and weir takes them for what they are", async () => {
    await using it = await accepting();
    const check = "check inter 20ms send-proxy-v2 check-send-proxy";
    await using _ = await haproxy(0, () => `backend b\n  server weir 127.0.0.1:${it.proxy.port} ${check}`);
    // One that has got as far as the target: its header was taken.
    (await it.target()).resume();
    for (let n = 0; n < 5; n++) {
      const { client, reason, bytesUpstream } = await it.record();
      expect(["client_closed", "client_reset", "client_gone"]).toContain(reason);
      // It hangs up at once, perhaps before its address can be asked for.
      expect(client).toMatch(/^(127\.0\.0\.1:\d+|unknown)$/);
      expect(bytesUpstream).toBe(0);
    }
  });

  test.skipIf(!HAVE_HAPROXY)("HAProxy understands what weir says about clients, and about theirs", async () => {
    await using target = await collector();
    await using server = await haproxy(1, (port) => {
      const frontend = `frontend f\n  bind 127.0.0.1:${port} accept-proxy\n  default_backend b`;
      return `${frontend}\nbackend b\n  server target 127.0.0.1:${target.port} send-proxy`;
    });
    for (const send of ["v1", "v2"] as const) {
      for (const listen of ["127.0.0.1:0", "[::1]:0"]) {
        const to = [`127.0.0.1:${server.ports[0]}`];
        await using it = await World.with(engine, { proxyProtocol: { send } }, to, listen);
        expect(await deliver(it, target)).toBe("PROXY SELF\r\nhello");
        const accepting = { send, acceptFrom: ["127.0.0.0/8", "::1"] };
        await using both = await World.with(engine, { proxyProtocol: accepting }, to, listen);
        for (const header of [v1Ipv4("203.0.113.7"), bytesOf("PROXY TCP6 2001:db8::7 ::1 5000 443\r\n")]) {
          expect(await deliver(both, target, header)).toBe(`${textOf(header)}hello`);
        }
        expect(await deliver(both, target, bytesOf("PROXY UNKNOWN\r\n"))).toBe("PROXY SELF\r\nhello");
      }
    }
  });

  test.skipIf(!NGINX.there)("nginx tells weir about its clients", async () => {
    await using it = await accepting();
    await using server = await nginx(1, (port) => {
      const tell = `proxy_pass 127.0.0.1:${it.proxy.port}; proxy_protocol on; proxy_half_close on;`;
      return `server { listen 127.0.0.1:${port}; listen [::1]:${port}; ${tell} }`;
    });
    for (const host of ["127.0.0.1", "::1"]) {
      const client = new Probe(await it.kit.connect({ kind: "tcp", host, port: server.ports[0] ?? 0 }));
      await exchange(it, client);
    }
  });

  test.skipIf(!NGINX.there)("nginx understands what weir says about clients, and about theirs", async () => {
    await using target = await collector();
    await using server = await nginx(2, (told, passed) => {
      const words = ["addr", "port", "server_addr", "server_port"].map((word) => `$proxy_protocol_${word}`).join(" ");
      const pass = `set_real_ip_from 127.0.0.0/8; proxy_pass 127.0.0.1:${target.port}; proxy_half_close on;`;
      return `
  server { listen 127.0.0.1:${told} proxy_protocol; return "${words}"; }
  server { listen 127.0.0.1:${passed} proxy_protocol; ${pass} proxy_protocol on; }`;
    });
    const [told, passed] = server.ports.map((port) => [`127.0.0.1:${port}`]);
    for (const send of ["v1", "v2"] as const) {
      for (const [listen, host] of [
        ["127.0.0.1:0", "127.0.0.1"],
        ["[::1]:0", "::1"],
      ]) {
        await using telling = await World.with(engine, { proxyProtocol: { send } }, told, listen);
        const client = await telling.client();
        client.raw = true;
        await client.untilEnd();
        const { port } = client.socket.local as TcpAddress;
        expect(textOf(client.bytes)).toBe(`${host} ${port} ${host} ${telling.proxy.port}`);
      }
      const accepting = { send, acceptFrom: ["127.0.0.0/8"] };
      await using it = await World.with(engine, { proxyProtocol: accepting }, passed);
      // nginx has its own address for the destination.
      const line = `PROXY TCP4 203.0.113.7 127.0.0.1 5000 ${server.ports[1]}\r\n`;
      expect(await deliver(it, target, v1Ipv4("203.0.113.7"))).toBe(`${line}hello`);
    }
  });
});

/** Bytes both ways and both FINs, for a client that came through another server: weir knows the client all the same. */
async function exchange(it: World, client: Probe): Promise<void> {
  const name = formatAddress(client.socket.local);
  client.write(200_000);
  client.finish();
  const target = await it.target();
  target.resume();
  await target.untilEnd();
  target.write(100_000);
  target.finish();
  await client.untilClose();
  expect([target.received, client.received]).toEqual([200_000, 100_000]);
  const moved = { bytesUpstream: 200_000, bytesDownstream: 100_000 };
  expect(await it.record()).toMatchObject({ client: name, reason: "client_closed", ...moved });
}

/**
 * What a target behind another server is sent for a client that says `header` and hello, with the words of the
 * connection itself replaced by SELF.
 */
async function deliver(it: World, target: Collector, header: Uint8Array = new Uint8Array(0)): Promise<string> {
  const client = await it.client();
  const { host, port } = client.socket.local as TcpAddress;
  begin(client, header);
  client.writeText("hello");
  client.finish();
  const text = await target.next();
  await client.untilClose();
  const self = `TCP${host.includes(":") ? 6 : 4} ${host} ${host} ${port} ${it.proxy.port}`;
  return text.replace(self, "SELF");
}
