/** Time, accepting and HTTP: what the seam offers besides streams. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect as connectNode } from "node:net";
import { join } from "node:path";
import type { Address } from "../../../src/net/address.ts";
import { type Case, deferred, LOOPBACK } from "../kit.ts";
import { rejects } from "./addresses.ts";

export const platform: readonly Case[] = [
  {
    name: "an address with TLS is ENOTSUP where there is none",
    skip: ({ tls }) => (tls ? "there is TLS" : undefined),
    async run(kit) {
      const at = { kind: "tcp", host: "127.0.0.1", port: 0, tls: true } as const;
      await assert.rejects(
        kit.listen(at, () => {}),
        { code: "ENOTSUP", message: /^Cannot listen on tls:/ },
      );
      await assert.rejects(kit.connect({ ...at, port: 1 }), { code: "ENOTSUP", message: /^Cannot connect to tls:/ });
    },
  },
  {
    name: "timers run once, in order of time, and not after cancel",
    async run({ runtime }) {
      const ran: string[] = [];
      const start = runtime.now();
      await new Promise<void>((resolve) => {
        runtime.after(30, () => {
          ran.push("late");
          resolve();
        });
        runtime.after(5, () => ran.push("early"));
        runtime.after(10, () => ran.push("cancelled")).cancel();
      });
      assert.deepEqual(ran, ["early", "late"]);
      assert.ok(runtime.now() - start >= 29);
    },
  },
  {
    name: "the exact time never goes back, is on the clock of now, and goes on within a turn",
    async run({ runtime }) {
      const turn = runtime.now();
      const start = runtime.exactNow();
      assert.ok(start >= turn);
      let last = start;
      while (last < start + 2) {
        const next = runtime.exactNow();
        assert.ok(next >= last);
        last = next;
      }
      await new Promise<void>((resolve) => runtime.after(5, resolve));
      assert.ok(runtime.now() <= runtime.exactNow());
      assert.ok(runtime.exactNow() >= last + 4);
    },
  },
  {
    name: "an alarm rings once each time it is set, never early, and what was set before is forgotten",
    async run({ runtime }) {
      const rang: number[] = [];
      let heard = () => {};
      const alarm = runtime.alarm(() => {
        rang.push(runtime.exactNow());
        heard();
      });
      const next = () => new Promise<void>((resolve) => (heard = resolve));
      const start = runtime.exactNow();
      alarm.set(start + 60_000);
      alarm.set(start + 7.5);
      await next();
      assert.ok((rang[0] as number) >= start + 7.5);
      // In the past, and again from inside of its ring.
      const again = next().then(() => alarm.set(runtime.exactNow() + 2));
      alarm.set(start);
      await again;
      await next();
      assert.equal(rang.length, 3);
      alarm.set(runtime.exactNow() + 5);
      alarm.close();
      alarm.set(runtime.exactNow() + 5);
      alarm.close();
      await new Promise<void>((resolve) => runtime.after(30, resolve));
      assert.equal(rang.length, 3);
    },
  },
  {
    name: "a paused listener leaves clients in the kernel's queue, and serves them after resume",
    skip: (runtime) => (runtime.can.pauseAccept ? undefined : `${runtime.name} accepts whatever comes`),
    async run(kit) {
      let accepted = 0;
      const served = deferred<void>();
      const listener = await kit.listen(LOOPBACK, (socket) => {
        accepted++;
        socket.abort();
        if (accepted === 3) served.resolve();
      });
      listener.pause();
      listener.pause();
      for (let n = 0; n < 3; n++) await kit.connect(listener.address);
      await kit.busy(50);
      assert.equal(accepted, 0);
      listener.resume();
      listener.resume();
      await served.promise;
      listener.pause();
      await listener.close();
      await rejects(kit.connect(listener.address), "ECONNREFUSED");
    },
  },
  {
    name: "a paused listener on a socket file keeps the file, and takes it away when it closes",
    skip: (runtime) => (runtime.can.pauseAccept ? undefined : `${runtime.name} accepts whatever comes`),
    async run(kit) {
      const served = deferred<void>();
      const at: Address = { kind: "unix", path: join(kit.directory(), "s") };
      const listener = await kit.listen(at, (socket) => {
        kit.later(() => socket.abort());
        served.resolve();
      });
      for (let round = 0; round < 2; round++) {
        listener.pause();
        assert.ok(existsSync(at.path));
        listener.resume();
      }
      listener.pause();
      await kit.connect(at);
      listener.resume();
      await served.promise;
      await kit.connect(at);
      await listener.close();
      assert.ok(!existsSync(at.path));
    },
  },
  {
    name: "unacknowledged tells what the kernel still has to deliver, and is 0 when the peer has it all",
    skip: (runtime) => (runtime.can.abstractUnix ? undefined : "Linux alone shows it"),
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true });
      while (client.write(1_000_000));
      assert.ok((client.socket.unacknowledged() ?? 0) > 0);
      server.resume();
      await server.until(() => server.received === client.sent, "all");
      // The peer has read everything; its acknowledgement of the last bytes is on its way.
      for (let left = 100; client.socket.unacknowledged() !== 0; left--) {
        assert.ok(left > 0, `${client.socket.unacknowledged()} bytes stay unacknowledged`);
        await kit.busy(50);
      }
    },
  },
  {
    name: "serve answers HTTP on a port it reports, and is gone after close",
    async run({ runtime }) {
      const server = await runtime.serve(
        LOOPBACK,
        (request) => new Response(`you asked ${new URL(request.url).pathname}`),
      );
      const { address } = server;
      assert.ok(address.kind === "tcp" && address.port > 0);
      const answer = await fetch(`http://127.0.0.1:${address.port}/x`, { headers: { connection: "close" } });
      assert.equal(await answer.text(), "you asked /x");
      await rejects(
        runtime.serve(address, () => new Response("")),
        "EADDRINUSE",
      );
      await server.close();
      await assert.rejects(fetch(`http://127.0.0.1:${address.port}/x`));
    },
  },
  {
    name: "serve refuses oversized headers and goes on",
    async run(kit) {
      const server = await kit.runtime.serve(LOOPBACK, () => new Response("fine"));
      kit.later(() => server.close());
      const refused = await rawRequest(
        server.address,
        `GET / HTTP/1.1\r\nhost: x\r\nbig: ${"x".repeat(1 << 20)}\r\n\r\n`,
      );
      assert.ok(!refused.includes("fine"), refused.slice(0, 100));
      const answer = await rawRequest(server.address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
      assert.ok(answer.includes("fine"), answer);
    },
  },
];

function rawRequest(to: Address, text: string): Promise<string> {
  assert.ok(to.kind === "tcp");
  const { port } = to;
  return new Promise((resolve) => {
    let answer = "";
    const socket = connectNode(port, "127.0.0.1", () => socket.write(text));
    socket.setEncoding("latin1");
    socket.on("data", (part: string) => {
      answer += part;
    });
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => resolve(answer));
  });
}
