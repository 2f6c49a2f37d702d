/** What the log says about connections that clients share. */
import { andMore } from "../metrics/repeated.ts";
import type { LineEnd, LineEvent, MuxEvents, MuxTrouble } from "../mux/mux-events.ts";
import type { Log } from "./log.ts";

export function muxLog(log: Log, proxy: string): MuxEvents {
  return {
    trouble: (event) => troubled(log, proxy, event),
    line: log.enabled("debug") ? (event) => changed(log, proxy, event) : undefined,
  };
}

function troubled(log: Log, proxy: string, event: MuxTrouble): void {
  if (event.event === "bad_message") {
    const { what, count } = event;
    const text = `weir: a client of proxy "${proxy}" has sent what is no request: ${what}${andMore(count)}`;
    log.write("warn", "bad_message", text, { proxy, what, count });
    return;
  }
  const { target } = event;
  const whose = `weir: target ${target} of proxy "${proxy}"`;
  if (event.event === "reachable") {
    log.write("info", "target_reachable", `${whose} can be connected again`, { proxy, target });
  } else if (event.event === "unreachable") {
    log.write("warn", "target_unreachable", `${whose}: ${event.message}`, { proxy, target, error: event.code });
  } else {
    const { what, count } = event;
    const text = `${whose} has sent what fits no request: ${what}${andMore(count)}`;
    log.write("warn", "mismatch", text, { proxy, target, what, count });
  }
}

const WORDS: Readonly<Record<LineEnd, string>> = {
  target_closed: "the target has closed it",
  spent: "the target takes no more requests over it",
  target_reset: "the target has reset it",
  request_timeout: "a request was not answered in time",
  mismatch: "what came was no reply",
  idle: "it was idle",
  max_age: "it was old enough",
  unused: "nobody needs it",
  shutdown: "all is cut",
};

function changed(log: Log, proxy: string, event: LineEvent): void {
  const { target, local } = event;
  // Both ends of a unix socket have the same name.
  const ends = local === target ? target : `${local} <-> ${target}`;
  if (event.event === "opened") {
    const text = `weir: new target connection of proxy "${proxy}": ${ends}`;
    log.write("debug", "target_connection_opened", text, { proxy, target, local });
    return;
  }
  const { why, underWay } = event;
  const lost = underWay > 0 ? `, with ${underWay} request${underWay === 1 ? "" : "s"} under way` : "";
  const text = `weir: target connection of proxy "${proxy}" has ended: ${ends}: ${WORDS[why]}${lost}`;
  log.write("debug", "target_connection_closed", text, { proxy, target, local, reason: why, requests: underWay });
}
