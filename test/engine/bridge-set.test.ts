import { expect, test } from "bun:test";
import { BRIDGE, type BridgeConfig } from "../../src/datagram/bridge/bridge-config.ts";
import type { BridgeControl } from "../../src/datagram/bridge/control.ts";
import { parseRoute } from "../../src/datagram/bridge/route-address.ts";
import { BridgeSet } from "../../src/engine/bridge-set.ts";
import { failure } from "../failure.ts";

function config(name: string, port: number): BridgeConfig {
  const from = [parseRoute(`udp://127.0.0.1:${port}`, "from")];
  return { ...BRIDGE, name, from, to: [parseRoute("udp://127.0.0.1:9", "to")] };
}

/** Bridges that open and drain at once; `ports` are taken as long as a bridge has them. */
function world(broken: readonly string[] = []) {
  const open = new Set<string>();
  const log: string[] = [];
  const set = new BridgeSet(async (wanted) => {
    const place = JSON.stringify(wanted.from);
    if (open.has(place)) throw new Error(`${wanted.name}: the port is taken`);
    if (broken.includes(wanted.name)) throw new Error(`${wanted.name} is broken`);
    open.add(place);
    log.push(`open ${wanted.name}`);
    const control: BridgeControl = {
      config: wanted,
      ends: [],
      finished: new Promise(() => {}),
      draining: false,
      async drain() {
        open.delete(place);
        log.push(`drain ${wanted.name}`);
      },
      cut() {},
    };
    return control;
  });
  const names = () => set.all.map((bridge) => bridge.config.name);
  return { set, log, names };
}

test("a reload leaves alone what is as it was, and opens what is new on the port of what is gone", async () => {
  const { set, log, names } = world();
  await set.start([config("a", 1), config("b", 2), config("c", 3)]);
  log.length = 0;
  const changed = { ...config("b", 2), cut: "lines" as const };
  const changes = await set.change([config("a", 1), changed, config("d", 3)]);
  expect(changes).toEqual({ added: ["d"], changed: ["b"], removed: ["c"] });
  expect(log).toEqual(["drain b", "drain c", "open b", "open d"]);
  expect(names()).toEqual(["a", "b", "d"]);
});

test("when one cannot be opened everything is as it was", async () => {
  const { set, log, names } = world(["d"]);
  await set.start([config("a", 1), config("b", 2)]);
  log.length = 0;
  const error = await failure(set.change([config("a", 1), config("c", 2), config("d", 3)]));
  expect(String(error)).toContain("d is broken");
  expect(names()).toEqual(["a", "b"]);
  expect(log).toEqual(["drain b", "open c", "drain c", "open b"]);
});

test("without a bridge nothing is ever finished", async () => {
  const { set } = world();
  const first = await Promise.race([set.finished.then(() => "finished"), Promise.resolve("not yet")]);
  expect(first).toBe("not yet");
});
