/** Loads on the simulated network: seconds of them pass in milliseconds, and each latency is known beforehand. */
import { Generator } from "../../src/load/generator.ts";
import { Result } from "../../src/load/result.ts";
import { type Scenario, type Settings, scenarioOf } from "../../src/load/scenario.ts";
import type { StreamSocket } from "../../src/net/runtime.ts";
import { Random } from "../peers/random.ts";
import { Clock } from "../sim/clock.ts";
import { Network } from "../sim/network.ts";
import { EASY, Process } from "../sim/process.ts";
import { runtimeOf } from "../sim/runtime.ts";

const WEATHER = {
  latency: 1,
  segment: 1 << 20,
  sendBuffer: 4 << 20,
  receiveBuffer: 4 << 20,
  resetOvertakes: false,
};
const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 1 << 20, backlog: 4_096 };

/** Milliseconds that an exchange takes at most where the target answers at once, with what the simulation adds. */
export const NOISE = 15;
/** Bytes of a message where a scenario says nothing else. */
const SIZE = 64;

/** What a target does with a message. */
export type Answer = (socket: StreamSocket, message: Uint8Array, world: LoadWorld) => void;

export const echo: Answer = (socket, message) => socket.write(message);

export class LoadWorld {
  readonly clock = new Clock(new Random(3));
  readonly network = new Network(this.clock, new Random(5), () => WEATHER);
  readonly #process = new Process("load", this.clock, new Random(7), { ...EASY, lag: 0 });
  readonly #server = new Process("target", this.clock, new Random(9), { ...EASY, lag: 0 });
  readonly runtime = runtimeOf(this.network, this.#process);
  readonly target = runtimeOf(this.network, this.#server);
  /** Connections that the target has accepted, and those it has at this moment. */
  accepted = 0;
  open = 0;
  mostOpen = 0;

  /** A target on the address of the scenarios, which answers when it has a whole message. */
  async listen(answer: Answer): Promise<void> {
    await this.target.listen({ kind: "tcp", host: "10.0.0.9", port: 7 }, OPTIONS, (socket) => {
      this.accepted++;
      this.open++;
      this.mostOpen = Math.max(this.mostOpen, this.open);
      let message = new Uint8Array(0);
      socket.on({
        data: (chunk) => {
          message = new Uint8Array([...message, ...chunk]);
          if (message.length < SIZE) return;
          answer(socket, message, this);
          message = new Uint8Array(0);
        },
        drain() {},
        end: () => socket.end(),
        close: () => {
          this.open--;
        },
      });
      socket.resume();
    });
  }

  scenario(settings: Settings): Scenario {
    const target = { kind: "tcp", host: "10.0.0.9", port: 7 } as const;
    return scenarioOf("test", { target, warmup: 0, duration: 1_000, messageSize: SIZE }, settings);
  }

  /** Runs a load to its end; `meanwhile` is called with it at its beginning. */
  async run(settings: Settings, meanwhile: (generator: Generator) => void = () => {}): Promise<Result> {
    const scenario = this.scenario(settings);
    const result = new Result(scenario);
    const share = { scenario, first: 0, count: scenario.connections };
    const generator = new Generator(this.runtime, share, (sample) => result.add(sample));
    meanwhile(generator);
    let over = false;
    void generator.done.then(() => {
      over = true;
    });
    await this.clock.run(() => over, 3_600_000);
    if (!over) throw new Error("the load did not end within an hour");
    return result;
  }
}
