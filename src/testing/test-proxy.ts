/** A proxy as tests want it: faults for a while, counts of connections, and waiting for them. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import type { Connection, ConnectionRecord, Fault, FaultOptions, Proxy } from "../index.ts";
import { UsageError } from "../net/errors.ts";
import { quiet, Waits } from "./waits.ts";

export class TestProxy {
  /** All that is not here. */
  readonly proxy: Proxy;
  /** Of every connection that has ended so far, in the order of their ends. */
  readonly records: ConnectionRecord[] = [];
  readonly #waits = new Waits();
  readonly #open = new Set<Connection["id"]>();
  #accepted = 0;
  /** Records that {@link nextRecord} has given or promised. */
  #given = 0;

  constructor(proxy: Proxy) {
    this.proxy = proxy;
    proxy.on("opened", ({ id }) => {
      this.#open.add(id);
      this.#accepted++;
      this.#waits.changed();
    });
    for (const event of ["closed", "failed"] as const) {
      proxy.on(event, (record) => {
        this.#open.delete(record.id);
        this.records.push(record);
        this.#waits.changed();
      });
    }
  }

  /** Where clients connect: `"127.0.0.1:41234"`. */
  get address(): string {
    return this.proxy.address;
  }

  get port(): number {
    return this.proxy.port;
  }

  /** Connections that are open now, or on their way to the target. */
  get connections(): number {
    return this.#open.size;
  }

  /** Connections so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Resolves when exactly so many connections are open. */
  untilConnections(count: number): Promise<void> {
    const what = `${count} connections of the proxy ${this.address}`;
    return this.#waits.until(what, () => this.connections === count);
  }

  /** The record of the next connection that has ended or ends: each is given once. Its `reason` and `rule` say why. */
  nextRecord(): Promise<ConnectionRecord> {
    const index = this.#given++;
    const what = `the end of a connection of the proxy ${this.address}`;
    return quiet(
      this.#waits.until(what, () => this.records.length > index).then(() => this.records[index] as ConnectionRecord),
    );
  }

  get faults(): readonly Fault[] {
    return this.proxy.faults;
  }

  /** As `Proxy.addFault`. */
  addFault(fault: string | FaultOptions): Promise<Fault> {
    return this.proxy.addFault(fault);
  }

  /** As `Proxy.removeFault`. */
  removeFault(name: string): Promise<boolean> {
    return this.proxy.removeFault(name);
  }

  /**
   * Adds a fault, or several, for as long as `run` takes, and gives back what `run` does. Faults of the same names are
   * there again afterwards.
   *
   * @throws {UsageError} `EFAULT` or `EOPTION` for a fault that cannot be; and whatever `run` throws.
   *
   * ```ts
   * await db.withFault("timeout:timeout=0", async () => {
   *   await assert.rejects(client.query("select 1"));
   * });
   * ```
   */
  async withFault<T>(
    fault: string | FaultOptions | readonly (string | FaultOptions)[],
    run: () => T | Promise<T>,
  ): Promise<T> {
    const undo: (() => Promise<unknown>)[] = [];
    try {
      for (const each of isList(fault) ? fault : [fault]) undo.unshift(await this.#put(each));
      return await run();
    } finally {
      for (const each of undo) await each().catch(unlessClosed);
    }
  }

  /** Takes all faults away. Connections that live go on without. */
  reset(): Promise<void> {
    return this.proxy.setFaults([]);
  }

  /** As `Proxy.down`: as if the service were down. */
  down(): Promise<void> {
    return this.proxy.down();
  }

  /** As `Proxy.up`. */
  up(): Promise<void> {
    return this.proxy.up();
  }

  /** Cuts its connections. */
  async close(): Promise<void> {
    await this.proxy.shutdown();
    this.#waits.close();
  }

  /** What comes back takes it away again. */
  async #put(fault: string | FaultOptions): Promise<() => Promise<unknown>> {
    const before = this.faults;
    const { name } = await this.addFault(fault);
    const replaced = before.find((each) => each.name === name);
    return () => (replaced ? this.addFault(replaced) : this.removeFault(name));
  }
}

function isList(
  fault: string | FaultOptions | readonly (string | FaultOptions)[],
): fault is readonly (string | FaultOptions)[] {
  return Array.isArray(fault);
}

/** Without a proxy there is nothing to take away, and what `run` has thrown says more. */
function unlessClosed(error: unknown): void {
  if (!(error instanceof UsageError) || error.code !== "ECLOSED") throw error;
}
