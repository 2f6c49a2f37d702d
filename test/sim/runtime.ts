/** The seam of weir on a simulated network: what `adapters/` are for the real ones. */
import type { WorkerRuntime } from "../../src/engine/worker.ts";
import { SimDatagram } from "./datagram.ts";
import { type AcceptQueue, SimListener } from "./listener.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";
import type { SimSocket } from "./socket.ts";

/** When simulated time began, for records: 2026-01-01 UTC. */
const EPOCH = 1_767_225_600_000;

/** `told`: how many descriptors the platform says there are. `queues`: listening sockets by descriptor. */
export function runtimeOf(
  network: Network,
  process: Process,
  told?: number,
  queues: ReadonlyMap<number, AcceptQueue> = new Map(),
): WorkerRuntime {
  const { clock, habits } = process;
  return {
    name: "linux",
    version: "simulated",
    can: { pauseAccept: habits.pauseAccept, abstractUnix: true },
    descriptors: told,
    now: () => clock.now,
    wallClock: () => EPOCH + clock.now,
    after: (ms, run) => process.after(ms, run),
    async listen(at, options, accept) {
      const { address, queues } = network.listen(at, options.backlog);
      const [queue] = queues;
      if (!queue) throw new Error("no queue");
      process.take();
      return new SimListener(process, queue, address, options, accept, () => {
        network.unlisten(address);
        queue.close();
        process.give();
      });
    },
    adopt(descriptor, address, options, accept) {
      const queue = queues.get(descriptor);
      if (!queue) throw new Error(`no listening socket ${descriptor}`);
      return new SimListener(process, queue, address, options, accept, () => {});
    },
    connect: (to, options) => network.connect(process, to, options),
    ...(habits.links ? { link: (from, to, meter) => (from as SimSocket).link(to as SimSocket, meter) } : {}),
    datagram: async (at, options) => SimDatagram.open(network, process, at, options),
    serve: () => Promise.reject(new Error("there is no HTTP in the simulation")),
  };
}
