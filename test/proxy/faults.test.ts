/** Faults in a relay, over real sockets, on each engine; what each of them does is in test/filter/faults. */
import { describe, expect, test } from "bun:test";
import { ENGINES, World } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("a session that broke is not ended by a fault as if it were whole", async () => {
    await using world = await World.with(engine, { faults: ["timeout:timeout=300"] });
    const { client, target } = await world.both();
    // The target has its connection before the proxy knows; reset by then, it would be a failed connect.
    await world.inState("open", 1);
    target.write(1_000);
    target.abort();
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(client.ended).toBe(false);
    expect(client.received).toBe(0);
    expect(await world.record()).toMatchObject({ reason: "target_reset", error: "ECONNRESET" });
  });

  test("a fault that closes ends both sides with FIN, behind what it let through", async () => {
    await using world = await World.with(engine, { faults: ["limit_data:bytes=600"] });
    const { client, target } = await world.both();
    target.write(1_000);
    await client.untilEnd();
    expect(client.received).toBe(600);
    await target.untilEnd();
    client.finish();
    target.finish();
    expect(await client.untilClose()).toBeUndefined();
    const { reason, rule } = await world.record();
    expect([reason, rule]).toEqual(["fault", expect.stringContaining("limit_data_downstream")]);
  });

  const iso = (...texts: string[]) => texts.map((text) => `\0${String.fromCharCode(text.length)}${text}`).join("");

  test("the third request disappears, and the fault counts no bytes as undelivered", async () => {
    await using world = await World.with(engine, {
      faults: ["drop_message:protocol=iso8583,stream=upstream,nth=3"],
    });
    const { client, target } = await world.both();
    await world.inState("open", 1);
    target.raw = true;
    client.writeText(iso("one", "two", "three"));
    client.writeText(iso("four"));
    client.finish();
    await target.untilEnd();
    expect(Buffer.from(target.bytes).toString()).toBe(iso("one", "two", "four"));
    target.finish();
    expect(await client.untilClose()).toBeUndefined();
    expect(await world.record()).toMatchObject({ reason: "client_closed", undeliveredUpstream: 0 });
  });

  test("a reply comes twice, as long as the fault is there", async () => {
    await using world = await World.with(engine);
    const { client, target } = await world.both();
    await world.inState("open", 1);
    client.raw = true;
    await world.proxy.addFault({ type: "duplicate_message", name: "twice", protocol: "mpu", contains: "again" });
    target.writeText("0003one0005again0003");
    await client.until(() => client.received === 25, "the reply, twice");
    await world.proxy.removeFault("twice");
    target.writeText("two0005again");
    target.finish();
    await client.untilEnd();
    expect(Buffer.from(client.bytes).toString()).toBe("0003one0005again0005again0003two0005again");
  });

  test("one command waits, and what is behind it, until the fault is taken away", async () => {
    await using world = await World.with(engine, {
      faults: ["delay_message:protocol=redis,stream=upstream,contains=FLUSHALL,latency=1h,name=slow"],
    });
    const { client, target } = await world.both();
    await world.inState("open", 1);
    target.raw = true;
    const commands = ["*1\r\n$4\r\nPING\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "PING\r\n"];
    client.writeText(commands.join(""));
    await target.until(() => target.received === commands[0]?.length, "the first command");
    await world.proxy.removeFault("slow");
    await target.until(() => target.received === commands.join("").length, "the others");
    expect(Buffer.from(target.bytes).toString()).toBe(commands.join(""));
  });
});
