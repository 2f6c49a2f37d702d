import { expect, test } from "bun:test";
import { BRIDGE } from "../../src/datagram/bridge/bridge-config.ts";
import type { BridgeControl, EndView } from "../../src/datagram/bridge/control.ts";
import { parseRoute } from "../../src/datagram/bridge/route-address.ts";
import { bridgeFamilies } from "../../src/metrics/bridge-families.ts";

const NOTHING: Omit<EndView, "direction" | "address"> = {
  datagrams: 0,
  bytes: 0,
  overrun: 0,
  unsent: 0,
  full: 0,
  looped: 0,
  refused: 0,
  connections: 0,
  failures: 0,
  disconnects: 0,
};

function bridge(ends: readonly EndView[]): BridgeControl {
  const from = [parseRoute("udp://127.0.0.1:1", "from")];
  const config = { ...BRIDGE, name: 'a "b"', from, to: [parseRoute("listen://127.0.0.1:2", "to")] };
  return { config, ends, draining: false, finished: Promise.resolve(), drain: async () => {}, cut() {} };
}

test("where there are no bridges there are no families of theirs", () => {
  expect(bridgeFamilies([])).toEqual([]);
});

test("each end has its lines, and each reason of a loss one", () => {
  const lines = bridgeFamilies([
    bridge([
      { ...NOTHING, direction: "from", address: "udp://127.0.0.1:1", datagrams: 5, bytes: 50, overrun: 2, looped: 1 },
      {
        ...NOTHING,
        direction: "to",
        address: "listen://127.0.0.1:2",
        datagrams: 5,
        bytes: 50,
        full: 3,
        connections: 2,
      },
    ]),
  ]);
  const source = 'udp="a \\"b\\"",direction="from",end="udp://127.0.0.1:1"';
  const sink = 'udp="a \\"b\\"",direction="to",end="listen://127.0.0.1:2"';
  expect(lines).toContain(`weir_udp_datagrams_total{${source}} 5`);
  expect(lines).toContain(`weir_udp_bytes_total{${sink}} 50`);
  expect(lines).toContain(`weir_udp_connections{${sink}} 2`);
  expect(lines).toContain(`weir_udp_lost_datagrams_total{${source},reason="overrun"} 2`);
  expect(lines).toContain(`weir_udp_lost_datagrams_total{${source},reason="looped"} 1`);
  expect(lines).toContain(`weir_udp_lost_datagrams_total{${sink},reason="full"} 3`);
  const names = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
  expect(new Set(names).size).toBe(names.length);
});
