/** The part of the page for Prometheus that is about clients that share connections. */
import { CELL, type Counters } from "./counters.ts";
import { type Family, familyLines, single, timing } from "./family.ts";

const ANY = () => true;

const FAMILIES: readonly Family[] = [
  single("weir_mux_requests_total", "counter", "Requests of clients that share connections.", ANY, "requests"),
  single("weir_mux_requests_waiting", "gauge", "Requests that wait for a connection now.", ANY, "requestsQueued"),
  single("weir_mux_requests_in_flight", "gauge", "Requests that wait for their reply now.", ANY, "requestsInFlight"),
  single(
    "weir_mux_request_timeouts_total",
    "counter",
    "Requests that were not answered in time.",
    ANY,
    "requestTimeouts",
  ),
  single(
    "weir_mux_request_retries_total",
    "counter",
    "Requests that went out again because their connection had died.",
    ANY,
    "requestRetries",
  ),
  single(
    "weir_mux_replies_dropped_total",
    "counter",
    "Replies that came when nobody waited for them any more.",
    ANY,
    "repliesDropped",
  ),
  single(
    "weir_mux_mismatches_total",
    "counter",
    "What a target sent that was no reply, or none that anybody had asked for.",
    ANY,
    "mismatches",
  ),
  single("weir_mux_target_connections", "gauge", "Connections to a target that clients share.", ANY, "lines"),
  single(
    "weir_mux_redials_total",
    "counter",
    "Attempts to open such a connection after another had failed.",
    ANY,
    "redials",
  ),
  timing("weir_mux_queue_seconds", "Time from a whole request until it was sent.", ANY, (each) => each.queueTime),
  timing("weir_mux_reply_seconds", "Time from a sent request to the end of its reply.", ANY, (each) => each.replyTime),
];

/**
 * Lines, without an end of line; none where no client shares a connection. `proxies`: the names of those that
 * multiplex now; of others there is what they have counted when they did.
 */
export function muxFamilies(figures: readonly Counters[], proxies: ReadonlySet<string>): readonly string[] {
  const theirs = figures.filter((each) => each.target !== "" && (proxies.has(each.proxy) || hasMultiplexed(each)));
  return theirs.length === 0 ? [] : FAMILIES.flatMap((family) => familyLines(family, theirs));
}

function hasMultiplexed(counters: Counters): boolean {
  const { requests, mismatches, lines, redials } = CELL;
  return [requests, mismatches, lines, redials].some((cell) => counters.get(cell) > 0);
}
