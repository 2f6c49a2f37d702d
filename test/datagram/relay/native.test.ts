/** What the native engine adds: a thread that dies, and a socket that outlives it. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { openThreads } from "../../../adapters/linux/native.ts";
import { plainTarget } from "../../../src/config/config.ts";
import { udpRelayConfig } from "../../../src/datagram/relay/relay-config.ts";
import { NativeEngine } from "../../../src/engine/native.ts";
import { CELL } from "../../../src/metrics/counters.ts";
import { deferred } from "../../contract/kit.ts";
import { Peer, turn } from "./world.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-udp-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const linux = test.skipIf(process.platform !== "linux");

linux("a thread that dies takes its sessions; what comes next waits for the one in its place", async () => {
  const path = join(directory, "crash");
  process.env["WEIR_TEST_CRASH"] = path;
  const entry = new URL("../../engine/crashing-worker.ts", import.meta.url);
  const engine = await NativeEngine.start(runtime, await openThreads(1, entry), 1);
  const [target, client] = [await Peer.open(), await Peer.open()];
  target.answer = (chunk) => chunk.slice();
  const address = { kind: "tcp", host: "127.0.0.1", port: target.port } as const;
  const proxy = await engine.open(udpRelayConfig("dns", "udp://127.0.0.1:0", [plainTarget(address)]));
  const { port } = proxy.address as { port: number };
  const death = deferred<number>();
  engine.watch = { died: (_, connections) => death.resolve(connections) };
  expect(await client.ask("before", port)).toBe("before");
  writeFileSync(path, "");
  client.say("wakes it", port);
  expect(await death.promise).toBe(1);
  expect(proxy.counters.get(CELL.active)).toBe(0);
  expect(proxy.counters.endedBy("internal_error")).toBe(1);
  const heard = client.heard.length;
  client.say("after", port);
  await client.hears(heard + 1);
  while (client.texts.at(-1) !== "after") await turn();
  expect(engine.restarts).toBe(1);
  proxy.cut();
  await proxy.drain();
  await engine.close();
  // The address is free again.
  await (await Peer.open("127.0.0.1", port)).leave();
  for (const peer of [target, client]) await peer.leave();
});

linux("UDP and TCP proxies share the workers, and each UDP proxy has one", async () => {
  const engine = await NativeEngine.start(runtime, await openThreads(2), 2);
  const target = await Peer.open();
  target.answer = (chunk) => chunk.slice();
  const address = { kind: "tcp", host: "127.0.0.1", port: target.port } as const;
  const clients: Peer[] = [];
  const proxies = [];
  for (let n = 0; n < 2; n++) {
    const proxy = await engine.open(udpRelayConfig(`dns ${n}`, "udp://127.0.0.1:0", [plainTarget(address)]));
    proxies.push(proxy);
    for (let each = 0; each < 5; each++) {
      const client = await Peer.open();
      clients.push(client);
      await client.ask("?", (proxy.address as { port: number }).port);
    }
  }
  expect(engine.shares).toEqual([5, 5]);
  for (const proxy of proxies) {
    expect((await proxy.connections(3)).total).toBe(5);
    proxy.cut();
    await proxy.drain();
  }
  await engine.close();
  for (const peer of [target, ...clients]) await peer.leave();
});
