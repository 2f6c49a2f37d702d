/** The native engine with two workers, a proxy on it, and a target that sends everything back. */
import { test } from "bun:test";
import { runtime } from "#runtime";
import { openThreads } from "../../adapters/linux/native.ts";
import { DEFAULTS, type ProxyConfig, plainTarget } from "../../src/config/config.ts";
import { NativeEngine } from "../../src/engine/native.ts";
import type { Address } from "../../src/net/address.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";

const WORKERS = 2;

/** There is no native engine anywhere else. */
export const linux = test.skipIf(process.platform !== "linux");

/** `entry`: another file for the workers. */
export async function world(entry?: URL, listen: Address = LOOPBACK, settings: Partial<ProxyConfig> = {}) {
  const kit = new Kit(runtime);
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const engine = await NativeEngine.start(runtime, await openThreads(WORKERS, entry), WORKERS);
  const proxy = await engine.open({
    ...DEFAULTS.proxy,
    ...settings,
    name: "db",
    listen,
    targets: [plainTarget(echo.address)],
  });
  return {
    kit,
    engine,
    proxy,
    target: echo.address,
    /** A client whose bytes have come back. */
    async client(): Promise<Probe> {
      const client = new Probe(await kit.connect(proxy.address));
      await again(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await kit.clean();
      proxy.cut();
      await proxy.drain();
      await engine.close();
      await echo.stop(0, Promise.resolve());
    },
  };
}

/** One more round trip. */
export async function again(client: Probe): Promise<void> {
  client.write(10);
  await client.until(() => client.closed || client.received === client.sent, "echo");
}
