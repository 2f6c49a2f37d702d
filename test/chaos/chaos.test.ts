/**
 * The storms of the simulation in small, against the real thing: weir as a process under each runtime and engine, and
 * peers on real sockets that trickle, flood, stall, half-close and reset.
 */
import { expect, test } from "bun:test";
import { formatAddress, parseAddress } from "../../src/net/address.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import { RUNTIMES, type RuntimeName } from "../contract/runtimes.ts";
import { Weir } from "../e2e/weir.ts";
import type { Endpoint } from "../peers/endpoint.ts";
import { type Claim, conserved, lonely, type Passage, pair, reasoned } from "../peers/passage.ts";
import { Random } from "../peers/random.ts";
import { SEED } from "../seed.ts";
import { Crowd } from "./crowd.ts";

const CLIENTS = 100;
const FLAGS = "--metrics off --log-format json --summary-interval off --idle-timeout 3s --fin-timeout 2s --grace 5s";

for (const runtime of RUNTIMES) {
  test(`under ${runtime}, portable: ${CLIENTS} peers that do what they like`, () => storm(runtime, "portable"), 60_000);
  if (runtime === "node" || process.platform !== "linux") continue;
  test(`under ${runtime}, native: ${CLIENTS} peers that do what they like`, () => storm(runtime, "native"), 60_000);
}

async function storm(host: RuntimeName, engine: string): Promise<void> {
  await using crowd = await Crowd.open(new Random(SEED));
  const args = ["tcp", "127.0.0.1:0", formatAddress(crowd.address), "--engine", engine, ...FLAGS.split(" ")];
  await using weir = await Weir.start(args, host);
  const listening = JSON.parse(await weir.stdout.next((line) => line.includes('"listening"'))) as { address: string };
  await crowd.visit(parseAddress(listening.address, "target"), CLIENTS);
  const records: ConnectionRecord[] = [];
  while (records.length < CLIENTS) records.push(JSON.parse(await weir.stdout.next(isRecord)) as ConnectionRecord);
  await crowd.settled();
  weir.signal("SIGTERM");
  expect(await weir.exit()).toBe(0);
  expect(violations(crowd, records, host).slice(0, 5)).toEqual([]);
}

function isRecord(line: string): boolean {
  return line.includes('"event":"access"');
}

function violations({ clients, targets }: Crowd, records: readonly ConnectionRecord[], host: RuntimeName): string[] {
  const found: string[] = [];
  const claim: Claim = (holds, what) => {
    if (!holds) found.push(what());
  };
  for (const peer of [...clients, ...targets]) lonely(peer, claim);
  for (const passage of pair(clients, targets, records, claim)) {
    if (host === "node" && looksWhole(passage)) continue;
    conserved(passage, claim);
    reasoned(passage, claim);
  }
  return found;
}

/** Node takes a reset for an end when its own side has sent its FIN (README, "How it relays"). */
function looksWhole({ client, target }: Passage): boolean {
  const torn = (from: Endpoint, to: Endpoint | undefined) =>
    from.broke === "reset" && (to === undefined || to.finished);
  return torn(client, target) || (target !== undefined && torn(target, client));
}
