/**
 * Multicast: who joins a group hears it, and nobody else. Nothing leaves the machine: IPv4 groups are joined on the
 * loopback interface; IPv6 has no route to groups there, so another one serves, with groups whose scope is the
 * interface itself (ff11::/16, RFC 4291 section 2.7).
 */
import assert from "node:assert/strict";
import { platform } from "node:process";
import type { MulticastOptions, Runtime } from "../../../src/net/runtime.ts";
import { numbered, open, upTo } from "../datagram-probe.ts";
import type { Case } from "../kit.ts";
import { rejects } from "./addresses.ts";

const GROUP = "239.255.77.1";
const OTHER = "239.255.77.2";
const SOURCED = "232.255.77.1";
const GROUP6 = "ff11::77:1";
const LO: MulticastOptions = { ttl: 1, loopback: true, interface: "lo" };
const ON_LO = { group: GROUP, interface: "lo" };

const elsewhere = () => (platform === "linux" ? undefined : "the loopback interface has another name");

/** Without FFI there is no way to turn IP_MULTICAST_ALL off: a socket hears what anybody on the machine has joined. */
function hearsAll({ name }: Runtime): string | undefined {
  return elsewhere() ?? (name === "node" || name === "deno" ? `${name} cannot set IP_MULTICAST_ALL` : undefined);
}

/** One that a link-local address shows to do IPv6. */
const ofIPv6 = (runtime: Runtime) =>
  runtime
    .interfaces()
    .find(({ loopback, addresses }) => !loopback && addresses.some((each) => each.startsWith("fe80:")));

const withoutIPv6 = (runtime: Runtime) =>
  elsewhere() ?? (ofIPv6(runtime) ? undefined : "no interface but the loopback one has IPv6");

