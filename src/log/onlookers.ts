/** What the log says about observers, and about files in which sessions are written down. */
import type { Level } from "../config/config.ts";
import type { FileError } from "../net/errors.ts";
import type { ObserverEvent } from "../observe/observer.ts";
import type { OnlookerEvents } from "../proxy/onlookers.ts";
import type { Fields, Log } from "./log.ts";

/** `stdout`: where records go whose file is `-`. */
export function onlookerLog(log: Log, proxy: string, stdout: (record: Uint8Array) => void): Required<OnlookerEvents> {
  return {
    observer: (event) => observed(log, proxy, event),
    inspect: {
      stdout,
      failed(path: string, error: FileError) {
        const text = `weir: proxy "${proxy}" cannot write ${path}: ${error.message}; what comes meanwhile is lost`;
        log.write("error", "inspect_failed", text, { proxy, path, error: error.code });
      },
    },
  };
}

function observed(log: Log, proxy: string, event: ObserverEvent): void {
  const { observer } = event;
  const who = `weir: observer ${observer} of proxy "${proxy}"`;
  const say = (level: Level, name: string, what: string, more: Fields = {}) =>
    log.write(level, name, `${who}${what}`, { proxy, observer, ...more });
  if (event.event === "unreachable") say("warn", "observer_unreachable", `: ${event.message}`, { error: event.code });
  else if (event.event === "reachable") say("info", "observer_reachable", " can be reached again");
  else {
    const id = event.session;
    const slow = ` is too slow for connection ${id}`;
    if (event.event === "behind") say("warn", "observer_behind", `${slow}: it misses bytes, which are counted`, { id });
    else say("warn", "observer_disconnected", `${slow} and was cut off`, { id });
  }
}
