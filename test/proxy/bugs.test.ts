/** A bug in weir costs the connection that ran into it and no other: here the runtime throws where none ever would. */
import { describe, expect, test } from "bun:test";
import { runtime } from "#runtime";
import { PortableProxy } from "../../src/engine/portable-proxy.ts";
import { CELL } from "../../src/metrics/counters.ts";
import { formatAddress } from "../../src/net/address.ts";
import type { Runtime, StreamSocket } from "../../src/net/runtime.ts";
import { toProxyConfig } from "../../src/options.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import type { Failure } from "../../src/proxy/proxy.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";

/** A proxy for one connection at a time, in front of an echo. `faulty`: what the runtime does for the n-th connect. */
async function world(faulty: (connect: number) => Partial<ReturnType<Runtime["connect"]>>) {
  const kit = new Kit(runtime);
  const echo = await EchoServer.open(runtime, LOOPBACK);
  kit.later(() => echo.stop(0, Promise.resolve()));
  let connects = 0;
  const broken: Runtime = {
    ...runtime,
    connect: (to, options) => ({ ...runtime.connect(to, options), ...faulty(++connects) }),
  };
  const failures: { record: ConnectionRecord; failure: Failure | undefined }[] = [];
  const config = toProxyConfig("127.0.0.1:0", formatAddress(echo.address), { maxConnections: 1 });
  const proxy = await PortableProxy.open(broken, config, {
    broken: (record, failure) => failures.push({ record, failure }),
  });
  kit.later(() => proxy.cut());
  const client = async () => new Probe(await kit.connect(proxy.address));
  const queued = async (count: number) => {
    while (proxy.counters.get(CELL.waiting) < count) await kit.busy(10);
  };
  return { kit, proxy, client, queued, failures };
}

async function roundTrip(client: Probe): Promise<void> {
  client.write(100);
  await client.until(() => client.closed || client.received === 100, "echo");
  expect(client.closed).toBe(false);
}

const BUG = new Error("a bug");

describe.each([
  {
    where: "on the way in",
    fault: () => {
      throw BUG;
    },
  },
  {
    where: "when the target is there",
    // Whatever the relay does with it throws.
    fault: () => ({ socket: Promise.resolve({} as StreamSocket) }),
  },
])("an exception $where", ({ fault }) => {
  test("resets its client, is reported, and leaves room for the next", async () => {
    const { kit, proxy, client, failures } = await world((connect) => (connect === 1 ? fault() : {}));
    const guilty = await client();
    expect(await guilty.untilClose()).toBe("ECONNRESET");
    await roundTrip(await client());
    expect(failures).toHaveLength(1);
    expect(failures[0]?.record).toMatchObject({ reason: "internal_error", error: "EHANDLER" });
    expect(proxy.counters.endedBy("internal_error")).toBe(1);
    await kit.clean();
  });

  test("does not hurt the connection whose end gave it its turn, nor those behind it", async () => {
    const { kit, client, queued, failures } = await world((connect) => (connect === 2 ? fault() : {}));
    const first = await client();
    await roundTrip(first);
    const guilty = await client();
    await queued(1);
    const last = await client();
    await queued(2);
    first.finish();
    expect(await first.untilClose()).toBeUndefined();
    expect(await guilty.untilClose()).toBe("ECONNRESET");
    await roundTrip(last);
    expect(failures).toHaveLength(1);
    await kit.clean();
  });
});
