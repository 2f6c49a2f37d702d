/** What must hold after a storm, whatever has happened in it. */
import { CELL, type Counters } from "../../src/metrics/counters.ts";
import { FAILURES, REASONS, type Reason } from "../../src/metrics/reason.ts";
import { formatAddress } from "../../src/net/address.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import type { Endpoint } from "./endpoint.ts";
import type { SimSocket } from "./socket.ts";
import type { Storm } from "./storm.ts";

/** Milliseconds that a deadline may be late, beyond what its rules allow. */
const SLACK = 1_000;

/** One connection through weir, as far as it is known who was at its ends. */
interface Passage {
  readonly record: ConnectionRecord;
  readonly at: number;
  readonly client: Endpoint;
  readonly target: Endpoint | undefined;
}

export function judge(storm: Storm): void {
  const claim = (holds: boolean, what: () => string) => {
    if (!holds) storm.violations.push(what());
  };
  cleanUp(storm, claim);
  for (const each of [...storm.clients, ...storm.targets]) lonely(storm, each, claim);
  const passages = pair(storm, claim);
  for (const passage of passages) {
    conserved(passage, claim);
    ended(storm, passage, claim);
    timely(storm, passage, claim);
  }
  if (storm.proxy) counted(storm, storm.proxy.counters, claim);
}

type Claim = (holds: boolean, what: () => string) => void;

/** Nothing of weir is left, and it kept to the contract. */
function cleanUp({ weir, threads, proxy, engine, violations, left }: Storm, claim: Claim): void {
  for (const process of [weir, ...(threads?.processes ?? [])]) {
    violations.push(...process.misuses);
    claim(process.sockets.size === 0, () => `${process.name}: ${process.sockets.size} sockets left open`);
    claim(process.dead || process.timers === 0, () => `${process.name}: ${process.timers} timers left`);
  }
  const others = weir.limit < 1_000 ? 1 : 0;
  claim(left.descriptors === others, () => `${left.descriptors - others} descriptors left open`);
  claim(left.timers === 0, () => `${left.timers} timers left`);
  claim(proxy?.counters.get(CELL.active) === 0, () => `active: ${proxy?.counters.get(CELL.active)} after the end`);
  claim(engine?.eventsLost === 0, () => `${engine?.eventsLost} events lost`);
}

/** What one peer alone can say: its bytes are right, and weir has let it go. */
function lonely({ plan }: Storm, peer: Endpoint, claim: Claim): void {
  const who = `endpoint ${peer.script.id}`;
  for (const complaint of peer.complaints) claim(false, () => complaint);
  claim(peer.closed || peer.broke === "sever" || peer.deaf, () => `${who} was left hanging`);
  const early = peer.ended && peer.received < 4 && plan.kind !== "rough";
  claim(!early, () => `${who} got a FIN after ${peer.received} bytes: too early`);
}

function pair(storm: Storm, claim: Claim): Passage[] {
  const clients = new Map(storm.clients.map((client) => [formatAddress(client.socket.local), client]));
  const byId = new Map([...storm.clients, ...storm.targets].map((each) => [each.script.id, each]));
  const targetOf = new Map<Endpoint, Endpoint>();
  for (const target of storm.targets) {
    const client = byId.get(target.peer);
    if (target.received >= 4 && client) targetOf.set(client, target);
    if (target.received >= 4) claim(client !== undefined, () => `nobody has the id ${target.peer}`);
  }
  for (const client of storm.clients) {
    const target = byId.get(client.peer);
    if (client.received < 4 || !target) continue;
    const known = targetOf.get(client);
    claim(!known || known === target, () => `client ${client.script.id} was connected to two targets`);
    targetOf.set(client, target);
  }
  const passages: Passage[] = [];
  for (const [index, record] of storm.records.entries()) {
    const client = clients.get(record.client);
    const at = storm.recordedAt[index] ?? 0;
    if (client) passages.push({ record, at, client, target: targetOf.get(client) });
    // A client that left before it knew that it was connected.
    else claim(!ENDED_WELL.includes(record.reason), () => `a record of nobody: ${JSON.stringify(record)}`);
  }
  return passages;
}

const ENDED_WELL: readonly Reason[] = ["client_closed", "target_closed"];

/** Bytes come from somewhere, and a FIN is never a lie. */
function conserved({ record, client, target }: Passage, claim: Claim): void {
  const { bytesUpstream: up, bytesDownstream: down, undeliveredUpstream, undeliveredDownstream } = record;
  const say = (what: string) => () => `${what}: ${describe(record, client, target)}`;
  claim(up <= client.sent, say("more bytes upstream than the client sent"));
  claim(undeliveredUpstream <= up && undeliveredDownstream <= down, say("more undelivered than read"));
  claim(client.received <= down - undeliveredDownstream, say("the client got bytes that were not delivered"));
  if (!target) return;
  claim(down <= target.sent, say("more bytes downstream than the target sent"));
  claim(target.received <= up - undeliveredUpstream, say("the target got bytes that were not delivered"));
  const lie = (from: Endpoint, to: Endpoint) => to.ended && !(isOver(from) && to.received === from.sent);
  claim(!lie(client, target), say("the target got a FIN that the client had not sent there"));
  claim(!lie(target, client), say("the client got a FIN that the target had not sent there"));
}

