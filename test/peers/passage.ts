/**
 * What two peers and weir's record say of one connection, and what must hold between them whatever has happened: bytes
 * come from somewhere, a FIN is never a lie, and what broke does not look whole.
 */
import type { Reason } from "../../src/metrics/reason.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import type { Endpoint } from "./endpoint.ts";

/** Notes what does not hold. */
export type Claim = (holds: boolean, what: () => string) => void;

/** One connection through weir, as far as it is known who was at its ends. */
export interface Passage {
  readonly record: ConnectionRecord;
  readonly client: Endpoint;
  readonly target: Endpoint | undefined;
}

export const ENDED_WELL: readonly Reason[] = ["client_closed", "target_closed"];

/** What one peer alone can say: its bytes are right, and weir has let it go. */
export function lonely(peer: Endpoint, claim: Claim): void {
  for (const complaint of peer.complaints) claim(false, () => complaint);
  claim(peer.closed || peer.broke === "sever" || peer.deaf, () => `endpoint ${peer.script.id} was left hanging`);
}

/** Finds the peers of each record: the client by its address, the target by what the two said to each other. */
export function pair(
  clients: readonly Endpoint[],
  targets: readonly Endpoint[],
  records: readonly ConnectionRecord[],
  claim: Claim,
): Passage[] {
  const byAddress = new Map(clients.map((client) => [client.address, client]));
  const byId = new Map([...clients, ...targets].map((each) => [each.script.id, each]));
  const targetOf = new Map<Endpoint, Endpoint>();
  for (const target of targets) {
    const client = byId.get(target.peer);
    if (target.introduced && client) targetOf.set(client, target);
    if (target.introduced) claim(client !== undefined, () => `nobody has the id ${target.peer}`);
  }
  for (const client of clients) {
    const target = byId.get(client.peer);
    if (!client.introduced || !target) continue;
    const known = targetOf.get(client);
    claim(!known || known === target, () => `client ${client.script.id} was connected to two targets`);
    targetOf.set(client, target);
  }
  const unclear = new Set([
    ...twice(clients.map(({ address }) => address)),
    ...twice(records.map(({ client }) => client)),
  ]);
  return records.flatMap((record) => {
    const client = byAddress.get(record.client);
    // A port may be given out again that a reset has freed: whose record that is nobody can tell.
    if (client && unclear.has(record.client)) return [];
    if (client) return [{ record, client, target: targetOf.get(client) }];
    // A client that left before it knew that it was connected.
    claim(!ENDED_WELL.includes(record.reason), () => `a record of nobody: ${JSON.stringify(record)}`);
    return [];
  });
}

function twice(addresses: readonly string[]): readonly string[] {
  return addresses.filter((address, at) => addresses.indexOf(address) !== at);
}

/** Bytes come from somewhere, and a FIN is never a lie. */
export function conserved(passage: Passage, claim: Claim): void {
  const { record, client, target } = passage;
  const { reason, bytesUpstream: up, bytesDownstream: down, undeliveredUpstream, undeliveredDownstream } = record;
  const say = (what: string) => () => `${what}: ${describe(passage)}`;
  claim(up <= client.sent, say("more bytes upstream than the client sent"));
  claim(undeliveredUpstream <= up && undeliveredDownstream <= down, say("more undelivered than read"));
  claim(client.received <= down - undeliveredDownstream, say("the client got bytes that were not delivered"));
  if (!target) return;
  claim(down <= target.sent, say("more bytes downstream than the target sent"));
  claim(target.received <= up - undeliveredUpstream, say("the target got bytes that were not delivered"));
  // Some faults end both sides as if they had finished.
  if (reason === "fault") return;
  const lie = (from: Endpoint, to: Endpoint) => to.ended && !(isOver(from) && to.received === from.sent);
  claim(!lie(client, target), say("the target got a FIN that the client had not sent there"));
  claim(!lie(target, client), say("the client got a FIN that the target had not sent there"));
}

/** The reason fits what the peers did, and neither takes for whole what was not. */
export function reasoned(passage: Passage, claim: Claim): void {
  const { record, client, target } = passage;
  const { reason } = record;
  const say = (what: string) => () => `${what}: ${describe(passage)}`;
  if (ENDED_WELL.includes(reason)) {
    const whole =
      record.bytesUpstream === client.sent && record.undeliveredUpstream + record.undeliveredDownstream === 0;
    claim(whole && isOver(client), say("ended well, but not whole"));
    claim(!target || (isOver(target) && record.bytesDownstream === target.sent), say("ended well, but not whole"));
  } else if (reason !== "fault") {
    const fooled = [client, target].find((peer) => peer?.closed && !peer.broke && peer.error === undefined);
    claim(!fooled || (fooled.ended && fooled.finished), say("a connection that broke looks whole"));
  }
  claim(reason !== "client_reset" || !!client.broke, say("the client did not reset"));
  claim(reason !== "target_reset" || !target || !!target.broke, say("the target did not reset"));
}

/** It has sent a FIN: by end, or by closing the whole connection. */
function isOver(peer: Endpoint): boolean {
  return peer.finished || peer.broke === "close";
}

export function describe({ record, client, target }: Passage): string {
  const show = (peer: Endpoint | undefined) =>
    peer &&
    `${peer.script.id} sent ${peer.sent}, received ${peer.received}, finished ${peer.finished}, ended ${peer.ended}, ` +
      `broke ${peer.broke}, error ${peer.error}`;
  return `${JSON.stringify(record)}; client ${show(client)}; target ${show(target)}`;
}
