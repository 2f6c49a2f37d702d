import { describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:tls";
import { BRIDGE } from "../../../src/datagram/bridge/bridge-config.ts";
import { ENGINES } from "../../proxy/world.ts";
import { haveOpenssl, issue, textOf } from "../../tls/certificates.ts";
import { BridgeWorld, endsOf, only, texts } from "./world.ts";

/** Greets whoever connects, over TLS. */
async function greeter(world: BridgeWorld) {
  const authority = issue(world.kit.directory(), "ca");
  const own = issue(world.kit.directory(), "own", { alternative: "DNS:feed.internal", issuer: authority });
  const files = { key: textOf(own.key), cert: textOf(own.certificate) };
  const server: Server = createServer(files, (socket) => {
    socket.on("error", () => {});
    socket.write("hello\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.kit.later(() => void server.close());
  const { port } = server.address() as { port: number };
  return { ca: authority.certificate, address: `tls://127.0.0.1:${port}` };
}

const describeTls = haveOpenssl() ? describe.each(ENGINES) : describe.skip.each(ENGINES);

describeTls("a source over TLS, asked for on the %s engine", (engine) => {
  test("is verified by its name and a CA, and what it sends is passed on", async () => {
    await using world = await BridgeWorld.on(engine);
    const { ca, address } = await greeter(world);
    const { probe, address: to } = await world.receiver();
    await world.bridge([address], [to], { sourceTls: { ...BRIDGE.sourceTls, ca, serverName: "feed.internal" } });
    await probe.untilReceived(1);
    expect(texts(probe)).toEqual(["hello\n"]);
  });

  test("is not listened to under another name, and that is said", async () => {
    await using world = await BridgeWorld.on(engine);
    const { ca, address } = await greeter(world);
    const { probe, address: to } = await world.receiver();
    const bridge = await world.bridge([address], [to], { sourceTls: { ...BRIDGE.sourceTls, ca, serverName: "other" } });
    const { why } = await world.event("source_lost");
    expect(why).toContain("other");
    expect(probe.received).toEqual([]);
    expect(only(endsOf(bridge).from).failures).toBeGreaterThan(0);
  });
});
