/** A new version of weir starts on the port of the old one, which then drains: clients notice nothing. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { type Address, formatAddress } from "../../src/net/address.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { ENGINES } from "../proxy/world.ts";
import { Weir } from "./weir.ts";

/** Clients at once, each with one request after the other. */
const CLIENTS = 8;
/** Requests between two steps. */
const SOME = 300;
/**
 * How many can come in the moment between the last accept and the end of listening, or have half a handshake then: the
 * kernel resets them unless net.ipv4.tcp_migrate_req is 1. In 40 runs it was one client natively and five portably.
 */
const FEW = CLIENTS;
const REQUEST = 2_000;

test.skipIf(process.platform !== "linux").each(ENGINES)("on the %s engine", async (engine) => {
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const start = (port: number) => {
    const flags = ["--reuse-port", "--metrics", "off", "--engine", engine];
    return Weir.start(["tcp", `127.0.0.1:${port}`, formatAddress(echo.address), ...flags]);
  };
  await using old = await start(0);
  const port = await old.port();
  await using load = new Load({ kind: "tcp", host: "127.0.0.1", port });
  const faithful = await load.client();
  await again(faithful);
  load.run();
  await load.more(SOME);
  await using young = await start(port);
  expect(await young.port()).toBe(port);
  await load.more(SOME);
  old.signal("SIGTERM");
  await old.stdout.next((line) => line.startsWith("weir: stopping;"));
  await load.more(SOME);
  // Whoever was there before is still served by the old one, which waits for him.
  await again(faithful);
  faithful.finish();
  await faithful.untilClose();
  expect(await old.exit()).toBe(0);
  await load.more(SOME);
  await load.end();
  young.signal("SIGTERM");
  expect(await young.exit()).toBe(0);
  console.log(`${engine}: ${load.served} requests, ${load.retries} of them a second time`);
  expect(load.failures).toEqual([]);
  expect(load.retries).toBeLessThanOrEqual(FEW);
  const shares = await Promise.all([old, young].map(async ({ stdout }) => total(await stdout.rest())));
  expect(Math.min(...shares)).toBeGreaterThan(SOME);
  // Those that were reset were reset by the kernel, and nobody has seen them.
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(load.served + 1);
  await echo.stop(0, Promise.resolve());
});

/** The connections of a whole life, as its last line tells. */
function total(said: string): number {
  return Number(/total: (\d+) /.exec(said.trimEnd().split("\n").at(-1) ?? "")?.[1]);
}

/** One more round trip. */
async function again(client: Probe): Promise<void> {
  client.write(REQUEST);
  await client.until(() => client.closed || client.received === client.sent, "the answer");
}

/** Clients that connect, ask, get their answer and leave, over and over. */
class Load implements AsyncDisposable {
  served = 0;
  /** Connections that were reset before a byte came back, and whose request was made again. */
  retries = 0;
  readonly failures: string[] = [];
  readonly #kit = new Kit(runtime);
  readonly #to: Address;
  #ending = false;
  #running: Promise<unknown> = Promise.resolve();
  readonly #waiting: { readonly goal: number; resolve(): void }[] = [];

  constructor(to: Address) {
    this.#to = to;
  }

  run(): void {
    this.#running = Promise.all(Array.from({ length: CLIENTS }, () => this.#requests()));
  }

  /** Resolves when so many more requests are over. */
  more(count: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ goal: this.#over + count, resolve }));
  }

  async end(): Promise<void> {
    this.#ending = true;
    await this.#running;
  }

  async client(): Promise<Probe> {
    return new Probe(await this.#kit.connect(this.#to));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#kit.clean();
  }

  get #over(): number {
    return this.served + this.retries + this.failures.length;
  }

  async #requests(): Promise<void> {
    while (!this.#ending) {
      await this.#request();
      const over = this.#waiting.filter(({ goal }) => goal <= this.#over);
      for (const each of over) {
        this.#waiting.splice(this.#waiting.indexOf(each), 1);
        each.resolve();
      }
    }
  }

  async #request(): Promise<void> {
    try {
      const client = await this.client();
      await again(client);
      client.finish();
      const code = await client.untilClose();
      if (client.received === REQUEST && code === undefined) this.served++;
      else if (client.received === 0 && code === "ECONNRESET") this.retries++;
      else this.failures.push(`${code} after ${client.received} bytes`);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ECONNRESET") this.retries++;
      else this.failures.push(String(error));
    }
  }
}
