/** How listening begins and ends: ports that are shared, and clients that wait when it is over. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "../../../src/net/address.ts";
import type { Runtime, StreamSocket } from "../../../src/net/runtime.ts";
import { type Case, type Kit, LOOPBACK } from "../kit.ts";
import { rejects } from "./addresses.ts";

const SHARED = { reusePort: true };
const CLIENTS = 40;

export const listening: readonly Case[] = [
  {
    name: "two listeners that share a port both get connections",
    skip: sharesNot,
    async run(kit) {
      const counts = [0, 0];
      const first = await kit.listen(LOOPBACK, (socket) => count(kit, counts, 0, socket), SHARED);
      const second = await kit.listen(first.address, (socket) => count(kit, counts, 1, socket), SHARED);
      assert.deepEqual(second.address, first.address);
      // The kernel chooses by a hash of the addresses: that all go to one side has a chance of 2^-39.
      for (let n = 0; n < CLIENTS; n++) await kit.connect(first.address);
      while (Number(counts[0]) + Number(counts[1]) < CLIENTS) await kit.busy(10);
      assert.ok(Math.min(...counts) > 0, `one listener got ${counts[0]} connections, the other ${counts[1]}`);
    },
  },
  {
    name: "a port that is shared goes to those who stay when one leaves",
    skip: sharesNot,
    async run(kit) {
      const counts = [0, 0];
      const first = await kit.listen(LOOPBACK, (socket) => count(kit, counts, 0, socket), SHARED);
      await kit.listen(first.address, (socket) => count(kit, counts, 1, socket), SHARED);
      await first.close();
      for (let n = 0; n < CLIENTS; n++) await kit.connect(first.address);
      while (Number(counts[1]) < CLIENTS) await kit.busy(10);
      assert.equal(counts[0], 0);
    },
  },
  {
    name: "a port is EADDRINUSE for one that does not share it, and for all if its owner does not",
    async run(kit) {
      const sharing = kit.runtime.can.reusePort ? SHARED : {};
      const alone = await kit.listen(LOOPBACK, () => {});
      await rejects(
        kit.listen(alone.address, () => {}),
        "EADDRINUSE",
      );
      await rejects(
        kit.listen(alone.address, () => {}, sharing),
        "EADDRINUSE",
      );
      const shared = await kit.listen(LOOPBACK, () => {}, sharing);
      await rejects(
        kit.listen(shared.address, () => {}),
        "EADDRINUSE",
      );
    },
  },
  {
    name: "closing accepts who waits since before a resume",
    skip: (runtime) => (runtime.can.pauseAccept ? undefined : `${runtime.name} accepts whatever comes`),
    async run(kit) {
      let accepted = 0;
      const listener = await kit.listen(LOOPBACK, (socket) => {
        accepted++;
        kit.later(() => socket.abort());
      });
      listener.pause();
      for (let n = 0; n < CLIENTS; n++) await kit.connect(listener.address);
      assert.equal(accepted, 0);
      listener.resume();
      await listener.close();
      assert.equal(accepted, CLIENTS);
      await rejects(kit.connect(listener.address), "ECONNREFUSED");
    },
  },
  {
    name: "closing accepts who waits at a port while the process stands still",
    run: (kit) => closesUnderLoad(kit, LOOPBACK),
  },
  {
    name: "closing accepts who waits at a socket file while the process stands still",
    run: (kit) => closesUnderLoad(kit, { kind: "unix", path: join(kit.directory(), "s") }),
  },
];

function sharesNot({ can, name, version }: Runtime): string | undefined {
  return can.reusePort ? undefined : `${name} ${version} cannot share a port`;
}

function count(kit: Kit, counts: number[], index: number, socket: StreamSocket): void {
  counts[index] = Number(counts[index]) + 1;
  kit.later(() => socket.abort());
}

/** More than any adapter accepts at one go. */
const CROWD = 300;

/** Clients come while nothing is accepted, and the listener closes before it has seen one of them. */
async function closesUnderLoad(kit: Kit, at: Address): Promise<void> {
  let accepted = 0;
  const listener = await kit.listen(at, (socket) => {
    accepted++;
    socket.write(new TextEncoder().encode("served"));
    kit.later(() => socket.abort());
  });
  const served = crowd(kit, listener.address);
  assert.equal(accepted, 0);
  await listener.close();
  assert.equal(accepted, CROWD);
  assert.equal(await served, `${CROWD} served, 0 reset`);
}

/** Stands still until another process has connected all its clients; resolves to what has become of them. */
function crowd(kit: Kit, to: Address): Promise<string> {
  const connected = join(kit.directory(), "connected");
  const place = to.kind === "unix" ? { path: to.path } : { host: to.host, port: to.port };
  const source = `const { connect } = require("node:net");
    let [there, served, reset] = [0, 0, 0];
    const over = () => {
      if (served + reset === ${CROWD}) process.stdout.write(served + " served, " + reset + " reset", () => process.exit());
    };
    for (let n = 0; n < ${CROWD}; n++) {
      const client = connect(${JSON.stringify(place)}, () => {
        if (++there === ${CROWD}) require("node:fs").writeFileSync(${JSON.stringify(connected)}, "");
      });
      client.once("data", () => over(served++));
      client.once("error", () => over(reset++));
    }`;
  const child = spawn("node", ["-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  kit.later(() => {
    child.kill("SIGKILL");
  });
  const said = new Promise<string>((resolve) => {
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
    });
    child.stdout.on("end", () => resolve(text));
  });
  const start = performance.now();
  while (!existsSync(connected)) assert.ok(performance.now() - start < 30_000, "the clients never connected");
  return said;
}
