/** Who is let in, over real sockets, on each engine. */
import { describe, expect, test } from "bun:test";
import { runtime } from "#runtime";
import { DEFAULTS, plainTarget } from "../../src/config/config.ts";
import { PortableEngine } from "../../src/engine/portable.ts";
import { parseCidr } from "../../src/net/cidr.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { ENGINES, World } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("a client that a deny range holds is reset, and the record names the range", async () => {
    await using world = await World.with(engine, { deny: ["127.0.0.0/8"] });
    expect(await world.refusal()).toBe("ECONNRESET");
    expect(await world.record()).toMatchObject({ reason: "denied", rule: "deny 127.0.0.0/8", error: null });
  });

  test("a narrower range lets it in, and one who is in no allow range stays out", async () => {
    await using inside = await World.with(engine, { deny: ["127.0.0.0/8"], allow: ["127.0.0.1"] });
    const { client, target } = await inside.both();
    client.write(100);
    await target.until(() => target.received === 100, "the bytes");
    await using outside = await World.with(engine, { allow: ["10.0.0.0/8", "::1"] });
    expect(await outside.refusal()).toBe("ECONNRESET");
    expect(await outside.record()).toMatchObject({ reason: "denied", rule: "no allow range holds it" });
  });

  test("refused with a FIN, a client sees the end and no error, whatever it sends", async () => {
    await using world = await World.with(engine, { deny: ["0.0.0.0/0"], refuse: "close" });
    const client = await world.client();
    client.write(100);
    await client.untilEnd();
    expect(client.received).toBe(0);
    client.finish();
    expect(await client.untilClose()).toBeUndefined();
    expect(await world.record()).toMatchObject({ reason: "denied", bytesUpstream: 0 });
  });
});

test("the portable engine counts who was refused, and lets go of one that stays after its FIN", async () => {
  const kit = new Kit(runtime);
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const records: ConnectionRecord[] = [];
  const config = { ...DEFAULTS.proxy, name: "db", listen: LOOPBACK, targets: [plainTarget(echo.address)] };
  const rules = { deny: [parseCidr("127.0.0.1")], refuse: "close" as const };
  const proxy = await new PortableEngine(runtime).open(
    { ...config, ...rules },
    { failed: (record) => records.push(record) },
  );
  const client = new Probe(await kit.connect(proxy.address));
  await client.untilEnd();
  // It stays, and is reset after a second.
  expect(await client.untilClose()).toBe("ECONNRESET");
  await proxy.drain();
  expect(proxy.counters.endedBy("denied")).toBe(1);
  expect(records.map(({ rule }) => rule)).toEqual(["deny 127.0.0.1"]);
  await echo.stop(0, Promise.resolve());
  await kit.clean();
});
