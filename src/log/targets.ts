/** What the log says about targets: no longer well, well again, and what DNS says of them. */
import type { GroupEvents } from "../balance/group.ts";
import type { Log } from "./log.ts";

export function targetLog(log: Log, proxy: string): Omit<GroupEvents, "changed"> {
  return {
    health(target, healthy, wrong) {
      if (healthy) {
        log.write("info", "target_up", `weir: ${target} of proxy "${proxy}" is well again`, { proxy, target });
        return;
      }
      const text = `weir: ${target} of proxy "${proxy}" is not well: ${wrong}`;
      log.write("warn", "target_down", text, { proxy, target, error: wrong });
    },
    name(name, error) {
      if (!error) {
        log.write("info", "name_resolved", `weir: ${name} of proxy "${proxy}" resolves again`, { proxy, name });
        return;
      }
      const text = `weir: ${name} of proxy "${proxy}": ${error.message}; the last answer holds`;
      log.write("warn", "name_failed", text, { proxy, name, error: error.code });
    },
    found(added, removed) {
      const parts = [...added.map((target) => `+${target}`), ...removed.map((target) => `-${target}`)];
      const text = `weir: targets of proxy "${proxy}" in DNS: ${parts.join(" ")}`;
      log.write("info", "targets_changed", text, { proxy, added, removed });
    },
  };
}