export const multicast: readonly Case[] = [
  {
    name: "the loopback interface is among those that are up, with its addresses, each interface once",
    async run({ runtime }) {
      const all = runtime.interfaces();
      const lo = all.find(({ addresses }) => addresses.includes("127.0.0.1"));
      assert.ok(lo?.loopback);
      assert.ok(lo.index === undefined || lo.index > 0);
      assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
      assert.ok(all.every(({ name, addresses }) => name !== "" && addresses.every((each) => !each.includes("%"))));
    },
  },
  {
    name: "a member of an IPv4 group hears it, on the interface of that name and of that address",
    skip: elsewhere,
    async run(kit) {
      const sender = await open(kit, { multicast: LO });
      for (const at of ["lo", "127.0.0.1"]) {
        const member = await open(kit, { host: "0.0.0.0" });
        member.socket.join({ group: GROUP, interface: at });
        for (let n = 0; n < 3; n++) sender.send(numbered(n), { host: GROUP, port: member.socket.local.port });
        await member.untilReceived(3);
        assert.deepEqual(member.numbers(), [0, 1, 2]);
        assert.deepEqual(member.received[0]?.from, sender.socket.local);
      }
      assert.deepEqual([sender.socket.unsent, sender.socket.refused], [0, 0]);
    },
  },
  {
    name: "a member of an IPv6 group hears it",
    skip: withoutIPv6,
    async run(kit) {
      const at = ofIPv6(kit.runtime)?.name ?? "";
      const member = await open(kit, { host: "::" });
      const membership = { group: GROUP6, interface: at };
      member.socket.join(membership);
      assert.notEqual(member.socket.joined(membership), false);
      const sender = await open(kit, { host: "::", multicast: { ttl: 1, loopback: true, interface: at } });
      sender.send(numbered(7), { host: GROUP6, port: member.socket.local.port });
      await member.untilReceived(1);
      assert.deepEqual(member.numbers(), [7]);
      member.socket.leave(membership);
      assert.equal(member.socket.joined(membership), false);
    },
  },
  {
    name: "a socket that is bound to an IPv6 group hears it",
    skip: withoutIPv6,
    async run(kit) {
      const at = ofIPv6(kit.runtime)?.name ?? "";
      const member = await open(kit, { host: `${GROUP6}%${at}`, shared: true });
      member.socket.join({ group: GROUP6, interface: at });
      const sender = await open(kit, { host: "::", multicast: { ttl: 1, loopback: true, interface: at } });
      sender.send(numbered(8), { host: GROUP6, port: member.socket.local.port });
      await member.untilReceived(1);
      assert.deepEqual(member.numbers(), [8]);
    },
  },
  {
    name: "a socket on :: is a member of IPv4 groups too",
    skip: (runtime) => elsewhere() ?? (runtime.name === "deno" ? "Deno refuses it (EINVAL)" : undefined),
    async run(kit) {
      const member = await open(kit, { host: "::" });
      member.socket.join(ON_LO);
      const sender = await open(kit, { multicast: LO });
      sender.send(numbered(9), { host: GROUP, port: member.socket.local.port });
      await member.untilReceived(1);
      assert.deepEqual(member.received[0]?.from, sender.socket.local);
    },
  },
  {
    name: "sockets that share a port get each datagram of their group, and each all of them",
    skip: elsewhere,
    async run(kit) {
      const first = await open(kit, { host: "0.0.0.0", shared: true });
      const { port } = first.socket.local;
      const second = await open(kit, { host: "0.0.0.0", port, shared: true });
      for (const { socket } of [first, second]) socket.join(ON_LO);
      const sender = await open(kit, { multicast: LO });
      for (let n = 0; n < 50; n++) sender.send(numbered(n), { host: GROUP, port });
      await Promise.all([first.untilReceived(50), second.untilReceived(50)]);
      assert.deepEqual([first.numbers(), second.numbers()], [upTo(50), upTo(50)]);
    },
  },
  {
    name: "a port is taken unless both who want it share it",
    async run(kit) {
      const alone = await open(kit, { host: "0.0.0.0" });
      const shared = await open(kit, { host: "0.0.0.0", shared: true });
      const options = { receiveBuffer: 65_536 };
      await rejects(kit.runtime.datagram(alone.socket.local, { ...options, shared: true }), "EADDRINUSE");
      await rejects(kit.runtime.datagram(shared.socket.local, options), "EADDRINUSE");
    },
  },
  {
    name: "a socket that has not joined a group does not hear it",
    skip: hearsAll,
    async run(kit) {
      const member = await open(kit, { host: "0.0.0.0", shared: true });
      const { port } = member.socket.local;
      const outsider = await open(kit, { host: "0.0.0.0", port, shared: true });
      member.socket.join(ON_LO);
      outsider.socket.join({ group: OTHER, interface: "lo" });
      const sender = await open(kit, { multicast: LO });
      for (let n = 0; n < 5; n++) sender.send(numbered(n), { host: GROUP, port });
      sender.send(numbered(99), { host: OTHER, port });
      await Promise.all([member.untilReceived(5), outsider.untilReceived(1)]);
      assert.deepEqual([member.numbers(), outsider.numbers()], [upTo(5), [99]]);
    },
  },
  {
    name: "a socket that is bound to a group hears that group alone",
    skip: elsewhere,
    async run(kit) {
      const bound = await open(kit, { host: GROUP });
      const { port } = bound.socket.local;
      assert.equal(bound.socket.local.host, GROUP);
      bound.socket.join(ON_LO);
      const sender = await open(kit, { multicast: LO });
      const wide = await open(kit, { host: OTHER, port });
      wide.socket.join({ group: OTHER, interface: "lo" });
      sender.send(numbered(1), { host: OTHER, port });
      sender.send(numbered(2), { host: "127.0.0.1", port });
      sender.send(numbered(3), { host: GROUP, port });
      await Promise.all([bound.untilReceived(1), wide.untilReceived(1)]);
      await kit.busy(50);
      assert.deepEqual([bound.numbers(), wide.numbers()], [[3], [1]]);
    },
  },
  {
    name: "a membership with a source hears nobody else",
    skip: elsewhere,
    async run(kit) {
      const member = await open(kit, { host: SOURCED });
      const membership = { group: SOURCED, source: "127.0.0.2", interface: "lo" };
      member.socket.join(membership);
      assert.notEqual(member.socket.joined(membership), false);
      const to = member.socket.local;
      const wanted = await open(kit, { host: "127.0.0.2", multicast: LO });
      const other = await open(kit, { host: "127.0.0.3", multicast: LO });
      for (let n = 0; n < 5; n++) {
        other.send(numbered(100 + n), to);
        wanted.send(numbered(n), to);
      }
      await member.untilReceived(5);
      await kit.busy(50);
      assert.deepEqual(member.numbers(), upTo(5));
      assert.ok(member.received.every(({ from }) => from.host === "127.0.0.2"));
      member.socket.leave(membership);
      assert.equal(member.socket.joined(membership), false);
    },
  },
  {
    name: "a membership is known until it is left, and then nothing more is heard",
    skip: hearsAll,
    async run(kit) {
      const member = await open(kit, { host: "0.0.0.0" });
      const { socket } = member;
      const to = { host: GROUP, port: socket.local.port };
      const sender = await open(kit, { multicast: LO });
      assert.equal(socket.joined(ON_LO), false);
      socket.leave(ON_LO);
      socket.join(ON_LO);
      socket.join(ON_LO);
      assert.equal(socket.joined(ON_LO), true);
      sender.send(numbered(0), to);
      await member.untilReceived(1);
      socket.leave(ON_LO);
      socket.leave(ON_LO);
      assert.equal(socket.joined(ON_LO), false);
      sender.send(numbered(1), to);
      await kit.busy(50);
      socket.join(ON_LO);
      sender.send(numbered(2), to);
      await member.untilReceived(2);
      assert.deepEqual(member.numbers(), [0, 2]);
    },
  },
  {
    name: "a group of an interface that is not there is ENODEV and names it, to join and to send from",
    async run(kit) {
      const { socket } = await open(kit, { host: "0.0.0.0" });
      const nowhere = { code: "ENODEV", message: /weir-none0/ };
      assert.throws(() => socket.join({ group: GROUP, interface: "weir-none0" }), nowhere);
      assert.throws(() => socket.join({ group: GROUP, interface: "192.0.2.77" }), {
        code: "ENODEV",
        message: /192\.0\.2\.77/,
      });
      assert.equal(socket.joined({ group: GROUP, interface: "weir-none0" }), false);
      const options = { receiveBuffer: 65_536, multicast: { ttl: 1, loopback: true, interface: "weir-none0" } };
      await assert.rejects(kit.runtime.datagram({ host: "0.0.0.0", port: 0 }, options), nowhere);
    },
  },
  {
    name: "what is no group is EINVAL and named",
    async run(kit) {
      const { socket } = await open(kit, { host: "0.0.0.0" });
      for (const group of ["10.0.0.1", "223.255.255.255", "240.0.0.1", "::1", "fe80::1", "example.org", ""]) {
        const named = (error: { code?: string; message?: string }) =>
          error.code === "EINVAL" && error.message?.includes(`"${group}"`) === true;
        assert.throws(() => socket.join({ group }), named, group);
        assert.equal(socket.joined({ group }), false);
      }
      socket.close();
      assert.throws(() => socket.join(ON_LO), { code: "EBADF" });
      socket.leave(ON_LO);
      assert.equal(socket.joined(ON_LO), false);
    },
  },
  {
    name: "without loopback this machine does not hear its own datagrams to a group",
    // What is sent on the loopback interface comes back by itself.
    skip: withoutIPv6,
    async run(kit) {
      const at = ofIPv6(kit.runtime)?.name ?? "";
      const member = await open(kit, { host: "::" });
      member.socket.join({ group: GROUP6, interface: at });
      const to = { host: GROUP6, port: member.socket.local.port };
      const silent = await open(kit, { host: "::", multicast: { ttl: 1, loopback: false, interface: at } });
      const heard = await open(kit, { host: "::", multicast: { ttl: 1, loopback: true, interface: at } });
      for (let n = 0; n < 5; n++) silent.send(numbered(100 + n), to);
      heard.send(numbered(1), to);
      await member.untilReceived(1);
      await kit.busy(50);
      assert.deepEqual(member.numbers(), [1]);
      assert.equal(silent.socket.unsent, 0);
    },
  },
  {
    name: "a hop limit of 0 stays on this machine, and 255 is taken",
    skip: ({ name }) => elsewhere() ?? (name === "deno" ? "Deno refuses a hop limit of 0 (EINVAL)" : undefined),
    async run(kit) {
      const member = await open(kit, { host: GROUP });
      member.socket.join(ON_LO);
      for (const ttl of [0, 255]) {
        const sender = await open(kit, { multicast: { ...LO, ttl } });
        sender.send(numbered(ttl), member.socket.local);
        await member.untilReceived(ttl === 0 ? 1 : 2);
      }
      assert.deepEqual(member.numbers(), [0, 255]);
    },
  },
];
