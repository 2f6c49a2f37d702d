/**
 * Proxies, targets and faults for tests, under any test runner of Bun, Deno and Node:
 *
 * ```ts
 * import { createFixture } from "weir/testing";
 *
 * await using it = await createFixture();
 * const echo = await it.echo();
 * const db = await it.proxy(echo, { faults: ["latency:latency=100ms"] });
 * await db.withFault("timeout:timeout=0", async () => {
 *   // What does a client of db.address do when nobody answers?
 * });
 * ```
 *
 * Under `bun test`, `expect(promise).rejects` and `.resolves` stand still until the promise has settled. So nothing that
 * follows can settle it, and with the native engine nothing does (oven-sh/bun#43819): there, look at
 * `await promise.catch((error) => error)`.
 */
import { host } from "#host";
import { runtime } from "#runtime";
import { COUNT_MAX, parseCount } from "./config/units.ts";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import { Proxy, type ProxyOptions } from "./index.ts";
import { UsageError } from "./net/errors.ts";
import { checkSeed } from "./options.ts";
import { drawSeed } from "./seed.ts";
import { TestProxy } from "./testing/test-proxy.ts";
import { type Behaviour, TestTarget } from "./testing/test-target.ts";

export type { Answer, Behaviour, TargetConnection } from "./testing/test-target.ts";
export type { TestProxy, TestTarget };

export interface FixtureOptions {
  /**
   * Where all chance comes from, a whole number from 0 to 1,000,000. Default: that of the environment variable
   * `WEIR_SEED`, or else another one each time.
   */
  readonly seed?: number;
  /** What relays, unless a proxy says otherwise: see `ProxyOptions.engine`. Default "portable". */
  readonly engine?: NonNullable<ProxyOptions["engine"]>;
}

/** Where a proxy leads to: an address as `Proxy.bind` takes it, or whatever has one. */
export type Destination = string | { readonly address: string };

/**
 * An empty fixture, which `await using` or `close` ends with all that was made in it.
 *
 * @throws {UsageError} `EOPTION` for a seed that is none, `ECOUNT` if that is the one of `WEIR_SEED`.
 */
export async function createFixture(options: FixtureOptions = {}): Promise<Fixture> {
  checkSeed(options.seed);
  return new Fixture(options.seed ?? seedOfEnvironment() ?? drawSeed(runtime), options.engine ?? "portable");
}

class Fixture implements AsyncDisposable {
  /** Print it when a test fails: `WEIR_SEED` repeats what was left to chance. */
  readonly seed: number;
  readonly #engine: NonNullable<ProxyOptions["engine"]>;
  readonly #proxies: TestProxy[] = [];
  readonly #targets: TestTarget[] = [];
  #proxiesMade = 0;

  constructor(seed: number, engine: NonNullable<ProxyOptions["engine"]>) {
    this.seed = seed;
    this.#engine = engine;
  }

  /** A target that sends back what it gets, until it is told something else. */
  echo(): Promise<TestTarget> {
    return this.target("echo");
  }

  /**
   * A target that does as it is told.
   *
   * ```ts
   * const server = await it.target((chunk, connection) => connection.write(`you sent ${chunk.length} bytes`));
   * ```
   */
  async target(behaviour: Behaviour): Promise<TestTarget> {
    const target = await TestTarget.open(runtime, behaviour);
    this.#targets.push(target);
    return target;
  }

  /**
   * A proxy on a free port of this machine. It is called proxy-1, proxy-2, … unless it gets a name, and each has a seed
   * of its own that comes from that of the fixture.
   *
   * @throws What `Proxy.bind` does.
   */
  async proxy(target: Destination | readonly Destination[], options: ProxyOptions = {}): Promise<TestProxy> {
    const count = this.#proxiesMade++;
    const own = { name: `proxy-${count + 1}`, seed: (this.seed + count) % (COUNT_MAX + 1), engine: this.#engine };
    const targets = [target].flat().map((each) => (typeof each === "string" ? each : each.address));
    const proxy = new TestProxy(await Proxy.bind("127.0.0.1:0", targets, { ...own, ...options }));
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Takes the faults of all proxies away: for a fixture that several tests share. */
  async reset(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.reset()));
  }

  /** Ends proxies and targets, and resets their connections. Whoever still waits for something is told. */
  async close(): Promise<void> {
    const proxies = await Promise.allSettled(this.#proxies.map((proxy) => proxy.close()));
    await Promise.all(this.#targets.map((target) => target.close()));
    for (const each of proxies) if (each.status === "rejected") throw each.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export type { Fixture };

/** Undefined: it says nothing. */
function seedOfEnvironment(): number | undefined {
  const text = host.env("WEIR_SEED");
  if (!text) return undefined;
  try {
    return parseCount(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `Cannot use the environment variable WEIR_SEED: ${error.message}`);
  }
}
