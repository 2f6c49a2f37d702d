/** What a supervisor hears over sd_notify(3): systemd, or whoever sets NOTIFY_SOCKET. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { haveTool } from "./tools.ts";
import { Lines, Weir } from "./weir.ts";

/** A target that is there: weir would reset who connects, at times before it knows that it is connected. */
const target = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
afterAll(() => target.stop(true));
const ARGS = ["tcp", "127.0.0.1:0", `127.0.0.1:${target.port}`, "--metrics", "off"];
const withSocat = test.skipIf(process.platform !== "linux" || !haveTool("socat"));

/** Somebody who listens on `address`, as socat writes it, and prints what comes. */
async function supervisor(address: string) {
  const child = Bun.spawn(["socat", "-d", "-d", "-u", address, "STDOUT"], { stdout: "pipe", stderr: "pipe" });
  const [lines, log] = [new Lines(child.stdout), new Lines(child.stderr)];
  await log.next((line) => line.includes("starting data transfer loop"));
  return {
    next: () => lines.next((line) => !line.startsWith("STATUS=")),
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "weir-notify-"));
const path = join(folder, "socket");
const name = `weir-notify-${process.pid}`;

withSocat.each([
  ["bun", path, `UNIX-RECV:${path},unlink-early`],
  ["deno", path, `UNIX-RECV:${path},unlink-early`],
  ["bun", `@${name}`, `ABSTRACT-RECV:${name}`],
] as const)(
  "under %s, at %s: ready when it listens, reloading and ready again, stopping",
  async (runtime, at, socat) => {
    await using heard = await supervisor(socat);
    await using weir = await Weir.start(ARGS, runtime, ["env", `NOTIFY_SOCKET=${at}`]);
    expect(await heard.next()).toBe("READY=1");
    const port = await weir.port();
    const client = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    client.end();
    weir.signal("SIGHUP");
    expect(await heard.next()).toBe("RELOADING=1");
    const [, micros] = /^MONOTONIC_USEC=(\d+)$/.exec(await heard.next()) ?? [];
    // The clock of the machine, not that of the process, which has just begun.
    expect(Number(micros)).toBeGreaterThan(performance.now() * 1_000);
    expect(await heard.next()).toBe("READY=1");
    weir.signal("SIGTERM");
    expect(await heard.next()).toBe("STOPPING=1");
    expect(await weir.exit()).toBe(0);
  },
);

test("a supervisor that cannot be told is no reason not to run: it is said in a line", async () => {
  const nobody = ["env", `NOTIFY_SOCKET=${join(folder, "nobody")}`];
  await using weir = await Weir.start(ARGS, "bun", nobody);
  expect(await weir.stderr.next()).toContain("(NOTIFY_SOCKET) that it is ready: connect: ENOENT");
  await weir.port();
});

test("Node cannot tell it, and says what to do", async () => {
  await using weir = await Weir.start(ARGS, "node", ["env", `NOTIFY_SOCKET=${path}`]);
  expect(await weir.stderr.next()).toContain("under systemd, use Type=exec");
  weir.signal("SIGTERM");
  expect(await weir.exit()).toBe(0);
  rmSync(folder, { recursive: true });
});
