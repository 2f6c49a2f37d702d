/** `weir status` asks a weir of another process, under every runtime. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { STATUS } from "../../src/overview/status.ts";
import { command, RUNTIMES } from "../contract/runtimes.ts";
import { PROXY, STATUS as SOME } from "../overview/world.ts";
import { run, Weir } from "./weir.ts";

/** One of everything that weir status tells about, and where its admin API is. */
async function started(admin = "127.0.0.1:0") {
  // What has been started goes also when the rest does not start.
  await using stack = new AsyncDisposableStack();
  const echo = stack.use(await Weir.start(["echo"]));
  const target = `127.0.0.1:${await echo.port()}`;
  const folder = mkdtempSync(join(tmpdir(), "weir-status-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "weir.toml");
  const listen = admin === "unix" ? `unix:${join(folder, "admin.sock")}` : admin;
  writeFileSync(
    file,
    `
      [admin]
      listen = "${listen}"
      [[proxy]]
      name = "web"
      listen = "127.0.0.1:0"
      targets = ["${target}", "unix:${join(folder, "nobody.sock")}"]
      health = { interval = "50ms", fall = 1 }
      [[proxy]]
      name = "dns"
      listen = "udp://127.0.0.1:0"
      targets = ["${target}"]
      [[mux]]
      name = "switch"
      listen = "127.0.0.1:0"
      target = "${target}"
      protocol = "echo"
      [[udp]]
      name = "ais"
      from = ["udp://127.0.0.1:0"]
      to = ["listen://127.0.0.1:0"]
    `,
  );
  const weir = stack.use(await Weir.start(["run", file]));
  const line = await weir.stdout.next((text) => text.startsWith("metrics "));
  const all = stack.move();
  return {
    weir,
    target,
    admin: admin === "unix" ? listen : (/http:\/\/[^/]+/.exec(line)?.[0] ?? ""),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Until the health checks have found out about the target that is not there. */
async function untilDown(admin: string): Promise<string> {
  for (;;) {
    const { out } = await Weir.run("status", admin);
    if (out.includes(" down ")) return out;
  }
}

describe.each(RUNTIMES)("under %s", (runtime) => {
  test("it prints all that runs, for people and for programs", async () => {
    await using it = await started();
    const argv = await command(runtime, "src/main.ts");
    await untilDown(it.admin);
    const text = await run([...argv, "status", it.admin]);
    expect(text).toMatchObject({ code: 0, err: "" });
    for (const part of [
      /^weir \S+ at 127\.0\.0\.1:\d+: ready, up \d+s \(bun /,
      /^connections: 0 open, 0 since the start$/m,
      /^PROXY +ADDRESS +STATE +ACTIVE +TOTAL +FAILED +CONN\/S +REQ\/S +UP\/S +DOWN\/S +BYTES +NOTE$/m,
      /^web +127\.0\.0\.1:\d+ +listening +0 /m,
      new RegExp(`^ +${it.target} +up +0 +0`, "m"),
      /^ +unix:\S+ +down .* no such socket file/m,
      /^dns +udp:\/\/\S+ +listening .*datagrams 0 up, 0 down, 0 lost$/m,
      /^switch .*shares connections: echo$/m,
      /^UDP +ADDRESS +STATE +ACTIVE +DGRAMS/m,
      /^ais +bridging/m,
      /^ +listen:\/\/127\.0\.0\.1:\d+ +to +0/m,
    ]) {
      expect(text.out).toMatch(part);
    }
    const { code, out } = await run([...argv, "status", it.admin, "--json"]);
    expect(code).toBe(0);
    const status = v.parse(v.strictObject(STATUS.entries), JSON.parse(out));
    expect(status.proxies.map(({ name, protocol }) => [name, protocol])).toEqual([
      ["web", null],
      ["dns", null],
      ["switch", "echo"],
    ]);
    expect(status.proxies[0]?.targets[1]).toMatchObject({ healthy: false, state: "ready" });
    expect(status.udp[0]?.ends.map(({ direction }) => direction)).toEqual(["from", "to"]);
  });

  test("it reaches an admin API on a unix socket", async () => {
    await using it = await started("unix");
    const { code, out, err } = await run([...(await command(runtime, "src/main.ts")), "status", it.admin]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`at ${it.admin}: ready`);
  });
});

describe("exit codes", () => {
  test("1 where nobody answers, and it says what to look at", async () => {
    const { code, out, err } = await Weir.run("status", "unix:/nowhere/admin.sock");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toStartWith("weir: no weir answers at unix:/nowhere/admin.sock: ");
    expect(err).toEndWith("; is weir running, and its --metrics there?\n");
  });

  test("1 while it drains, and it still says what there is", async () => {
    using server = answering(() => Response.json({ ...SOME, state: "draining", proxies: [PROXY] }));
    const { code, out, err } = await Weir.run("status", String(server.port));
    expect(code).toBe(1);
    expect(out).toContain("draining, up 10s");
    expect(err).toBe(`weir status: the weir at 127.0.0.1:${server.port} is draining: it takes no new connections\n`);
  });

  test("1 where something else answers", async () => {
    using other = answering(() => new Response("hello"));
    const where = `127.0.0.1:${other.port}`;
    expect(await Weir.run("status", where)).toMatchObject({
      code: 1,
      err: `weir: ${where} answers /api/status, but the answer is not as weir says it: is something else listening there?\n`,
    });
    using older = answering(() => new Response("nothing", { status: 404 }));
    expect((await Weir.run("status", String(older.port))).err).toContain("answers /api/status with HTTP status 404");
  });

  test("1 where the answer does not come in time", async () => {
    using silent = answering(() => new Promise<Response>(() => {}));
    const { code, err } = await Weir.run("status", String(silent.port), "--timeout", "100ms");
    expect(code).toBe(1);
    expect(err).toContain("no answer within 0.1 s (ETIMEDOUT)");
  });

  test.each([
    ["https://127.0.0.1:8998", "the admin API speaks no TLS"],
    ["localhost", "the port is missing"],
    ["http://x:y/", 'the port "y" is not a number'],
  ])("2 for %s", async (address, why) => {
    const { code, err } = await Weir.run("status", address);
    expect(code).toBe(2);
    expect(err).toContain(why);
  });
});

test("names that would command a terminal are written out", async () => {
  const name = "\x1b[2J\u202e";
  using server = answering(() => Response.json({ ...SOME, proxies: [{ ...PROXY, name }] }));
  const { out } = await Weir.run("status", String(server.port));
  expect(out).toContain("\\u001b[2J\\u202e  127.0.0.1:1000");
  expect(out).not.toMatch(/[^\P{Cc}\n]/u);
});

function answering(answer: () => Response | Promise<Response>) {
  return Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
}
