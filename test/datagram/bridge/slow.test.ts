import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../../src/net/address.ts";
import { open } from "../../contract/datagram-probe.ts";
import { Probe } from "../../contract/probe.ts";
import { ENGINES } from "../../proxy/world.ts";
import { BridgeWorld, endpointOf, endsOf, FREE_PORT, only } from "./world.ts";

const LISTEN = "listen://127.0.0.1:0";
const SIZE = 1_000;
const MB = 1 << 20;

/** Lines of {@link SIZE} bytes that begin with their number. */
function line(number: number): Uint8Array {
  return new TextEncoder().encode(`${String(number).padEnd(SIZE - 1, ".")}\n`);
}

describe.each(ENGINES)("somebody who does not keep up, on the %s engine", (engine) => {
  test("misses whole datagrams that are counted, and others miss none", async () => {
    await using world = await BridgeWorld.on(engine);
    const { probe: other, address } = await world.receiver();
    const bridge = await world.bridge([FREE_PORT], [LISTEN, address], { buffer: 65_536, whenFull: "drop" });
    const [slow, quick] = endsOf(bridge).to;
    const client = await world.connected(only(endsOf(bridge).to));
    client.raw = true;
    await world.event("connected");
    client.pause();
    const sender = await open(world.kit);
    const to = endpointOf(only(endsOf(bridge).from));
    let sent = 0;
    const full = () => only(endsOf(bridge).to).full;
    while (full() < 100) {
      sender.send(line(sent++), to);
      await other.untilReceived(sent);
    }
    expect(await world.event("lost")).toMatchObject({ end: slow?.address, reason: "full" });
    client.resume();
    const drained = bridge.drain();
    await client.until(() => client.ended, "its end");
    client.finish();
    await drained;
    const numbers = new TextDecoder()
      .decode(client.bytes)
      .split("\n")
      .slice(0, -1)
      .map((each) => Number.parseInt(each, 10));
    expect(client.bytes.length).toBe(numbers.length * SIZE);
    expect(numbers.length + full()).toBe(sent);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(quick?.full).toBe(0);
  });

  test("or does not leave, is left behind when weir ends, with all that passed", async () => {
    await using world = await BridgeWorld.on(engine);
    const { probe: other, address } = await world.receiver();
    const bridge = await world.bridge([FREE_PORT], [LISTEN, address]);
    const client = await world.connected(only(endsOf(bridge).to));
    client.raw = true;
    await world.event("connected");
    const sender = await open(world.kit);
    for (let sent = 0; sent < 100; sent++) {
      sender.send(line(sent), endpointOf(only(endsOf(bridge).from)));
      await other.untilReceived(sent + 1);
    }
    // It never sends its own end.
    await bridge.drain();
    expect(client.ended).toBe(true);
    expect(client.bytes.length).toBe(100 * SIZE);
  });

  test("is cut off, where that is wanted", async () => {
    await using world = await BridgeWorld.on(engine);
    const { probe: other, address } = await world.receiver();
    const bridge = await world.bridge([FREE_PORT], [LISTEN, address], { buffer: 65_536, whenFull: "disconnect" });
    const client = await world.connected(only(endsOf(bridge).to));
    client.raw = true;
    await world.event("connected");
    client.pause();
    const sender = await open(world.kit);
    const to = endpointOf(only(endsOf(bridge).from));
    for (let sent = 1; only(endsOf(bridge).to).disconnects === 0; sent++) {
      sender.send(line(sent), to);
      await other.untilReceived(sent);
    }
    await world.event("too_slow");
    await world.event("disconnected");
    expect(only(endsOf(bridge).to).connections).toBe(0);
    client.resume();
    expect(await client.untilClose()).toBe("ECONNRESET");
  });

  test("is waited for, where that is wanted: not a byte of a connection is lost", async () => {
    await using world = await BridgeWorld.on(engine);
    const bridge = await world.bridge([LISTEN], [LISTEN], { buffer: 65_536, whenFull: "block" });
    const client = await world.connected(only(endsOf(bridge).to));
    await world.event("connected");
    client.pause();
    const { from } = endsOf(bridge);
    const at = parseAddress(only(from).address.replace("listen://", ""), "target");
    const publisher = new Probe(await world.kit.connect(at, { buffer: 65_536 }));
    const sending = publisher.send(32 * MB);
    // As much as fits on the way, which is some megabytes with the kernel's buffers, and then no more.
    await world.kit.busy(500);
    expect(publisher.sent).toBeLessThan(32 * MB);
    client.resume();
    await sending;
    await client.until(() => client.received === 32 * MB, "all");
    expect(only(endsOf(bridge).to).full).toBe(0);
  });
});
