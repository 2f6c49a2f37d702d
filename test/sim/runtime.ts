/** The seam of weir on a simulated network: what `adapters/` are for the real ones. */
import type { WorkerRuntime } from "../../src/engine/worker.ts";
import { refusedTlsAttempt, refuseTlsListener } from "../../src/net/no-tls.ts";
import type { Alarm, Runtime, Timer } from "../../src/net/runtime.ts";
import { INTERFACES, SimDatagram } from "./datagram.ts";
import { ask } from "./dns.ts";
import { type AcceptQueue, SimListener } from "./listener.ts";
import { isName, type Network } from "./network.ts";
import type { Process } from "./process.ts";
import type { SimSocket } from "./socket.ts";

const LINKS = {
  link: (from, to, meter, mirror) => (from as SimSocket).link(to as SimSocket, meter, mirror),
  unlink: (from) => (from as SimSocket).unlink(),
} satisfies Pick<Runtime, "link" | "unlink">;

/** When simulated time began, for records: 2026-01-01 UTC. */
const EPOCH = 1_767_225_600_000;

/** `told`: how many descriptors the platform says there are. `queues`: listening sockets by descriptor. */
export function runtimeOf(
  network: Network,
  process: Process,
  told?: number,
  queues: ReadonlyMap<number, AcceptQueue> = new Map(),
  datagrams: ReadonlyMap<number, SimDatagram> = new Map(),
): WorkerRuntime {
  const { clock, habits, files } = process;
  return {
    name: "linux",
    version: "simulated",
    can: {
      pauseAccept: habits.pauseAccept,
      abstractUnix: true,
      reusePort: true,
      multicast: true,
      sourceMulticast: true,
    },
    descriptors: told,
    now: () => clock.now,
    exactNow: () => clock.now,
    alarm: (ring) => alarmOf(process, ring),
    wallClock: () => EPOCH + clock.now,
    after: (ms, run) => process.after(ms, run),
    async listen(at, options, accept) {
      refuseTlsListener(at);
      const { address, queues } = network.listen(at, options);
      const [queue] = queues;
      if (!queue) throw new Error("no queue");
      process.take();
      const release = () => {
        if (!process.holdings.delete(release)) return;
        network.unlisten(address, queues);
        queue.close();
        process.give();
      };
      process.holdings.add(release);
      return new SimListener(process, queue, address, options, accept, release, true);
    },
    adopt(descriptor, address, options, accept) {
      const queue = queues.get(descriptor);
      if (!queue) throw new Error(`no listening socket ${descriptor}`);
      // As the kernel does it: over TCP the end of listening is the end of those that still wait.
      const release = () => (address.kind === "tcp" ? queue.close() : undefined);
      return new SimListener(process, queue, address, options, accept, release, false);
    },
    adoptDatagram(descriptor) {
      const socket = datagrams.get(descriptor);
      if (!socket) throw new Error(`no datagram socket ${descriptor}`);
      return socket.adopt(process);
    },
    connect: (to, options) => refusedTlsAttempt(to) ?? network.connect(process, to, options),
    ...(habits.links ? LINKS : {}),
    datagram: async (at, options) => SimDatagram.open(network, process, at, options),
    interfaces: () => INTERFACES,
    resolve: async (host, options) => (isName(host) ? ask(network, process, network.names, host, options) : [host]),
    resolveService: (name, options) => ask(network, process, network.services, name, options),
    trimHeap() {},
    serve: () => Promise.reject(new Error("there is no HTTP in the simulation")),
    openFile: files.openFile,
    readFile: files.readFile,
    renameFile: files.renameFile,
    removeFile: files.removeFile,
  };
}

function alarmOf(process: Process, ring: () => void): Alarm {
  let timer: Timer | undefined;
  let closed = false;
  return {
    set(at) {
      timer?.cancel();
      if (!closed) timer = process.after(Math.max(0, at - process.clock.now), ring);
    },
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}
