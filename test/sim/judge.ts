/** What must hold after a storm, whatever has happened in it. */
import { CELL, type Counters } from "../../src/metrics/counters.ts";
import { DENIALS, FAILURES, REASONS, RETRIED, type Reason } from "../../src/metrics/reason.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import type { Endpoint } from "../peers/endpoint.ts";
import { type Claim, conserved, describe, ENDED_WELL, lonely, type Passage, pair, reasoned } from "../peers/passage.ts";
import type { SimSocket } from "./socket.ts";
import type { Storm } from "./storm.ts";

/** Milliseconds that a deadline may be late, beyond what its rules allow. */
const SLACK = 1_000;

export function judge(storm: Storm): void {
  const claim = (holds: boolean, what: () => string) => {
    if (!holds) storm.violations.push(what());
  };
  cleanUp(storm, claim);
  const { clients, targets, records, plan } = storm;
  for (const each of [...clients, ...targets]) {
    lonely(each, claim);
    const early = each.ended && !each.introduced && plan.kind !== "rough";
    claim(!early, () => `endpoint ${each.script.id} got a FIN after ${each.received} bytes: too early`);
  }
  for (const passage of pair(clients, targets, records, claim)) {
    conserved(passage, claim);
    reasoned(passage, claim);
    fitting(storm, passage, claim);
    timely(storm, passage, claim);
  }
  if (storm.proxy) counted(storm, storm.proxy.counters, claim);
  copied(storm, claim);
}

/** Nothing of weir is left, and it kept to the contract. */
function cleanUp({ weir, threads, proxy, engine, violations, left }: Storm, claim: Claim): void {
  for (const process of [weir, ...(threads?.processes ?? [])]) {
    violations.push(...process.misuses);
    claim(process.sockets.size === 0, () => `sockets left open by ${process.name}: ${process.sockets.size}`);
    claim(process.dead || process.timers === 0, () => `timers left by ${process.name}: ${process.timers}`);
  }
  const others = weir.limit < 1_000 ? 1 : 0;
  claim(left.descriptors === others, () => `descriptors left open: ${left.descriptors - others}`);
  claim(left.timers === 0, () => `timers left: ${left.timers}`);
  const busy = proxy?.targets.filter(({ active }) => active !== 0).map(({ address }) => address) ?? [];
  claim(busy.length === 0, () => `places taken on ${busy.join(", ")} after the end`);
  claim(proxy?.counters.get(CELL.waiting) === 0, () => `waiting: ${proxy?.counters.get(CELL.waiting)} after the end`);
  claim(proxy?.counters.get(CELL.active) === 0, () => `active: ${proxy?.counters.get(CELL.active)} after the end`);
  claim(engine?.eventsLost === 0, () => `${engine?.eventsLost} events lost`);
}

/** The reason fits what the storm was like, and a reset has come behind what was read before it. */
function fitting(storm: Storm, passage: Passage, claim: Claim): void {
  const { record, client, target } = passage;
  const { reason } = record;
  const { kind } = storm.plan;
  const say = (what: string) => () => `${what}: ${describe(passage)}`;
  claim(kind !== "gentle" || ENDED_WELL.includes(reason), say("nobody broke it"));
  const { told, limit, habits } = storm.plan;
  const knows = habits.pauseAccept && told === limit;
  claim(!knows || reason !== "no_descriptors", say("there were descriptors enough"));
  const { retries, targets } = storm.plan.config;
  claim(record.retries < (retries + 1) * targets.length, say("tried more often than was asked for"));
  claim(!RETRIED.includes(reason) || record.retries >= retries, say("given up too early"));
  if (kind !== "patient" || !target || storm.plan.deaths.length > 0) return;
  if (!client.broke && !target.broke) claim(ENDED_WELL.includes(reason), say("nobody broke it"));
  if (!storm.plan.habits.tellsUnacknowledged) return;
  const { bytesUpstream, bytesDownstream } = record;
  if (reason === "client_reset" && reliable(target)) {
    claim(target.received === bytesUpstream, say("a reset has destroyed bytes on their way to the target"));
  }
  if (reason === "target_reset" && reliable(client)) {
    claim(client.received === bytesDownstream, say("a reset has destroyed bytes on their way to the client"));
  }
}

/** It reads everything, and what weir's kernel has sent to it is not overtaken by a reset. */
function reliable(peer: Endpoint): boolean {
  return !peer.broke && !peer.deaf;
}

