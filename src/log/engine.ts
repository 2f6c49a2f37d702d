/** What the log says about the engine: that it is full, that events were lost, that a thread has died. */
import type { Engine, EngineEvents } from "../engine/engine.ts";
import type { Runtime } from "../net/runtime.ts";
import type { Log } from "./log.ts";

/** Milliseconds in which a full process says once that it is full. */
const REPEAT = 10_000;

/** `recount` is called when lines about connections no longer add up. */
export function engineLog(log: Log, engine: Engine, runtime: Runtime, recount: () => void): EngineEvents {
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    full() {
      // At the limit accepting stops and goes on with every connection that ends.
      if (runtime.now() - saidAt < REPEAT) return;
      saidAt = runtime.now();
      const why = `${engine.capacity} connections use all descriptors (ulimit -n ${runtime.descriptors})`;
      log.write("warn", "accept_paused", `weir: accepting stops: ${why}; clients wait`);
    },
    lost(events) {
      recount();
      const text = `weir: ${events} lines about connections were lost: the log cannot keep up`;
      log.write("warn", "events_lost", text, { events });
    },
    died(worker, connections, stack) {
      recount();
      const text = `weir: worker ${worker} died with ${connections} connections, another takes its place: ${stack}`;
      log.write("error", "worker_died", text, { worker, connections, stack });
    },
  };
}
