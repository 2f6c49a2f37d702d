/** Another configuration for running UDP proxies. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { type ProxyConfig, plainTarget } from "../../../src/config/config.ts";
import { udpRelayConfig } from "../../../src/datagram/relay/relay-config.ts";
import { PortableEngine } from "../../../src/engine/portable.ts";
import { ProxySet } from "../../../src/engine/proxy-set.ts";
import type { ConnectionRecord } from "../../../src/proxy/record.ts";
import { Peer } from "./world.ts";

async function world() {
  const engine = new PortableEngine(runtime);
  const records: ConnectionRecord[] = [];
  const proxies = new ProxySet((config) => engine.open(config, { closed: (record) => void records.push(record) }));
  const [target, client, free] = [await Peer.open(), await Peer.open(), await Peer.open()];
  target.answer = (chunk) => chunk.slice();
  const { port } = free;
  await free.leave();
  const targets = [plainTarget({ kind: "tcp", host: "127.0.0.1", port: target.port })];
  const config = (listen: string, more: Partial<ProxyConfig> = {}) => ({
    ...udpRelayConfig("dns", listen, targets),
    ...more,
  });
  return {
    ...{ records, proxies, client, port, config },
    async [Symbol.asyncDispose]() {
      proxies.cut();
      await proxies.drain();
      for (const peer of [target, client]) await peer.leave();
    },
  };
}

test("a session outlives a reload that changes its proxy", async () => {
  await using it = await world();
  const { proxies, client, port, config } = it;
  await proxies.start([config(`udp://127.0.0.1:${port}`)]);
  await client.ask("one", port);
  const changes = await proxies.change([config(`udp://127.0.0.1:${port}`, { name: "names", maxConnections: 5 })]);
  expect(changes).toMatchObject({ added: [], removed: [], changed: ["names"] });
  await client.ask("two", port);
  expect((await proxies.all[0]?.connections(9))?.total).toBe(1);
  expect(it.records).toEqual([]);
});

test("an address that another one needs is free at once, not when sessions are idle", async () => {
  await using it = await world();
  const { proxies, client, port, config } = it;
  await proxies.start([config(`udp://127.0.0.1:${port}`)]);
  await client.ask("one", port);
  await proxies.change([config(`udp://0.0.0.0:${port}`)]);
  expect(it.records.map(({ reason }) => reason)).toEqual(["shutdown"]);
  expect(await client.ask("two", port)).toBe("two");
});
