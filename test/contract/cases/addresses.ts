/** Where one can listen and connect, and how it fails. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "../../../src/net/address.ts";
import { SocketError } from "../../../src/net/errors.ts";
import type { Connecting, ConnectOptions, Runtime, StreamSocket } from "../../../src/net/runtime.ts";
import { type Case, CONNECT, deferred, type Kit, LOOPBACK, NOBODY } from "../kit.ts";

export const addresses: readonly Case[] = [
  {
    name: "port 0 takes a free port and reports it",
    async run(kit) {
      const { client, server, listener } = await kit.pair();
      const bound = listener.address;
      assert.ok(bound.kind === "tcp" && bound.port > 0);
      assert.deepEqual(client.socket.remote, bound);
      assert.deepEqual(server.socket.local, bound);
      assert.deepEqual(server.socket.remote, client.socket.local);
    },
  },
  { name: "IPv4", run: (kit) => exchange(kit, LOOPBACK) },
  { name: "IPv6", run: (kit) => exchange(kit, { kind: "tcp", host: "::1", port: 0 }) },
  { name: "unix socket file", run: (kit) => exchange(kit, { kind: "unix", path: join(kit.directory(), "s") }) },
  {
    name: "abstract unix socket",
    skip: (runtime) => (runtime.can.abstractUnix ? undefined : "Linux alone has abstract sockets"),
    run: (kit) => exchange(kit, { kind: "unix", path: `@weir-${kit.directory().split("-").at(-1)}` }),
  },
  {
    name: "a host name is resolved",
    async run(kit) {
      const listener = await kit.listen(LOOPBACK, (socket) => kit.later(() => socket.abort()));
      assert.ok(listener.address.kind === "tcp");
      await kit.connect({ kind: "tcp", host: "localhost", port: listener.address.port });
    },
  },
  {
    name: "a listener on :: takes IPv4 too and shows the client as IPv4",
    async run(kit) {
      const arrived = deferred<Address>();
      const listener = await kit.listen({ kind: "tcp", host: "::", port: 0 }, (socket) => {
        arrived.resolve(socket.remote);
        kit.later(() => socket.abort());
      });
      assert.ok(listener.address.kind === "tcp");
      await kit.connect({ kind: "tcp", host: "127.0.0.1", port: listener.address.port });
      const remote = await arrived.promise;
      assert.ok(remote.kind === "tcp" && remote.host === "127.0.0.1");
    },
  },
  {
    name: "a taken address is EADDRINUSE",
    async run(kit) {
      const first = await kit.listen(LOOPBACK, () => {});
      await rejects(
        kit.listen(first.address, () => {}),
        "EADDRINUSE",
      );
    },
  },
  {
    name: "a socket file goes with its listener, a stale one is replaced, a live one is EADDRINUSE",
    async run(kit) {
      const at: Address = { kind: "unix", path: join(kit.directory(), "s") };
      const first = await kit.listen(at, (socket) => socket.abort());
      await rejects(
        kit.listen(at, () => {}),
        "EADDRINUSE",
      );
      await first.close();
      assert.ok(!existsSync(at.path));
      await leaveStale(at.path);
      assert.ok(existsSync(at.path));
      await exchange(kit, at);
    },
  },
  {
    name: "a directory or a plain file in place of the socket file is refused and left alone",
    async run(kit) {
      const directory = kit.directory();
      mkdirSync(join(directory, "d"));
      writeFileSync(join(directory, "f"), "precious");
      await rejects(
        kit.listen({ kind: "unix", path: join(directory, "d") }, () => {}),
        "ENOTSOCK",
      );
      await rejects(
        kit.listen({ kind: "unix", path: join(directory, "f") }, () => {}),
        "ENOTSOCK",
      );
      assert.ok(existsSync(join(directory, "f")));
    },
  },
  {
    name: "connect refused is ECONNREFUSED, a missing socket file ENOENT",
    async run(kit) {
      await rejects(kit.connect(NOBODY), "ECONNREFUSED");
      await rejects(kit.connect({ kind: "unix", path: join(kit.directory(), "none") }), "ENOENT");
    },
  },
  {
    name: "a connection comes from the source address that is asked for, and EADDRNOTAVAIL from a foreign one",
    // Elsewhere 127.0.0.1 is the only loopback address.
    skip: (runtime) => (runtime.can.abstractUnix ? undefined : "Linux alone has all of 127.0.0.0/8"),
    async run(kit) {
      const arrived = deferred<Address>();
      const listener = await kit.listen(LOOPBACK, (socket) => {
        arrived.resolve(socket.remote);
        kit.later(() => socket.abort());
      });
      const socket = await kit.connect(listener.address, { source: "127.0.0.9" });
      const remote = await arrived.promise;
      assert.ok(remote.kind === "tcp" && remote.host === "127.0.0.9");
      assert.deepEqual(socket.local, remote);
      await rejects(kit.connect(listener.address, { source: "192.0.2.1" }), "EADDRNOTAVAIL");
    },
  },
  {
    name: "an unresolvable name is ENOTFOUND",
    async run(kit) {
      // A label of 64 characters (RFC 1035 section 2.3.4 allows 63): no resolver sends a query for it.
      await rejects(kit.connect({ kind: "tcp", host: "x".repeat(64), port: 80 }), "ENOTFOUND");
    },
  },
  {
    name: "a silent host is ETIMEDOUT, again and again, and a cancelled attempt ECANCELED",
    async run(kit) {
      const silent = await kit.silentListener();
      await rejects(kit.connect(silent, { timeout: 50 }), "ETIMEDOUT");
      await rejects(kit.connect(silent, { timeout: 50 }), "ETIMEDOUT");
      const attempt = kit.runtime.connect(silent, CONNECT);
      const failing = rejects(attempt.socket, "ECANCELED");
      attempt.cancel();
      attempt.cancel();
      await failing;
    },
  },
  {
    name: "who asks to be told hears once, later, what a promise would have become",
    skip: (runtime) => (tells(runtime) ? undefined : "there are promises alone"),
    async run(kit) {
      const listener = await kit.listen(LOOPBACK, (socket) => kit.later(() => socket.abort()));
      const silent = await kit.silentListener();
      const said: string[] = [];
      const told = (to: Address, options: Partial<ConnectOptions> = {}) => {
        const over = deferred<Connecting>();
        const attempt = kit.runtime.connect(to, { ...CONNECT, ...options });
        attempt.tell?.({
          connected(socket) {
            said.push("connected");
            socket.abort();
            over.resolve(attempt);
          },
          failed(error) {
            said.push(error instanceof SocketError ? error.code : String(error));
            over.resolve(attempt);
          },
        });
        // Not before this returns.
        assert.deepEqual(said, []);
        return { attempt, over: over.promise.then(() => said.splice(0)) };
      };
      const connected = told(listener.address);
      assert.deepEqual(await connected.over, ["connected"]);
      connected.attempt.cancel();
      assert.deepEqual(await told(NOBODY).over, ["ECONNREFUSED"]);
      // No connection can have that source: the attempt fails at once.
      assert.deepEqual(await told(listener.address, { source: "192.0.2.1" }).over, ["EADDRNOTAVAIL"]);
      assert.deepEqual(await told(silent, { timeout: 50 }).over, ["ETIMEDOUT"]);
      const late = kit.runtime.connect(listener.address, CONNECT);
      await kit.busy(20);
      const socket = await new Promise<StreamSocket>((connected, failed) => late.tell?.({ connected, failed }));
      socket.abort();
      const given = told(silent);
      given.attempt.cancel();
      given.attempt.cancel();
      assert.deepEqual(await given.over, ["ECANCELED"]);
      await kit.busy(20);
      assert.deepEqual(said, []);
    },
  },
  {
    name: "after one timeout, further attempts at the same silent host leave no descriptor behind",
    skip: (runtime) => (runtime.can.abstractUnix ? undefined : "counts descriptors in /proc"),
    async run(kit) {
      const { readdirSync } = await import("node:fs");
      const silent = await kit.silentListener();
      await rejects(kit.connect(silent, { timeout: 50 }), "ETIMEDOUT");
      const before = readdirSync("/proc/self/fd").length;
      const attempts = Array.from({ length: 20 }, () => rejects(kit.connect(silent, { timeout: 50 }), "ETIMEDOUT"));
      await Promise.all(attempts);
      await kit.busy(20);
      const after = readdirSync("/proc/self/fd").length;
      assert.ok(after - before < 10, `${after - before} descriptors more`);
    },
  },
];

function tells(runtime: Runtime): boolean {
  const attempt = runtime.connect({ kind: "unix", path: "/dev/null/none" }, CONNECT);
  attempt.socket.catch(() => {});
  return attempt.tell !== undefined;
}

async function exchange(kit: Kit, at: Address): Promise<void> {
  const { client, server } = await kit.pair({ at });
  await Promise.all([client.send(100_000), server.send(100_000)]);
  await Promise.all([
    client.until(() => client.received === 100_000, "bytes"),
    server.until(() => server.received === 100_000, "bytes"),
  ]);
}

export async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error: { code?: string; message: string; name: string }) => {
    assert.equal(error.code, code, error.message);
    assert.equal(error.name, "SocketError");
    return true;
  });
}

/** A process that binds the path and is killed leaves the file behind. */
async function leaveStale(path: string): Promise<void> {
  const { spawn } = await import("node:child_process");
  const source = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  const child = spawn("node", ["-e", source, path], { stdio: "inherit" });
  await new Promise((resolve) => child.once("exit", resolve));
}
