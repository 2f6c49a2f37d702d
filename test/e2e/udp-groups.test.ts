/** Multicast groups as users of `weir udp` meet them: gathered, handed out, over this machine and over a wire. */
import { describe, expect, test } from "bun:test";
import { haveTool } from "./tools.ts";
import { CAN_NETWORK, folder, joinNetworks, type Network, network, Program, portOf, Receiver } from "./udp-world.ts";
import { run } from "./weir.ts";

/** Resolves when what this command prints within a network has `text` in it. */
async function shows({ inside }: Network, text: string, ...argv: string[]): Promise<void> {
  while (!(await run([...inside, ...argv])).out.includes(text));
}

const linux = test.skipIf(process.platform !== "linux");
const ENGINES = ["native", "portable"] as const;

/** Nobody else's, as far as that goes. */
function group(): string {
  const part = () => 1 + Math.floor(Math.random() * 250);
  return `239.255.${part()}.${part()}`;
}

describe.each(ENGINES)("weir udp reverse on the %s engine", (engine) => {
  linux("gathers ports and connections, and gives each client and host all of it", async () => {
    using host = await Receiver.open();
    // Which port of the group is free, a member that has taken one tells.
    await using member = await Program.udp(["recv", `${group()}:0%lo`]);
    const [address = ""] = await member.ends(member.stderr);
    await using reverse = await Program.udp([
      ...["reverse", "--multicast-addr", address, "--engine", engine, "--lines", "--log-level", "debug"],
      ...["--udp-listen-addr", "127.0.0.1:0", "--tcp-listen-addr", "127.0.0.1:0"],
      ...["--tcp-output-addr", "127.0.0.1:0", "--udp-output-addr", host.address],
    ]);
    const [udp, tcp, into] = await reverse.ends();
    const [, out] = await reverse.ends();
    expect(into).toBe(address);
    await using first = new Program(["nc", "127.0.0.1", String(portOf(out))]);
    await using second = new Program(["nc", "127.0.0.1", String(portOf(out))]);
    for (let connected = 0; connected < 2; connected++) {
      await reverse.stdout.next((line) => line.includes(`has connected to ${out}`));
    }
    host.send("as a datagram\n", portOf(udp));
    for (const each of [first, second, member]) expect(await each.stdout.next()).toBe("as a datagram");
    await using input = new Program(["nc", "127.0.0.1", String(portOf(tcp))]);
    input.type("over TCP\nand again\n");
    for (const each of [first, second, member]) {
      expect([await each.stdout.next(), await each.stdout.next()]).toEqual(["over TCP", "and again"]);
    }
    await host.has("as a datagram\n", "over TCP\n", "and again\n");
    expect(host.got).toHaveLength(3);
    for (const each of [first, second, input]) await each.endOfInput();
    expect(await reverse.stop()).toBe(0);
    expect(await reverse.stdout.rest()).toContain("lost: 0");
  });
});

describe("a group of this machine", () => {
  // Over IPv6 the loopback interface has no route for groups; the wire below has.
  linux("has members of all processes", async () => {
    await using one = await Program.udp(["recv", `${group()}:0%lo`]);
    const [joined = ""] = await one.ends(one.stderr);
    await using two = await Program.udp(["recv", joined]);
    await two.ends(two.stderr);
    await using send = await Program.udp(["send", "-", joined, "--lines", "--ttl", "0"]);
    send.type("to all\n");
    for (const each of [one, two]) expect(await each.stdout.next()).toBe("to all");
    await send.endOfInput();
    expect(await send.exit()).toBe(0);
  });

  linux("that a file forwards into itself is refused", async () => {
    using place = folder();
    await using one = await Program.udp(["recv", `${group()}:0%lo`]);
    const [joined = ""] = await one.ends(one.stderr);
    const file = place.file("loop.toml");
    await Bun.write(file, `[[udp]]\nfrom = "${joined}"\nto = "${joined}"\n`);
    await using weir = new Program([process.execPath, `${import.meta.dir}/../../src/main.ts`, "run", file]);
    expect(await weir.exit()).toBe(2);
    expect(await weir.stderr.rest()).toContain(`loop.toml:3:6: udp[0].to: what goes to ${joined} comes back`);
  });
});

