import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { bridgeMemory } from "../../src/datagram/bridge/bridge.ts";
import { BRIDGE } from "../../src/datagram/bridge/bridge-config.ts";
import { parseRoute } from "../../src/datagram/bridge/route-address.ts";
import type { FromBridge } from "../../src/engine/protocol.ts";
import { WorkerBridges } from "../../src/engine/worker-bridges.ts";
import type { DatagramSocket, Runtime } from "../../src/net/runtime.ts";
import { deferred } from "../contract/kit.ts";

test("a bridge that is drained while it opens is closed when it is open", async () => {
  const gate = deferred<void>();
  const sockets: DatagramSocket[] = [];
  let closed = 0;
  const slow: Runtime = {
    ...runtime,
    async datagram(at, options) {
      await gate.promise;
      const socket = await runtime.datagram(at, options);
      const { on } = socket;
      socket.on = (events) => {
        const close = (error?: Parameters<typeof events.close>[0]) => {
          closed++;
          events.close(error);
        };
        on.call(socket, { ...events, close });
      };
      sockets.push(socket);
      return socket;
    },
  };
  const said: FromBridge["type"][] = [];
  const bridges = new WorkerBridges(slow, ({ type }) => said.push(type));
  const from = [parseRoute("udp://127.0.0.1:0", "from")];
  const config = { ...BRIDGE, name: "b", from, to: [parseRoute("udp://127.0.0.1:9", "to")] };
  const opening = bridges.receive({ type: "bridge", bridge: 1, config, memory: bridgeMemory(config) });
  const draining = bridges.receive({ type: "bridge_drain", bridge: 1 });
  gate.resolve();
  await Promise.all([opening, draining]);
  expect(said).toEqual(["bridge_opened", "bridge_drained"]);
  expect(sockets).toHaveLength(2);
  expect(closed).toBe(2);
});
