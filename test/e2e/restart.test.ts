/** Targets that are restarted one after the other, and a configuration that is read again all the time, under load. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { type Address, formatAddress, parseAddress } from "../../src/net/address.ts";
import type { Listener, StreamSocket } from "../../src/net/runtime.ts";
import { Kit } from "../contract/kit.ts";
import { Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-restart-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const LINE = "a request\n";

/** A server that answers each line with the same line; told to restart it answers what it has and closes. */
class Server {
  readonly address: Address;
  answered = 0;
  readonly #kit: Kit;
  readonly #open = new Set<StreamSocket>();
  #listener: Listener | undefined;

  static #last = 0;

  constructor(kit: Kit) {
    this.#kit = kit;
    // A path: a port that is free for a while may be somebody else's by then.
    this.address = { kind: "unix", path: join(directory, `server-${++Server.#last}.sock`) };
  }

  async start(): Promise<void> {
    this.#listener = await this.#kit.listen(this.address, (socket) => {
      this.#open.add(socket);
      socket.on({
        data: (chunk) => {
          this.answered++;
          socket.write(chunk.slice());
        },
        drain() {},
        end: () => socket.end(),
        close: () => this.#open.delete(socket),
      });
      socket.resume();
    });
  }

  /** At once: whoever is connected is reset. */
  async stop(): Promise<void> {
    await this.#listener?.close();
    for (const socket of this.#open) socket.abort();
  }
}

interface Tally {
  answered: number;
  readonly failed: string[];
}

/** One connection, one request, its answer, and a clean end. */
async function ask(to: Address, tally: Tally): Promise<void> {
  let answer = "";
  const socket = await runtime.connect(to, { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 0 }).socket;
  const error = await new Promise<string | undefined>((resolve) => {
    socket.on({
      data(chunk) {
        answer += new TextDecoder().decode(chunk);
        if (answer.length === LINE.length) socket.end();
      },
      drain() {},
      end() {},
      close: (why) => resolve(why?.code),
    });
    socket.write(new TextEncoder().encode(LINE));
    socket.resume();
  });
  if (answer === LINE && error === undefined) tally.answered++;
  else tally.failed.push(`${error ?? "closed"} after ${answer.length} bytes`);
}

/** So many clients, one request after the other, until `over`. */
async function load(to: Address, clients: number, over: () => boolean): Promise<Tally> {
  const tally: Tally = { answered: 0, failed: [] };
  const client = async () => {
    while (!over()) await ask(to, tally).catch((error) => tally.failed.push(`connect: ${error.code}`));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return tally;
}

async function tell(api: string, { address }: Server, change: object): Promise<void> {
  const where = `${api}/targets/proxy-1/${encodeURIComponent(formatAddress(address))}`;
  const answer = await fetch(where, { method: "POST", body: JSON.stringify(change) });
  expect(answer.status).toBe(200);
}

async function targetsOf(api: string): Promise<readonly { readonly active: number }[]> {
  const { proxies } = (await (await fetch(`${api}/proxies`)).json()) as {
    proxies: { targets: { active: number }[] }[];
  };
  return proxies[0]?.targets ?? [];
}

test.each(["portable", "native"])(
  "a rolling restart of four targets loses no request, on the %s engine",
  async (engine) => {
    const kit = new Kit(runtime);
    const servers = Array.from({ length: 4 }, () => new Server(kit));
    for (const server of servers) await server.start();
    const targets = servers.map(({ address }) => formatAddress(address));
    const flags = ["--balance", "least_connections", "--engine", engine, "--metrics", "127.0.0.1:0"];
    await using weir = await Weir.start(["tcp", "127.0.0.1:0", ...targets, ...flags]);
    const to = parseAddress(`127.0.0.1:${await weir.port()}`, "target");
    const api = (await weir.stdout.next((line) => line.startsWith("metrics "))).slice(8).replace("/metrics", "/api");
    let over = false;
    const loaded = load(to, 8, () => over);
    for (const [number, server] of servers.entries()) {
      const before = server.answered;
      while (server.answered < before + 100) await kit.busy(20);
      await tell(api, server, { state: "drain" });
      while (((await targetsOf(api))[number]?.active ?? 0) > 0) await kit.busy(20);
      await server.stop();
      await kit.busy(500);
      await server.start();
      await tell(api, server, { state: "ready" });
    }
    // Each is found again.
    const since = servers.map(({ answered }) => answered);
    while (servers.some(({ answered }, n) => answered < (since[n] ?? 0) + 20)) await kit.busy(20);
    over = true;
    const tally = await loaded;
    expect(tally.failed).toEqual([]);
    expect(tally.answered).toBeGreaterThan(400);
    await kit.clean();
  },
  60_000,
);

test.each(["portable", "native"])(
  "a hundred reloads, half of them wrong, lose nothing, on the %s engine",
  async (engine) => {
    const kit = new Kit(runtime);
    const servers = Array.from({ length: 2 }, () => new Server(kit));
    for (const server of servers) await server.start();
    const path = join(directory, `reload-${engine}.toml`);
    const write = (more: string) =>
      writeFileSync(
        path,
        [
          `[engine]\nmode = "${engine}"\n[admin]\nlisten = "127.0.0.1:0"`,
          `[[proxy]]\nname = "a"\nlisten = "127.0.0.1:0"`,
          `targets = [${servers.map(({ address }) => `"${formatAddress(address)}"`).join(", ")}]`,
          more,
        ].join("\n"),
      );
    write("");
    await using weir = await Weir.start(["run", path]);
    const to = parseAddress(`127.0.0.1:${await weir.port()}`, "target");
    const metrics = (await weir.stdout.next((line) => line.startsWith("metrics "))).replace("metrics ", "");
    let over = false;
    const loaded = load(to, 6, () => over);
    const variants = ["balance = 'random_two'", "max_connections = 4", "deny = ['10.0.0.0/8']", "retries = 1", ""];
    for (let round = 0; round < 100; round++) {
      const wrong = round % 2 === 1;
      write(wrong ? "colour = 'red'" : (variants[(round / 2) % variants.length] ?? ""));
      const answer = await fetch(metrics.replace("/metrics", "/api/reload"), { method: "POST" });
      expect(answer.status).toBe(wrong ? 422 : 200);
      await kit.busy(20);
    }
    over = true;
    const tally = await loaded;
    expect(tally.failed).toEqual([]);
    expect(tally.answered).toBeGreaterThan(100);
    const counted = (await (await fetch(`${metrics}?format=json`)).json()) as Record<string, number>;
    expect(counted["total_connections"]).toBe(tally.answered);
    await kit.clean();
  },
  60_000,
);
