/** What a name means: its addresses, its services, and how certain it is that there are none. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { Service } from "../../../src/net/runtime.ts";
import { DnsServer, type Failure, type Zone } from "../dns-server.ts";
import type { Case, Kit } from "../kit.ts";
import { rejects } from "./addresses.ts";

/** Milliseconds that no answer needs, those in which one of several has to come, and those of a question without one. */
const TIMEOUT = 20_000;
const LONG = 3_000;
const SHORT = 300;

const SERVICES: readonly Service[] = [
  { host: "one.test", port: 8_001, priority: 10, weight: 60 },
  { host: "two.test", port: 65_535, priority: 20, weight: 0 },
];

export const names: readonly Case[] = [
  {
    name: "a name has all its addresses, IPv4 and IPv6, each once",
    async run(kit) {
      const A = ["10.0.0.1", "10.0.0.2", "10.0.0.1"];
      const servers = [await kit.dns({ "db.test": { A, AAAA: ["fd00::1", "fd00::2"] } })];
      const found = await kit.runtime.resolve("db.test", { servers, timeout: TIMEOUT });
      assert.deepEqual([...found].sort(), ["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"]);
    },
  },
  {
    name: "a name with addresses of one family needs none of the other",
    async run(kit) {
      const servers = [await kit.dns({ "four.test": { A: ["10.0.0.4"] }, "six.test": { AAAA: ["fd00::6"] } })];
      const options = { servers, timeout: TIMEOUT };
      assert.deepEqual(await kit.runtime.resolve("four.test", options), ["10.0.0.4"]);
      assert.deepEqual(await kit.runtime.resolve("six.test", options), ["fd00::6"]);
      assert.deepEqual(await kit.runtime.resolve("six.test.", options), ["fd00::6"]);
    },
  },
  {
    name: "an address is its own, whatever DNS says",
    async run({ runtime }) {
      const options = { servers: ["127.0.0.1:1"], timeout: TIMEOUT };
      assert.deepEqual(await runtime.resolve("10.0.0.1", options), ["10.0.0.1"]);
      assert.deepEqual(await runtime.resolve("fd00::1", options), ["fd00::1"]);
    },
  },
  {
    name: "the services of a name come with host, port, priority and weight",
    async run(kit) {
      const servers = [await kit.dns({ "_db._tcp.test": { SRV: SERVICES } })];
      const found = await kit.runtime.resolveService("_db._tcp.test", { servers, timeout: TIMEOUT });
      assert.deepEqual(
        [...found].sort((a, b) => a.priority - b.priority),
        SERVICES,
      );
    },
  },
  {
    name: "no such name, a name without records and a service that is declined are ENOTFOUND",
    async run(kit) {
      const declined: Service = { host: "", port: 0, priority: 0, weight: 0 };
      const servers = [await kit.dns({ "empty.test": {}, "_no._tcp.test": { SRV: [declined] } })];
      const options = { servers, timeout: TIMEOUT };
      for (const host of ["none.test", "empty.test", `${"x".repeat(64)}.test`]) {
        await rejects(kit.runtime.resolve(host, options), "ENOTFOUND");
        await rejects(kit.runtime.resolveService(host, options), "ENOTFOUND");
      }
      await rejects(kit.runtime.resolveService("_no._tcp.test", options), "ENOTFOUND");
    },
  },
  {
    name: "a server that fails is EAI_AGAIN, not ENOTFOUND",
    async run(kit) {
      const servers = [await kit.dns({ "broken.test": all("SERVFAIL"), "refused.test": all("REFUSED") })];
      const options = { servers, timeout: TIMEOUT };
      for (const host of ["broken.test", "refused.test"]) {
        await rejects(kit.runtime.resolve(host, options), "EAI_AGAIN");
        await rejects(kit.runtime.resolveService(host, options), "EAI_AGAIN");
      }
    },
  },
  {
    name: "one family that fails costs the other nothing, but leaves it open whether there are addresses",
    async run(kit) {
      const zone: Zone = {
        "four.test": { A: ["10.0.0.4"], AAAA: "SERVFAIL" },
        "six.test": { A: "REFUSED", AAAA: ["fd00::6"] },
        "half.test": { AAAA: "silence", A: ["10.0.0.7"] },
        "open.test": { AAAA: "SERVFAIL" },
      };
      const options = { servers: [await kit.dns(zone)], timeout: TIMEOUT };
      assert.deepEqual(await kit.runtime.resolve("four.test", options), ["10.0.0.4"]);
      assert.deepEqual(await kit.runtime.resolve("six.test", options), ["fd00::6"]);
      assert.deepEqual(await kit.runtime.resolve("half.test", { ...options, timeout: LONG }), ["10.0.0.7"]);
      await rejects(kit.runtime.resolve("open.test", options), "EAI_AGAIN");
    },
  },
  {
    name: "no answer within the timeout is EAI_AGAIN, and the message names the name and the servers",
    async run(kit) {
      const { runtime } = kit;
      const servers = [await kit.dns({ "silent.test": all("silence") })];
      const start = runtime.now();
      const failing = Promise.all([
        rejects(runtime.resolve("silent.test", { servers, timeout: SHORT }), "EAI_AGAIN"),
        rejects(runtime.resolveService("silent.test", { servers, timeout: SHORT }), "EAI_AGAIN"),
      ]);
      await failing;
      assert.ok(runtime.now() - start >= SHORT - 5, `${runtime.now() - start} ms`);
      await assert.rejects(runtime.resolve("silent.test", { servers, timeout: 1 }), ({ message }: Error) => {
        assert.ok(message.includes("silent.test") && message.includes(String(servers[0])), message);
        return true;
      });
    },
  },
  {
    name: "a closed port in place of a DNS server is EAI_AGAIN",
    async run(kit) {
      const server = await DnsServer.start(kit.runtime, {});
      await server.close();
      await rejects(kit.runtime.resolve("db.test", { servers: [server.address], timeout: SHORT }), "EAI_AGAIN");
    },
  },
  {
    name: "a DNS server that fails or says nothing is made up for by the next",
    async run(kit) {
      const mute = await kit.dns({ "db.test": all("silence") });
      const broken = await kit.dns({ "db.test": all("SERVFAIL"), "_db._tcp.test": all("REFUSED") });
      const good = await kit.dns({ "db.test": { A: ["10.0.0.1"] }, "_db._tcp.test": { SRV: SERVICES } });
      const found = await kit.runtime.resolve("db.test", { servers: [broken, mute, good], timeout: LONG });
      assert.deepEqual(found, ["10.0.0.1"]);
      const services = await kit.runtime.resolveService("_db._tcp.test", { servers: [broken, good], timeout: LONG });
      assert.equal(services.length, 2);
    },
  },
  {
    name: "a lost question is asked once more, over IPv6 as well",
    async run(kit) {
      const server = await serve(kit, { "db.test": { A: ["10.0.0.1"] } }, "::1");
      server.losing = 2;
      const found = await kit.runtime.resolve("db.test", { servers: [server.address], timeout: LONG });
      assert.deepEqual(found, ["10.0.0.1"]);
    },
  },
  {
    name: "an answer that is too big for a datagram comes whole",
    async run(kit) {
      const A = Array.from({ length: 250 }, (_, n) => `10.1.0.${n}`);
      const SRV = A.map((_, n) => ({ host: `node-${n}.test`, port: 8_000 + n, priority: 1, weight: n }));
      const servers = [await kit.dns({ "big.test": { A, SRV } })];
      const options = { servers, timeout: TIMEOUT };
      assert.deepEqual([...(await kit.runtime.resolve("big.test", options))].sort(), [...A].sort());
      const services = await kit.runtime.resolveService("big.test", options);
      assert.deepEqual(
        [...services].sort((a, b) => a.port - b.port),
        SRV,
      );
    },
  },
  {
    name: "without a server the machine is asked, with its hosts file",
    async run({ runtime }) {
      const found = await runtime.resolve("localhost", { servers: [], timeout: TIMEOUT });
      assert.ok(found.length > 0 && found.every((host) => host === "127.0.0.1" || host === "::1"), String(found));
      await rejects(runtime.resolve("x".repeat(64), { servers: [], timeout: TIMEOUT }), "ENOTFOUND");
    },
  },
  {
    name: "a server that is no IP address with a port is refused",
    async run({ runtime }) {
      for (const server of ["dns.test:53", "127.0.0.1:0", "127.0.0.1:65536"]) {
        const refused = { name: "UsageError", code: "EADDRESS" };
        await assert.rejects(runtime.resolve("db.test", { servers: [server], timeout: SHORT }), refused);
        await assert.rejects(runtime.resolveService("db.test", { servers: [server], timeout: SHORT }), refused);
      }
    },
  },
  {
    name: "questions leave no descriptor behind, answered or not",
    skip: (runtime) => (runtime.can.abstractUnix ? undefined : "counts descriptors in /proc"),
    async run(kit) {
      const server = await serve(kit, { "db.test": { A: ["10.0.0.1"] }, "silent.test": all("silence"), "no.test": {} });
      const options = { servers: [server.address], timeout: 50 };
      const round = async () => {
        await kit.runtime.resolve("db.test", { ...options, timeout: TIMEOUT });
        await rejects(kit.runtime.resolve("no.test", { ...options, timeout: TIMEOUT }), "ENOTFOUND");
        await rejects(kit.runtime.resolve("silent.test", options), "EAI_AGAIN");
      };
      await round();
      const before = readdirSync("/proc/self/fd").length;
      for (let n = 0; n < 10; n++) await round();
      const after = readdirSync("/proc/self/fd").length;
      assert.ok(after < before + 10, `${before} descriptors before, ${after} after`);
    },
  },
];

/** A server that the case can look at. */
async function serve(kit: Kit, zone: Zone, host?: string): Promise<DnsServer> {
  const server = await DnsServer.start(kit.runtime, zone, host);
  kit.later(() => server.close());
  return server;
}

/** Fails whatever is asked for. */
function all(failure: Failure): Zone[string] {
  return { A: failure, AAAA: failure, SRV: failure };
}
