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
});
