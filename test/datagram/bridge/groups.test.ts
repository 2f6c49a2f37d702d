import { describe, expect, test } from "bun:test";
import { runtime } from "#runtime";
import { type DatagramProbe, open } from "../../contract/datagram-probe.ts";
import { failure } from "../../failure.ts";
import { ENGINES } from "../../proxy/world.ts";
import { BridgeWorld, bytesOf, endpointOf, endsOf, FREE_PORT, only, texts } from "./world.ts";

const linux = runtime.can.abstractUnix;

/** The loopback interface has no route for groups of IPv6. What is sent to ff11::/16 leaves no other either. */
const LINK = runtime
  .interfaces()
  .find(({ loopback, addresses }) => !loopback && addresses.some((each) => each.startsWith("fe80:")))?.name;

/** Nothing that is sent to these leaves the machine (RFC 4291, section 2.7). */
const GROUPS = [{ group: "239.255.77.3", name: "239.255.77.3", link: "lo" }];
if (LINK !== undefined) GROUPS.push({ group: "ff11::77:3", name: "[ff11::77:3]", link: LINK });

/** Only Linux calls its loopback interface so. */
const describeLinux = linux ? describe.each(ENGINES) : describe.skip.each(ENGINES);

/** A socket that sends to groups on the loopback interface alone. */
async function sender(world: BridgeWorld, group: string): Promise<DatagramProbe> {
  const multicast = { ttl: 0, loopback: true, interface: "lo" };
  return await open(world.kit, { host: group.includes(":") ? "::" : "0.0.0.0", multicast });
}

describeLinux("groups, on the %s engine", (engine) => {
  test.each(GROUPS)(
    "what is sent to $group comes to every bridge that has joined it",
    async ({ group, name, link }) => {
      await using world = await BridgeWorld.on(engine);
      const [one, two] = [await world.receiver(), await world.receiver()];
      const first = await world.bridge([`udp://${name}:0%${link}`], [one.address]);
      const { port } = endpointOf(only(endsOf(first).from));
      await world.bridge([`udp://${name}:${port}%${link}`], [two.address]);
      const into = await world.bridge([FREE_PORT], [`udp://${name}:${port}%${link}`]);
      const client = await open(world.kit);
      client.send(bytesOf("hello"), endpointOf(only(endsOf(into).from)));
      await Promise.all([one.probe.untilReceived(1), two.probe.untilReceived(1)]);
      expect([...texts(one.probe), ...texts(two.probe)]).toEqual(["hello", "hello"]);
      expect(group).toBe(endpointOf(only(endsOf(first).from)).host);
    },
  );

  test("of a group with a source nobody else is heard", async () => {
    await using world = await BridgeWorld.on(engine);
    const { probe, address } = await world.receiver();
    const bridge = await world.bridge(["udp://127.0.0.2@232.255.77.3:0%lo"], [address]);
    const to = endpointOf(only(endsOf(bridge).from));
    const multicast = { ttl: 0, loopback: true, interface: "lo" };
    const [other, right] = [
      await open(world.kit, { host: "127.0.0.3", multicast }),
      await open(world.kit, { host: "127.0.0.2", multicast }),
    ];
    other.send(bytesOf("from another"), to);
    right.send(bytesOf("from the source"), to);
    await probe.untilReceived(1);
    right.send(bytesOf("again"), to);
    await probe.untilReceived(2);
    expect(texts(probe)).toEqual(["from the source", "again"]);
  });

  test("a bridge into its own group does not hear itself, and says so", async () => {
    await using world = await BridgeWorld.on(engine);
    const { probe, address } = await world.receiver();
    const free = await open(world.kit);
    const { port } = free.socket.local;
    const at = `udp://239.255.77.4:${port}%lo`;
    const bridge = await world.bridge([at], [at, address]);
    const client = await sender(world, "239.255.77.4");
    client.send(bytesOf("once"), { host: "239.255.77.4", port });
    expect(await world.event("looped")).toMatchObject({ end: at, count: 1 });
    client.send(bytesOf("twice"), { host: "239.255.77.4", port });
    await probe.untilReceived(2);
    expect(texts(probe)).toEqual(["once", "twice"]);
    expect(only(endsOf(bridge).from).datagrams).toBe(2);
  });

  test("an interface that is not there, and an address that is no group, are errors that name them", async () => {
    await using world = await BridgeWorld.on(engine);
    const { address } = await world.receiver();
    const joining = world.bridge(["udp://239.255.77.5:0%nosuch0"], [address]);
    expect(await failure(joining)).toMatchObject({ code: "ENODEV", message: expect.stringContaining("nosuch0") });
    const sending = world.bridge([FREE_PORT], ["udp://239.255.77.5:9999%nosuch0"]);
    expect(await failure(sending)).toMatchObject({ code: "ENODEV", message: expect.stringContaining("nosuch0") });
  });
});
