/** Real programs through `weir tcp` behave as they do without it. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { haveTool } from "./tools.ts";
import { run, Weir } from "./weir.ts";

const GIGABYTE = 1_000_000_000;

/** A web server with one file of a gigabyte, made while it is read, and its checksum. */
function webServer() {
  const block = new Uint8Array(1_000_000).map((_, index) => (index * 7 + (index >> 8)) & 0xff);
  const hash = createHash("sha256");
  for (let at = 0; at < GIGABYTE; at += block.length) hash.update(block);
  let gate: Promise<void> | undefined;
  const started: (() => void)[] = [];
  const body = (size: number) => {
    let sent = 0;
    return new ReadableStream({
      async pull(controller) {
        if (sent === block.length) {
          for (const each of started) each();
          await gate;
        }
        if (sent >= size) return controller.close();
        controller.enqueue(block);
        sent += block.length;
      },
    });
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/file") return new Response(body(GIGABYTE));
      if (pathname === "/small") return new Response(body(20_000_000));
      return new Response("hello from the web\n");
    },
  });
  return {
    address: `127.0.0.1:${server.port}`,
    checksum: hash.digest("hex"),
    /** From now on a download stops after its first block until the returned function is called. */
    hold(): { begun: Promise<void>; release: () => void } {
      const begun = new Promise<void>((resolve) => started.push(resolve));
      let release = () => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return { begun, release: () => release() };
    },
    [Symbol.dispose]: () => void server.stop(true),
  };
}

test.skipIf(!haveTool("curl"))("curl fetches a page", async () => {
  using web = webServer();
  await using weir = await Weir.start(["tcp", "127.0.0.1:0", web.address, "--metrics", "off"]);
  const answer = await run(["curl", "-sS", `http://127.0.0.1:${await weir.port()}/`]);
  expect(answer).toEqual({ code: 0, out: "hello from the web\n", err: "" });
});

test("a file of 1 GB arrives with the same checksum", async () => {
  using web = webServer();
  await using weir = await Weir.start(["tcp", "127.0.0.1:0", web.address, "--metrics", "off"]);
  const hash = createHash("sha256");
  let size = 0;
  const answer = await fetch(`http://127.0.0.1:${await weir.port()}/file`);
  for await (const chunk of answer.body ?? []) {
    hash.update(chunk);
    size += chunk.length;
  }
  expect(size).toBe(GIGABYTE);
  expect(hash.digest("hex")).toBe(web.checksum);
});

test("SIGTERM during a download lets it finish, refuses new clients and exits 0", async () => {
  using web = webServer();
  await using weir = await Weir.start(["tcp", "127.0.0.1:0", web.address, "--metrics", "off"]);
  const port = await weir.port();
  const { begun, release } = web.hold();
  const download = fetch(`http://127.0.0.1:${port}/small`, { headers: { connection: "close" } });
  await begun;
  weir.signal("SIGTERM");
  await weir.stdout.next((line) => line.includes("stopping"));
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  release();
  expect((await (await download).arrayBuffer()).byteLength).toBe(20_000_000);
  expect(await weir.stdout.next((line) => line.startsWith("[METRICS] active: 0"))).toMatch(
    /total: 1 \| up: .* \| down: 20\.0MB/,
  );
  expect(await weir.exit()).toBe(0);
});

test("a second signal cuts at once", async () => {
  using web = webServer();
  await using weir = await Weir.start(["tcp", "127.0.0.1:0", web.address, "--metrics", "off"]);
  const { begun, release } = web.hold();
  const download = fetch(`http://127.0.0.1:${await weir.port()}/small`).then((answer) => answer.arrayBuffer());
  download.catch(() => {});
  await begun;
  weir.signal("SIGINT");
  await weir.stdout.next((line) => line.includes("stopping"));
  weir.signal("SIGINT");
  expect(await weir.exit()).toBe(0);
  await expect(download).rejects.toThrow();
  release();
});

test.skipIf(!haveTool("nc"))("netcat with a half-close gets its whole answer", async () => {
  await using echo = await Weir.start(["echo"]);
  const target = `127.0.0.1:${await echo.port()}`;
  await using weir = await Weir.start(["tcp", "127.0.0.1:0", target, "--metrics", "off"]);
  const port = String(await weir.port());
  expect((await run(["nc", "-N", "127.0.0.1", port], "x")).out).toBe("x");
  const long = "0123456789".repeat(500_000);
  expect((await run(["nc", "-N", "127.0.0.1", port], long)).out).toBe(long);
});

test.skipIf(!haveTool("redis-server") || !haveTool("redis-cli"))("redis-cli talks to a Redis server", async () => {
  const path = `/tmp/weir-redis-${process.pid}.sock`;
  const server = Bun.spawn(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--daemonize", "no"], {
    stdout: "pipe",
  });
  try {
    const reader = server.stdout.getReader();
    for (let said = ""; !said.includes("connections at"); ) {
      said += new TextDecoder().decode((await reader.read()).value);
    }
    await using weir = await Weir.start(["tcp", "127.0.0.1:0", `unix:${path}`, "--metrics", "off"]);
    const cli = (...args: string[]) => run(["redis-cli", "-p", port, ...args]);
    const port = String(await weir.port());
    expect((await cli("SET", "key", "v".repeat(100_000))).out).toBe("OK\n");
    expect((await cli("GET", "key")).out).toBe(`${"v".repeat(100_000)}\n`);
    expect((await run(["redis-cli", "-p", port], "INCR n\n".repeat(1_000))).out.trim().split("\n").at(-1)).toBe("1000");
  } finally {
    server.kill();
    await server.exited;
  }
});

test.skipIf(!haveTool("iperf3"))("iperf3 runs both ways", async () => {
  for (const direction of [[], ["-R"], ["--bidir"]]) await iperf(direction);
});

/**
 * With --bidir iperf3 tells its two connections apart by the order in which they arrive, and waits for ever when
 * that has changed. Several threads do not keep it.
 */
const ONE_WORKER = ["--workers", "1"];

/** iperf3 cannot take port 0, so it gets a port that was free a moment ago. */
async function iperf(direction: string[]): Promise<void> {
  const free = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const port = String(free.port);
  free.stop(true);
  const server = Bun.spawn(["iperf3", "-s", "-1", "-B", "127.0.0.1", "-p", port, "--forceflush"], { stdout: "pipe" });
  try {
    const reader = server.stdout.getReader();
    for (let said = ""; !said.includes("listening"); ) said += new TextDecoder().decode((await reader.read()).value);
    await using weir = await Weir.start(["tcp", "127.0.0.1:0", `127.0.0.1:${port}`, "--metrics", "off", ...ONE_WORKER]);
    const client = ["iperf3", "-c", "127.0.0.1", "-p", String(await weir.port()), "-n", "100M", "-J", ...direction];
    const result = JSON.parse((await run(client)).out) as { error?: string; end: Record<string, { bytes: number }> };
    expect(result.error).toBeUndefined();
    // What was received is counted when the other, the control connection says "done", which may overtake the
    // last bytes in any proxy; what was sent is exact. With --bidir iperf3 stops when one direction is done.
    const sent = [result.end["sum_sent"], result.end["sum_sent_bidir_reverse"]].map((sum) => sum?.bytes ?? 0);
    expect(Math.max(...sent)).toBe(100 * 2 ** 20);
    expect(result.end["sum_received"]?.bytes).toBeGreaterThan(0);
  } finally {
    server.kill();
    await server.exited;
  }
}
