/** A proxy whose clients share connections, a target that does as it is told, and clients: on each engine. */
import { openThreads } from "#native";
import { runtime } from "#runtime";
import { DEFAULTS, type ProxyConfig, plainTarget } from "../../src/config/config.ts";
import { type Engine, startEngine } from "../../src/engine/engine.ts";
import { MUX, type MuxConfig } from "../../src/mux/mux-config.ts";
import { type MuxTargetView, muxView } from "../../src/mux/mux-view.ts";
import type { Listener, StreamSocket } from "../../src/net/runtime.ts";
import type { ProxyControl } from "../../src/proxy/control.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import type { ENGINES } from "../proxy/world.ts";
import { CUTS, Talker } from "./talker.ts";

/** What a target does by itself. */
interface Habits {
  /** Its answer to a message; undefined: none, or the test gives it. */
  readonly answer?: (message: string, target: Talker) => string | undefined;
  /** What it does with a connection that has come. */
  readonly greet?: (target: Talker) => void;
  /** Of the proxy, beside `mux`. */
  readonly proxy?: Partial<ProxyConfig>;
}

export const echo: Habits = { answer: (message) => message };

export class MuxWorld implements AsyncDisposable {
  readonly kit = new Kit(runtime);
  /** The target's ends of all connections that there were, in order. */
  readonly targets: Talker[] = [];
  /** All that has come over them. */
  readonly heard: string[] = [];
  readonly records: ConnectionRecord[] = [];
  readonly #habits: Habits;
  readonly #engine: Engine;
  #mux: MuxConfig;
  #proxy: ProxyControl | undefined;
  #listener: Listener | undefined;

  static async with(
    engine: (typeof ENGINES)[number],
    mux: Partial<MuxConfig> = {},
    habits: Habits = {},
  ): Promise<MuxWorld> {
    const started = await startEngine(runtime, openThreads, { mode: engine, workers: 1 });
    const world = new MuxWorld(started.engine, { ...MUX, protocol: "echo", ...mux }, habits);
    await world.#open();
    return world;
  }

  private constructor(engine: Engine, mux: MuxConfig, habits: Habits) {
    this.#engine = engine;
    this.#mux = mux;
    this.#habits = habits;
  }

  get proxy(): ProxyControl {
    if (!this.#proxy) throw new Error("there is no proxy yet");
    return this.#proxy;
  }

  /** What clients have done with the target so far. */
  get view(): MuxTargetView {
    const view = muxView(this.proxy)?.targets[0];
    if (!view) throw new Error("nothing is shared");
    return view;
  }

  async client(): Promise<Talker> {
    return new Talker(new Probe(await this.kit.connect(this.proxy.address)), CUTS[this.#mux.protocol]);
  }

  /** How a client learns that it is refused: the code of the error. It may come before all. */
  async refusal(): Promise<string | undefined> {
    const client = await this.client().catch(({ code }: { code: string }) => code);
    return typeof client === "string" ? client : await client.probe.untilClose();
  }

  /** The target's end of one of the connections, as soon as there are so many. */
  async target(index = 0): Promise<Talker> {
    await this.until(() => this.targets.length > index);
    return this.targets[index] as Talker;
  }

  /** Two clients and the one connection there is: a request of the first is under way, one of the other waits. */
  async oneWaits(): Promise<{ readonly one: Talker; readonly other: Talker; readonly target: Talker }> {
    const [one, other] = [await this.client(), await this.client()];
    one.say("one\n");
    const target = await this.target();
    await target.heard(1);
    other.say("other\n");
    await this.until(() => this.view.waiting === 1);
    return { one, other, target };
  }

  /** Looks until this is so. */
  async until(met: () => boolean): Promise<void> {
    // Engine and peers may run in this very thread, and get their turn.
    while (!met()) await new Promise((resolve) => setImmediate(resolve));
  }

  /** The record of the first connection that ends, or of another. */
  async record(index = 0): Promise<ConnectionRecord> {
    await this.until(() => this.records.length > index);
    return this.records[index] as ConnectionRecord;
  }

  /** Changes how clients share connections. */
  async configure(mux: Partial<MuxConfig>): Promise<void> {
    this.#mux = { ...this.#mux, ...mux };
    await this.proxy.configure({ ...this.proxy.config, mux: this.#mux });
  }

  /** The target refuses connections from now on; those that there are end with RST. */
  async goAway(): Promise<void> {
    await this.#listener?.close();
    for (const { probe } of this.targets) if (!probe.closed) probe.abort();
    await this.until(() => this.view.connections === 0);
  }

  /** It is there again, at the same address. */
  async comeBack(): Promise<void> {
    this.#listener = await this.kit.listen(this.#listener?.address ?? LOOPBACK, (socket) => this.#accept(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#proxy?.cut();
    await this.#proxy?.drain();
    await this.#engine.close();
    await this.kit.clean();
  }

  async #open(): Promise<void> {
    await this.comeBack();
    const keep = (record: ConnectionRecord) => void this.records.push(record);
    const target = plainTarget(this.#listener?.address ?? LOOPBACK);
    this.#proxy = await this.#engine.open(
      { ...DEFAULTS.proxy, name: "shared", listen: LOOPBACK, targets: [target], ...this.#habits.proxy, mux: this.#mux },
      { closed: keep, failed: keep },
    );
  }

  #accept(socket: StreamSocket): void {
    const { answer, greet } = this.#habits;
    const target = new Talker(new Probe(socket), CUTS[this.#mux.protocol]);
    this.kit.later(() => target.probe.abort());
    target.onMessage = (message) => {
      this.heard.push(message);
      const reply = answer?.(message, target);
      if (reply !== undefined) target.say(reply);
    };
    this.targets.push(target);
    greet?.(target);
  }
}