describe.skipIf(!CAN_NETWORK)("two machines on a wire", () => {
  function machines(): { a: Network; b: Network } & Disposable {
    const [a, b] = [network(), network()];
    joinNetworks(a, b);
    return {
      a,
      b,
      [Symbol.dispose]() {
        a[Symbol.dispose]();
        b[Symbol.dispose]();
      },
    };
  }

  test.each([
    ["IPv4", "239.1.2.3:9920%wire"],
    ["IPv4, by the interface's address", "239.1.2.3:9920"],
    ["IPv6", "[ff12::1]:9920%wire"],
    ["the nodes of a link", "[ff02::1]:9920%wire"],
    ["IPv4, all interfaces", "239.1.2.3:9920%*"],
    ["IPv6, all interfaces", "[ff12::1]:9920%*"],
  ])("share a group: %s", async (name, address) => {
    using net = machines();
    const by = name.endsWith("address") ? (host: string) => ["--interface", host] : () => [];
    await using recv = await Program.udp(["recv", address, ...by("10.77.0.2")], net.b.inside);
    await recv.ends(recv.stderr);
    await using send = await Program.udp(["send", "-", address, ...by("10.77.0.1")], net.a.inside);
    send.type("over the wire\n");
    expect(await recv.stdout.next()).toBe("over the wire");
  });

  test.each(["239.1.2.3:9920%wire", "[ff12::1]:9920%wire"])("are told apart by loopback: %s", async (address) => {
    using net = machines();
    const [here, there] = [
      await Program.udp(["recv", address], net.a.inside),
      await Program.udp(["recv", address], net.b.inside),
    ];
    await using _here = here;
    await using _there = there;
    for (const recv of [here, there]) await recv.ends(recv.stderr);
    await using silent = await Program.udp(["send", "-", address, "--no-loopback"], net.a.inside);
    silent.type("for others\n");
    expect(await there.stdout.next()).toBe("for others");
    await using send = await Program.udp(["send", "-", address], net.a.inside);
    send.type("for all\n");
    for (const recv of [here, there]) expect(await recv.stdout.next()).toBe("for all");
  });

  test("join again when the wire was cut and is back", async () => {
    using net = machines();
    await using recv = await Program.udp(["recv", "239.1.2.3:9920%wire"], net.b.inside);
    await recv.ends(recv.stderr);
    expect((await run(["ip", "-n", net.b.name, "link", "del", "wire"])).code).toBe(0);
    await recv.stderr.next((line) => line.includes("is not joined any more"));
    joinNetworks(net.a, net.b);
    await recv.stderr.next((line) => line.includes("is joined again"));
    await using send = await Program.udp(["send", "-", "239.1.2.3:9920%wire"], net.a.inside);
    send.type("over the new wire\n");
    expect(await recv.stdout.next()).toBe("over the new wire");
  });

  test("hear the one source that they ask for", async () => {
    using net = machines();
    await using recv = await Program.udp(["recv", "10.77.0.1@232.1.2.3:9920%wire"], net.b.inside);
    await recv.ends(recv.stderr);
    // A member of the group in the same place, which sends to it as well.
    await using other = await Program.udp(["send", "-", "232.1.2.3:9920%wire"], net.b.inside);
    other.type("not this\n");
    await other.endOfInput();
    expect(await other.exit()).toBe(0);
    await using send = await Program.udp(["send", "-", "232.1.2.3:9920%wire"], net.a.inside);
    send.type("but this\n");
    expect(await recv.stdout.next()).toBe("but this");
  });

  test.skipIf(!haveTool("multicat"))("agree with multicat, as sender and as member", async () => {
    using net = machines();
    expect((await run(["ip", "-n", net.a.name, "route", "add", "224.0.0.0/4", "dev", "wire"])).code).toBe(0);
    // As much as it takes for a datagram of television: less is made up for.
    const line = (letter: string) => letter.repeat(1_315);
    const multicat = (from: string, to: string, { inside }: Network) => {
      return new Program([...inside, "multicat", "-u", "-U", from, to]);
    };
    await using recv = await Program.udp(["recv", "127.0.0.1:9922", "239.1.2.4:9921%wire"], net.b.inside);
    await recv.ends(recv.stderr);
    await using _member = multicat("@239.1.2.3:9920/ifaddr=10.77.0.2", "127.0.0.1:9922", net.b);
    await shows(net.b, "239.1.2.3", "ip", "maddr", "show", "dev", "wire");
    await using send = await Program.udp(["send", "-", "239.1.2.3:9920%wire"], net.a.inside);
    send.type(`${line("w")}\n`);
    expect(await recv.stdout.next()).toBe(line("w"));
    await using _sender = multicat("@127.0.0.1:9923", "239.1.2.4:9921/ifaddr=10.77.0.1", net.a);
    // 9923, as the kernel writes it.
    await shows(net.a, ":26C3 ", "cat", "/proc/net/udp");
    await using into = await Program.udp(["send", "-", "127.0.0.1:9923"], net.a.inside);
    into.type(`${line("m")}\n`);
    expect(await recv.stdout.next()).toBe(line("m"));
  });

  test("are both halves of weir udp reverse", async () => {
    using net = machines();
    const reverse = (ends: string[], { inside }: Network) => {
      return Program.udp(["reverse", "--multicast-addr", "[ff02::1]:9918%wire", ...ends], inside);
    };
    await using into = await reverse(["--udp-listen-addr", "127.0.0.1:9920"], net.a);
    await into.ends();
    await using out = await reverse(["--tcp-output-addr", "127.0.0.1:9921", "--log-level", "debug"], net.b);
    await out.ends();
    await using client = new Program([...net.b.inside, "nc", "127.0.0.1", "9921"]);
    await out.stdout.next((line) => line.includes("has connected to"));
    await using send = await Program.udp(["send", "-", "127.0.0.1:9920"], net.a.inside);
    send.type("all the way\n");
    expect(await client.stdout.next()).toBe("all the way");
  });
});
