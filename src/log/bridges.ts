/** What the log says about bridges. */
import type { BridgeEvent, LossReason } from "../datagram/bridge/bridge-events.ts";
import type { TellBridge } from "../datagram/bridge/control.ts";
import { andMore } from "../metrics/repeated.ts";
import type { Runtime } from "../net/runtime.ts";
import type { Log } from "./log.ts";

/** Milliseconds between two words about losses that go on. */
const SECOND = 1_000;

const LOSSES: Readonly<Record<LossReason, string>> = {
  overrun: "came and could not be read in time",
  unsent: "could not be sent",
  full: "were skipped for connections that are too slow",
};

export function bridgeLog(log: Log, runtime: Pick<Runtime, "after">, udp: string): TellBridge {
  /** What was lost since it was told last, of each end and reason; it is told again when the second is over. */
  const untold = new Map<string, { count: number }>();
  const tellLost = (end: string, reason: LossReason, count: number): void => {
    const text = `weir: ${count} datagrams of ${end} ${LOSSES[reason]}`;
    log.write("warn", "datagrams_lost", text, { udp, end, reason, count });
  };
  /** Losses go on for a while: the first is told at once, the others once a second, added up. */
  const lost = (end: string, reason: LossReason, count: number): void => {
    const key = `${end} ${reason}`;
    const since = untold.get(key);
    if (since) {
      since.count += count;
      return;
    }
    tellLost(end, reason, count);
    const begun = { count: 0 };
    untold.set(key, begun);
    runtime.after(SECOND, () => {
      untold.delete(key);
      if (begun.count > 0) lost(end, reason, begun.count);
    });
  };
  return (event: BridgeEvent) => {
    const { end } = event;
    switch (event.event) {
      case "lost":
        return lost(end, event.reason, event.count);
      case "looped": {
        const { count } = event;
        const text = `weir: ${end} brings back what was sent to it: dropped${andMore(count)}`;
        return log.write("warn", "looped", text, { udp, end, count });
      }
      case "source_lost":
        return log.write("warn", "source_lost", `weir: ${end}: ${event.why}`, { udp, end, error: event.why });
      case "source_back":
        return log.write("info", "source_back", `weir: ${end} is there again`, { udp, end });
      case "left":
        return log.write("warn", "left", `weir: ${end} is not joined any more: ${event.why}`, { udp, end });
      case "joined":
        return log.write("info", "joined", `weir: ${end} is joined again`, { udp, end });
      case "unwritable":
        return log.write("error", "unwritable", `weir: ${end}: ${event.why}`, { udp, end, error: event.why });
      case "too_slow": {
        const { peer } = event;
        return log.write("warn", "too_slow", `weir: ${peer} was cut off ${end}: it is too slow`, { udp, end, peer });
      }
      case "connected":
      case "disconnected": {
        const { peer } = event;
        const what = event.event === "connected" ? "has connected to" : "has left";
        return log.write("debug", event.event, `weir: ${peer} ${what} ${end}`, { udp, end, peer });
      }
    }
  };
}
