/** A weir with one of everything that is counted, after some traffic: what examples/monitoring has to fit. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { client } from "../e2e/tls-servers.ts";
import { run, Weir } from "../e2e/weir.ts";

export interface Monitored extends AsyncDisposable {
  /** `127.0.0.1:8998` */
  readonly admin: string;
  /** Lets some more pass, by TCP, over shared connections and by UDP. */
  traffic(): Promise<void>;
}

const PORTS = /:(\d+) -> /;

export async function monitored(): Promise<Monitored> {
  // What has been started goes also when the rest does not start.
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "weir-monitored-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const echo = stack.use(await Weir.start(["echo"]));
  const target = `127.0.0.1:${await echo.port()}`;
  await certificate(folder);
  const file = join(folder, "weir.toml");
  writeFileSync(file, configuration(target));
  const weir = stack.use(await Weir.start(["run", file]));
  const lines: string[] = [];
  while (!lines.at(-1)?.startsWith("metrics ")) lines.push(await weir.stdout.next());
  const port = (at: number) => Number(PORTS.exec(lines[at] ?? "")?.[1]);
  const bridge = Number(/bridging udp:\/\/127\.0\.0\.1:(\d+)/.exec(lines.join("\n"))?.[1]);
  const all = stack.move();
  return {
    admin: /http:\/\/([^/]+)/.exec(lines.at(-1) ?? "")?.[1] ?? "",
    async traffic() {
      const [web, tls, dns, mux] = listening(lines).map(port);
      await Promise.all([asked(web ?? 0), asked(mux ?? 0), client(tls ?? 0, "web.test")]);
      await Promise.all([datagram(dns ?? 0), datagram(bridge)]);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Where the lines of the proxies are, in their order. */
function listening(lines: readonly string[]): readonly number[] {
  return [...lines.keys()].filter((at) => lines[at]?.startsWith("listening "));
}

function configuration(target: string): string {
  return `
    [admin]
    listen = "127.0.0.1:0"

    [[proxy]]
    name = "web"
    listen = "127.0.0.1:0"
    targets = ["${target}", "unix:nobody.sock"]
    health = { interval = "100ms", fall = 1 }
    [[proxy.observer]]
    address = "file:/dev/null"

    [[proxy]]
    name = "secure"
    listen = "tls://127.0.0.1:0"
    targets = ["${target}"]
    tls.certificates = [{ certificate = "cert.pem", key = "key.pem" }]

    [[proxy]]
    name = "dns"
    listen = "udp://127.0.0.1:0"
    targets = ["${target}"]

    [[mux]]
    name = "switch"
    listen = "127.0.0.1:0"
    target = "${target}"
    protocol = "echo"

    [[udp]]
    name = "ais"
    from = ["udp://127.0.0.1:0"]
    to = ["listen://127.0.0.1:0"]
  `;
}

async function certificate(folder: string): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
  const about = ["-subj", "/CN=web.test", "-addext", "subjectAltName=DNS:web.test"];
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const made = await run(["openssl", "req", "-x509", ...curve, ...about, ...files]);
  if (made.code !== 0) throw new Error(made.err);
}

/** Sends a line and waits for it to come back, and for the end. */
function asked(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("hello\n"));
    socket.on("data", () => socket.end());
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}

async function datagram(port: number): Promise<void> {
  const socket = await Bun.udpSocket({ hostname: "127.0.0.1", connect: { hostname: "127.0.0.1", port } });
  socket.send("hello");
  socket.close();
}