/** It has sent a FIN: by end, or by closing the whole connection. */
function isOver(peer: Endpoint): boolean {
  return peer.finished || peer.broke === "close";
}

/** The reason fits what the peers did, and a reset has arrived as one, behind what was read before it. */
function ended(storm: Storm, { record, client, target }: Passage, claim: Claim): void {
  const { reason } = record;
  const { kind } = storm.plan;
  const say = (what: string) => () => `${what}: ${describe(record, client, target)}`;
  if (ENDED_WELL.includes(reason)) {
    const whole =
      record.bytesUpstream === client.sent && record.undeliveredUpstream + record.undeliveredDownstream === 0;
    claim(whole && isOver(client), say("ended well, but not whole"));
    claim(!target || (isOver(target) && record.bytesDownstream === target.sent), say("ended well, but not whole"));
  } else {
    const fooled = [client, target].find((peer) => peer?.closed && !peer.broke && peer.error === undefined);
    claim(!fooled || (fooled.ended && fooled.finished), say("a connection that broke looks whole"));
  }
  claim(reason !== "client_reset" || !!client.broke, say("the client did not reset"));
  claim(reason !== "target_reset" || !target || !!target.broke, say("the target did not reset"));
  claim(kind !== "gentle" || ENDED_WELL.includes(reason), say("nobody broke it"));
  const { told, limit, habits } = storm.plan;
  const knows = habits.pauseAccept && told === limit;
  claim(!knows || reason !== "no_descriptors", say("there were descriptors enough"));
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
function timely(storm: Storm, { record, at, client, target }: Passage, claim: Claim): void {
  const { reason, duration } = record;
  const { connect, idle, fin, lifetime } = storm.plan.config.timeouts;
  const say = (what: string) => () => `${what}: ${describe(record, client, target)}`;
  const limits: Partial<Record<Reason, number>> = {
    connect_timeout: connect,
    idle_timeout: idle,
    fin_timeout: fin,
    lifetime,
  };
  const limit = limits[reason];
  if (limit !== undefined)
    claim(duration * 1_000 >= limit - 1 && (limit > 0 || reason === "connect_timeout"), say("too early"));
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

/** The counters say what the records say, and the records what has happened. */
function counted(storm: Storm, counters: Counters, claim: Claim): void {
  const { records, opened } = storm;
  const accepted = [storm.weir, ...(storm.threads?.processes ?? [])].reduce((sum, each) => sum + each.accepted, 0);
  const sum = (of: (record: ConnectionRecord) => number) => records.reduce((all, record) => all + of(record), 0);
  const same = (what: string, counter: number, truth: number) =>
    claim(counter === truth, () => `${what} is counted as ${counter} and was ${truth}`);
  same("accepted", counters.get(CELL.connections), accepted);
  if (storm.plan.deaths.length > 0) return;
  same("opened", opened.length, accepted);
  same("records", records.length, accepted);
  same("ids", new Set(records.map(({ id }) => id)).size, accepted);
  same(
    "bytes upstream",
    counters.get(CELL.bytesUpstream),
    sum((record) => record.bytesUpstream),
  );
  same(
    "bytes downstream",
    counters.get(CELL.bytesDownstream),
    sum((record) => record.bytesDownstream),
  );
  same(
    "undelivered upstream",
    counters.get(CELL.undeliveredUpstream),
    sum((record) => record.undeliveredUpstream),
  );
  same(
    "undelivered downstream",
    counters.get(CELL.undeliveredDownstream),
    sum((record) => record.undeliveredDownstream),
  );
  for (const reason of REASONS)
    same(
      reason,
      counters.endedBy(reason),
      sum((record) => (record.reason === reason ? 1 : 0)),
    );
  same("durations", counters.duration.count, accepted);
  same(
    "connect times",
    counters.connectTime.count,
    sum((record) => (record.connectTime === null ? 0 : 1)),
  );
  const reached = (record: ConnectionRecord) => FAILURES.includes(record.reason) && record.connectTime !== null;
  same(
    "failures behind a target",
    sum((record) => (reached(record) ? 1 : 0)),
    0,
  );
}

function describe(record: ConnectionRecord, client: Endpoint, target: Endpoint | undefined): string {
  const show = (peer: Endpoint | undefined) =>
    peer &&
    `${peer.script.id} sent ${peer.sent}, received ${peer.received}, finished ${peer.finished}, ended ${peer.ended}, ` +
      `broke ${peer.broke}, error ${peer.error}`;
  return `${JSON.stringify(record)}; client ${show(client)}; target ${show(target)}`;
}