/** Deadlines end a connection neither early nor late. */
function timely(storm: Storm, passage: Passage, claim: Claim): void {
  const { record, client, target } = passage;
  const { reason, duration } = record;
  const at = storm.recordedAt.get(record) ?? 0;
  const { hello, connect, idle, fin, lifetime } = storm.plan.config.timeouts;
  const { queue } = storm.plan.config;
  const say = (what: string) => () => `${what}: ${describe(passage)}`;
  const limits: Partial<Record<Reason, number>> = {
    connect_timeout: connect,
    idle_timeout: idle,
    fin_timeout: fin,
    lifetime,
    queue_timeout: queue.timeout,
  };
  const limit = limits[reason];
  if (limit !== undefined)
    claim(duration * 1_000 >= limit - 1 && (limit > 0 || reason === "connect_timeout"), say("too early"));
  // Without a target it has waited for its header and in the queue, and nowhere else.
  const patience = queue.timeout + storm.plan.config.proxyProtocol.timeout + (storm.plan.greeting ? hello : 0);
  const waits = record.target === null && queue.timeout > 0 && (!storm.plan.guard.proxied || patience > queue.timeout);
  // One that is refused with a FIN gets a second to go.
  claim(!waits || duration * 1_000 <= patience + 2 * SLACK, say("waited for too long"));
  const reads = [client, target].map((peer) => (peer ? (peer.socket as SimSocket).outgoing.readAt : 0));
  if (reason === "idle_timeout" && target) claim(at - Math.max(...reads) >= idle - 1, say("too early"));
  const flush = 3 * fin;
  if (lifetime > 0 && fin > 0) claim(duration * 1_000 <= lifetime + flush + SLACK, say("the lifetime came late"));
  if (fin === 0 || !target) return;
  const ends = [client, target].map(({ socket }) => (socket as SimSocket).outgoing);
  const far = ends.map(({ receiver }) => receiver as SimSocket | undefined);
  const halves = far.flatMap((socket) => socket?.finSeenAt ?? []);
  if (halves.length !== 1) return;
  const moved = [client, target].map(({ socket }) => Math.max(...[socket as SimSocket].map(lastMove)));
  claim(at - Math.max(...moved, ...halves) <= flush + SLACK, say("the fin timeout came late"));
}

function lastMove({ incoming, outgoing }: SimSocket): number {
  return Math.max(incoming.movedAt, outgoing.movedAt);
}

/** Every byte that an observer should have got was sent to it or is counted as lost. */
function copied({ proxy, plan, records }: Storm, claim: Claim): void {
  for (const [index, view] of (proxy?.observers ?? []).entries()) {
    const { address, bytes, bytesLost, bytesWaiting, connections } = view;
    claim(bytesWaiting === 0, () => `${bytesWaiting} bytes wait for observer ${address} after the end`);
    claim(connections === 0, () => `${connections} connections to observer ${address} after the end`);
    if (plan.deaths.length > 0) continue;
    const met = records.filter(({ connectTime }) => connectTime !== null);
    const up = met.reduce((sum, { bytesUpstream }) => sum + bytesUpstream, 0);
    const down = met.reduce((sum, { bytesDownstream }) => sum + bytesDownstream, 0);
    const { copies } = plan.config.observers[index] ?? { copies: "both" };
    const most = (copies === "downstream" ? 0 : up) + (copies === "upstream" ? 0 : down);
    const seen = bytes + bytesLost;
    // What a fault has ended, or a filter still held, was not seen by all.
    const exact = copies === "upstream" && records.every(({ reason }) => reason !== "fault");
    claim(exact ? seen === most : seen <= most, () => `observer ${address} saw ${seen} bytes of ${most}`);
  }
}

/** The counters say what the records say, and the records what has happened. */
function counted(storm: Storm, counters: Counters, claim: Claim): void {
  const { records, opened, accepted } = storm;
  const sum = (of: (record: ConnectionRecord) => number) => records.reduce((all, record) => all + of(record), 0);
  const same = (what: string, counter: number, truth: number) =>
    claim(counter === truth, () => `${what} is counted as ${counter} and was ${truth}`);
  same("accepted", counters.get(CELL.connections), accepted);
  if (storm.plan.deaths.length > 0) return;
  same("opened", opened.length, accepted);
  same("records", records.length, accepted);
  same("ids", new Set(records.map(({ id }) => id)).size, accepted);
  const cells = [
    "bytesUpstream",
    "bytesDownstream",
    "undeliveredUpstream",
    "undeliveredDownstream",
    "retries",
  ] as const;
  for (const cell of cells) {
    const truth = sum((record) => record[cell]);
    same(cell, counters.get(CELL[cell]), truth);
  }
  const count = (is: (record: ConnectionRecord) => boolean) => records.filter(is).length;
  for (const reason of REASONS) {
    const truth = count((record) => record.reason === reason);
    same(reason, counters.endedBy(reason), truth);
  }
  const denials = DENIALS.reduce((sum, by) => sum + counters.deniedBy(by), 0);
  same(
    "denials",
    denials,
    count((record) => record.reason === "denied"),
  );
  const reached = count((record) => record.connectTime !== null);
  same("durations", counters.duration.count, accepted);
  same("connect times", counters.connectTime.count, reached);
  const strange = count((record) => FAILURES.includes(record.reason) && record.connectTime !== null);
  same("failures behind a target", strange, 0);
}
