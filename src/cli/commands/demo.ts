/** `weir demo`: echo servers, a proxy and its dashboard in one process, and traffic to look at. */
import { type Config, DEFAULTS, plainTarget } from "../../config/config.ts";
import { startEngine } from "../../engine/engine.ts";
import { formatBytes } from "../../metrics/totals.ts";
import { type Address, formatAddress, type ListenAddress } from "../../net/address.ts";
import type { Runtime } from "../../net/runtime.ts";
import { EchoServer } from "../../proxy/echo.ts";
import { logOptions } from "../config-flags.ts";
import { type CommandRun, stopSignals } from "../context.ts";
import type { Host } from "../host.ts";
import { Service } from "../service.ts";
import { startTraffic } from "./demo-traffic.ts";

const ANY_PORT: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };
const CLIENTS = 10;
const BYTES = 5_000_000;
/** What every client sends, over and over; its odd length makes a lost or moved byte show. */
const BLOCK = Uint8Array.from({ length: 65_521 }, (_, index) => index * 31);

export const demo: CommandRun = async ({ runtime, openThreads, host, line }) => {
  const signals = stopSignals(host);
  const echoes = await Promise.all([1, 2].map(() => EchoServer.open(runtime, ANY_PORT)));
  const targets = echoes.map(({ address }) => plainTarget(address));
  const config: Config = {
    admin: { listen: ANY_PORT, explicit: true, tokenEnv: null },
    log: { ...logOptions(line), summaryInterval: 0 },
    engine: DEFAULTS.engine,
    shutdown: { grace: 1_000 },
    toxiproxy: null,
    seed: null,
    proxies: [{ ...DEFAULTS.proxy, name: "demo", listen: ANY_PORT, targets }],
    bridges: [],
  };
  const front = dashboardFirst(host);
  const choice = await startEngine(runtime, openThreads, config.engine);
  const service = await Service.start(runtime, choice, front.host, config);
  front.show();
  const proxy = service.proxies[0]?.address ?? ANY_PORT;
  const start = runtime.now();
  const intact = await Promise.all(Array.from({ length: CLIENTS }, () => exchange(runtime, proxy)));
  const seconds = (runtime.now() - start) / 1_000;
  const good = intact.every(Boolean);
  if (config.log.level !== "error") {
    report(host, service, seconds, good);
    suggest(host, formatAddress(proxy), service.admin ? formatAddress(service.admin.address) : "");
  }
  const endTraffic = proxy.kind === "udp" ? () => {} : startTraffic(runtime, proxy);
  await Promise.race([signals.first, service.drained, after(runtime, Number(line.flags.seconds ?? 0))]);
  endTraffic();
  await service.stop(signals.again);
  await Promise.all(echoes.map((echo) => echo.stop(0, signals.again)));
  return good ? 0 : 1;
};

/** Holds back what is said at the start until `show`, which puts the address to look at in front of it. */
function dashboardFirst(host: Host): { readonly host: Host; show(): void } {
  const held: string[] = [];
  let out = (line: string): void => void held.push(line);
  return {
    host: { ...host, out: (line) => out(line) },
    show() {
      const at = held.findIndex((line) => line.startsWith("dashboard "));
      for (const line of [...held.splice(at, at < 0 ? 0 : 1), ...held]) host.out(line);
      out = host.out;
    },
  };
}

/** Sends bytes through the proxy to an echo server and compares what comes back. */
async function exchange(runtime: Runtime, to: ListenAddress): Promise<boolean> {
  if (to.kind === "udp") return false;
  const { noDelay, keepAlive, buffer } = DEFAULTS.proxy;
  const socket = await runtime.connect(to, { noDelay, keepAlive, buffer, timeout: 5_000 }).socket;
  let [sent, received, wrong] = [0, 0, 0];
  const send = () => {
    let open = true;
    while (open && sent < BYTES) {
      const part = BLOCK.subarray(0, Math.min(BLOCK.length, BYTES - sent));
      sent += part.length;
      open = socket.write(part);
    }
    if (sent === BYTES) socket.end();
  };
  return await new Promise((resolve) => {
    socket.on({
      data(bytes) {
        for (let i = 0, at = received % BLOCK.length; i < bytes.length; i++) {
          if (bytes[i] !== BLOCK[at]) wrong++;
          if (++at === BLOCK.length) at = 0;
        }
        received += bytes.length;
      },
      drain: send,
      end() {},
      close: () => resolve(received === BYTES && wrong === 0),
    });
    socket.resume();
    send();
  });
}

function report(host: Host, service: Service, seconds: number, good: boolean): void {
  const sum = service.totals;
  const both = sum.bytesUpstream + sum.bytesDownstream;
  host.out("");
  host.out(`${CLIENTS} clients sent ${formatBytes(BYTES)} each through the proxy to two echo servers and got it back.`);
  host.out(`  connections  ${sum.connectionsTotal}`);
  host.out(`  upstream     ${formatBytes(sum.bytesUpstream)}`);
  host.out(`  downstream   ${formatBytes(sum.bytesDownstream)}`);
  host.out(`  time         ${seconds.toFixed(3)} s, ${formatBytes(both / seconds)} per second`);
  host.out(`  checked      ${good ? "every byte came back as it was sent" : "BYTES WERE LOST OR CHANGED"}`);
  host.out("");
}

function suggest(host: Host, proxy: string, admin: string): void {
  const [name = "", port = ""] = proxy.split(/:(?=\d+$)/);
  if (admin) host.out(`It keeps running, with some traffic: open http://${admin}/ in a browser to see it, or try`);
  host.out(`  echo hello | nc -N ${name} ${port}`);
  host.out(`  curl http://${admin}/metrics`);
  host.out(`  curl http://${admin}/api/connections`);
  host.out("and then your own: weir tcp 127.0.0.1:8080 YOUR-SERVER:PORT");
  host.out("Ctrl+C ends it.");
}

/** Never, if `seconds` is 0. */
function after(runtime: Runtime, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (seconds > 0) runtime.after(seconds * 1_000, resolve);
  });
}
