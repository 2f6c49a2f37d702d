/** A configuration that changes while connections live: nothing is lost, and what is wrong changes nothing. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { formatAddress, parseAddress } from "../../src/net/address.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-reload-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

/** A weir that runs a file, in front of an echo server. */
async function world(text: (echo: string) => string, ...flags: string[]) {
  const kit = new Kit(runtime);
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const target = formatAddress(echo.address);
  const path = join(directory, `weir-${++files}.toml`);
  const write = (content: string) => writeFileSync(path, content);
  write(text(target));
  const weir = await Weir.start(["run", path, "--metrics", "127.0.0.1:0", ...flags]);
  const listening = (await weir.stdout.next((line) => line.startsWith("listening "))).split(" ")[1] ?? "";
  const metrics = (await weir.stdout.next((line) => line.startsWith("metrics "))).replace("metrics ", "");
  const api = metrics.replace("/metrics", "/api");
  const at = (address: string) => parseAddress(address, "target");
  return {
    weir,
    api,
    metrics,
    write,
    remove: () => rmSync(path),
    target,
    listening,
    reload: async () => {
      const response = await fetch(`${api}/reload`, { method: "POST" });
      return { status: response.status, body: (await response.json()) as { error?: string; added?: string[] } };
    },
    proxies: async () =>
      ((await (await fetch(`${api}/proxies`)).json()) as { proxies: Record<string, unknown>[] }).proxies,
    client: async (address = listening) => new Probe(await kit.connect(at(address))),
    echo,
    async [Symbol.asyncDispose]() {
      await kit.clean();
      await weir[Symbol.asyncDispose]();
      await echo.stop(0, Promise.resolve());
    },
  };
}

async function roundTrip(client: Probe): Promise<void> {
  client.write(100);
  await client.until(() => client.closed || client.received === client.sent, "echo");
  expect(client.closed).toBe(false);
}

describe.each(["portable", "native"] as const)("on the %s engine", (engine) => {
  const plain =
    (more = "") =>
    (target: string) =>
      `[engine]\nmode = "${engine}"\n[[proxy]]\nname = "a"\nlisten = "127.0.0.1:0"\ntarget = "${target}"\n${more}`;

  test("SIGHUP changes the rules for those who come, and nothing for those who are there", async () => {
    await using it = await world(plain());
    const before = await it.client();
    await roundTrip(before);
    it.write(plain('deny = ["127.0.0.0/8"]\n')(it.target));
    it.weir.signal("SIGHUP");
    await it.weir.stdout.next((line) => line === "weir: reloaded: a changed");
    const refused = await it.client().catch(() => undefined);
    expect(refused ? await refused.untilClose() : "ECONNRESET").toBe("ECONNRESET");
    await roundTrip(before);
    it.write(plain()(it.target));
    expect(await it.reload()).toMatchObject({ status: 200, body: { changed: ["a"] } });
    await roundTrip(await it.client());
  });

  test("a proxy is added and removed, and its connections end when they want to", async () => {
    await using it = await world(plain());
    const socket = join(directory, `b-${engine}.sock`);
    it.write(`${plain()(it.target)}[[proxy]]\nname = "b"\nlisten = "unix:${socket}"\ntarget = "${it.target}"\n`);
    expect((await it.reload()).body).toMatchObject({ added: ["b"], changed: [], removed: [] });
    const client = await it.client(`unix:${socket}`);
    await roundTrip(client);
    it.write(plain()(it.target));
    expect((await it.reload()).body).toMatchObject({ added: [], changed: [], removed: ["b"] });
    const late = async () => (await it.client(`unix:${socket}`)).abort();
    // Who comes at the last moment may still be served.
    for (let refused = false; !refused; ) await late().catch(() => (refused = true));
    await roundTrip(client);
    expect((await it.proxies()).map(({ name, state }) => [name, state])).toEqual([
      ["a", "listening"],
      ["b", "draining"],
    ]);
    client.finish();
    await client.untilClose();
    while ((await it.proxies()).length > 1);
    // What it has counted stays counted.
    const page = await (await fetch(it.metrics)).text();
    expect(page).toMatch(/^weir_connections_total\{proxy="b"\} [1-9]/m);
    expect(page).toContain("\nbytes_upstream 200\n");
  });

  test("a proxy with another name is the same proxy, as long as it listens where it did", async () => {
    const socket = join(directory, `c-${engine}.sock`);
    const named = (name: string) => (target: string) =>
      `[engine]\nmode = "${engine}"\n[[proxy]]\nname = "${name}"\nlisten = "unix:${socket}"\ntarget = "${target}"\n`;
    await using it = await world(named("old"));
    const client = await it.client();
    await roundTrip(client);
    it.write(named("new")(it.target));
    expect((await it.reload()).body).toMatchObject({ added: [], changed: ["new"], removed: [] });
    await roundTrip(client);
    const page = await (await fetch(it.metrics)).text();
    expect(page).toContain('weir_connections_total{proxy="new"} 1\n');
    expect(page).not.toContain('proxy="old"');
  });

  test("more room is for those who wait, too", async () => {
    await using it = await world(plain("max_connections = 1\nqueue.timeout = 'off'\n"));
    await roundTrip(await it.client());
    const queue = async () => (await it.proxies())[0]?.["queue_length"];
    const waiting: Probe[] = [];
    // One after the other: two workers may accept in another order than that of the connections.
    for (const place of [1, 2]) {
      const client = await it.client();
      client.write(100);
      waiting.push(client);
      while ((await queue()) !== place);
    }
    it.write(plain("max_connections = 2\n")(it.target));
    expect((await it.reload()).status).toBe(200);
    await waiting[0]?.until(() => waiting[0]?.received === 100, "the echo of the first");
    expect(await queue()).toBe(1);
    it.write(plain()(it.target));
    await it.reload();
    await waiting[1]?.until(() => waiting[1]?.received === 100, "the echo of the second");
  });

  test("what is wrong changes nothing, and is told with its place", async () => {
    await using it = await world(plain());
    it.write(plain("balance = 'best'\n")(it.target));
    const { status, body } = await it.reload();
    expect(status).toBe(422);
    expect(body.error).toMatch(/weir-\d+\.toml:7:11: proxy\[0\]\.balance: expected "round_robin"/);
    expect(await it.weir.stderr.next()).toContain("the configuration stays as it was");
    // An address that somebody else has.
    it.write(`${plain()(it.target)}[[proxy]]\nname = "b"\nlisten = "${it.target}"\ntarget = "127.0.0.1:9"\n`);
    const taken = await it.reload();
    expect(taken.status).toBe(500);
    expect(taken.body.error).toContain('proxy "b": Cannot listen on');
    await roundTrip(await it.client());
    expect((await it.proxies()).map(({ name }) => name)).toEqual(["a"]);
  });
});

test("--watch reads a file again when it has changed, and one that it names", async () => {
  const ranges = `ranges-${files}.txt`;
  writeFileSync(join(directory, ranges), "10.0.0.0/8\n");
  const text = (target: string) =>
    `[[proxy]]\nname = "a"\nlisten = "127.0.0.1:0"\ntarget = "${target}"\ndeny_file = "${ranges}"\n`;
  await using it = await world(text, "--watch", "--engine", "portable");
  await roundTrip(await it.client());
  writeFileSync(join(directory, ranges), "127.0.0.0/8\n");
  await it.weir.stdout.next((line) => line === "weir: reloaded: a changed");
  const refused = await it.client().catch(() => undefined);
  expect(refused ? await refused.untilClose() : "ECONNRESET").toBe("ECONNRESET");
  it.write(`${text(it.target)}retries = 1\n`);
  await it.weir.stdout.next((line) => line === "weir: reloaded: a changed");
});

test("--watch finds a file again that was gone when it was to be read", async () => {
  const text = (target: string) => `[[proxy]]\nname = "a"\nlisten = "127.0.0.1:0"\ntarget = "${target}"\n`;
  await using it = await world(text, "--watch", "--engine", "portable");
  it.remove();
  it.weir.signal("SIGHUP");
  expect(await it.weir.stderr.next()).toContain("there is no such file");
  it.write(`${text(it.target)}retries = 1\n`);
  await it.weir.stdout.next((line) => line === "weir: reloaded: a changed");
});

test("a token comes with a reload", async () => {
  const text = (admin: string) => (target: string) =>
    `${admin}\n[[proxy]]\nname = "a"\nlisten = "127.0.0.1:0"\ntarget = "${target}"\n`;
  await using it = await world(text(""));
  // Any variable that is set will do.
  it.write(text('admin.token_env = "PATH"')(it.target));
  expect((await it.reload()).status).toBe(200);
  expect((await it.reload()).status).toBe(401);
  const headers = { authorization: `Bearer ${process.env["PATH"]}` };
  expect((await fetch(`${it.api}/reload`, { method: "POST", headers })).status).toBe(200);
  it.write(text('admin.token_env = "WEIR_NOT_SET"')(it.target));
  const unset = await fetch(`${it.api}/reload`, { method: "POST", headers });
  expect(unset.status).toBe(422);
  expect(await unset.text()).toContain("the environment variable WEIR_NOT_SET is not set");
});

test("POST /api/drain ends it as a signal does", async () => {
  await using it = await world((target) => `[[proxy]]\nlisten = "127.0.0.1:0"\ntarget = "${target}"\n`);
  const client = await it.client();
  await roundTrip(client);
  const [proxy] = await it.proxies();
  expect(proxy?.["state"]).toBe("listening");
  const page = await fetch(`${it.api}/drain`, { method: "POST" });
  expect(page.status).toBe(202);
  await it.weir.stdout.next((line) => line.startsWith("weir: stopping; 1 connections"));
  // What ends does not begin anew.
  expect((await it.reload()).status).toBe(409);
  await roundTrip(client);
  client.finish();
  await client.untilClose();
  expect(await it.weir.exit()).toBe(0);
});
