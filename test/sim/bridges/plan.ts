/** What happens in a storm over bridges, as far as it is decided beforehand. */
import { BRIDGE, type BridgeConfig, CUTS, FSYNCS, WHEN_FULL } from "../../../src/datagram/bridge/bridge-config.ts";
import { parseRoute } from "../../../src/datagram/bridge/route-address.ts";
import type { Endpoint } from "../../../src/net/runtime.ts";
import type { Random } from "../../peers/random.ts";
import { EASY, type Habits } from "../process.ts";
import type { Weather } from "../wire.ts";

export interface BridgesPlan {
  /** In a calm storm no datagram is lost on the network and no thread dies: everything is compared to the last byte. */
  readonly kind: "calm" | "rough";
  readonly workers: number;
  readonly bridges: readonly OnePlan[];
  readonly habits: Habits;
  /** Milliseconds in which people come. */
  readonly time: number;
  readonly weather: { readonly loss: number; readonly doubles: number; readonly reorders: number };
  readonly streams: Weather;
  readonly killAt: number | undefined;
  /** When it is drained; undefined: when all that was sent has been read. */
  readonly drainAt: number | undefined;
  readonly grace: number;
}

/** People send and read as long as they are there; each knows its end by its number in the configuration. */
export interface OnePlan {
  readonly config: BridgeConfig;
  readonly senders: readonly { readonly source: number; readonly to: Endpoint; readonly count: number }[];
  readonly feeds: readonly { readonly source: number; readonly at: Endpoint }[];
  readonly publishers: readonly { readonly source: number; readonly to: Endpoint; readonly at: number }[];
  /** Of these the first hears everything. */
  readonly receivers: readonly { readonly sink: number; readonly at: Endpoint; readonly group: boolean }[];
  readonly readers: readonly ReaderPlan[];
}

const HABITS = ["fast", "slow", "stalls", "half-closes", "resets", "stays"] as const;

export interface ReaderPlan {
  readonly sink: number;
  readonly to: Endpoint;
  readonly at: number;
  readonly habit: (typeof HABITS)[number];
}

const WEIR = "10.0.0.1";
export const FILE = "/feed";

export function makeBridgesPlan(random: Random): BridgesPlan {
  const calm = random.chance(0.6);
  const workers = random.pick([0, 0, 1, 2]);
  const time = random.size(10, 20_000);
  const killAt = calm || workers === 0 || random.chance(0.4) ? undefined : random.fraction() * time;
  // Soon after a death as well, when what was lost is just opened again.
  const drainAt =
    (killAt !== undefined && random.chance(0.5) ? killAt : random.fraction() * time) + random.size(0, 300);
  const rough = (most: number) => (calm ? 0 : random.pick([0, most]));
  return {
    kind: calm ? "calm" : "rough",
    workers,
    bridges: Array.from({ length: random.between(1, 2) }, (_, index) => makeOne(random, index, time)),
    habits: { ...EASY, lag: random.pick([0, 0.5, 5, 50]), read: random.pick([100, 5_000, 65_536]) },
    time,
    weather: { loss: rough(0.1), doubles: rough(0.1), reorders: rough(0.2) },
    streams: {
      latency: random.size(0, 50),
      segment: random.size(50, 10_000),
      sendBuffer: random.size(500, 50_000),
      receiveBuffer: random.size(500, 50_000),
      resetOvertakes: random.chance(0.5),
    },
    killAt,
    drainAt: random.chance(0.4) ? drainAt : undefined,
    grace: random.pick([0, 1_000, 100_000]),
  };
}

/** An address for each end of each bridge. */
function place(bridge: number, end: number): Endpoint {
  return { host: WEIR, port: 1_000 * (bridge + 1) + end };
}

function makeOne(random: Random, bridge: number, time: number): OnePlan {
  const url = ({ host, port }: Endpoint) => `${host}:${port}`;
  const from: string[] = [];
  const to: string[] = [];
  const [senders, feeds, publishers, receivers, readers]: [
    OnePlan["senders"][number][],
    OnePlan["feeds"][number][],
    OnePlan["publishers"][number][],
    OnePlan["receivers"][number][],
    ReaderPlan[],
  ] = [[], [], [], [], []];
  const moment = () => random.fraction() * time;
  for (let source = random.between(1, 3) - 1; source >= 0; source--) {
    const number = from.length;
    const at = place(bridge, number);
    const kind = random.pick(["udp", "group", "feed", "listen"] as const);
    const host = kind === "group" ? `239.0.${bridge}.${number}` : kind === "feed" ? "10.0.1.1" : WEIR;
    const end = { ...at, host };
    from.push(`${{ udp: "udp", group: "udp", feed: "tcp", listen: "listen" }[kind]}://${url(end)}`);
    if (kind === "feed") feeds.push({ source: number, at: end });
    else if (kind === "listen") {
      for (let n = random.between(1, 3); n > 0; n--) publishers.push({ source: number, to: end, at: moment() });
    } else {
      for (let n = random.between(1, 2); n > 0; n--) {
        senders.push({ source: number, to: end, count: random.size(1, 60) });
      }
    }
  }
  for (let left = random.between(1, 3); left > 0; left--) {
    const sink = to.length;
    const at = place(bridge, 100 + sink);
    const kind =
      sink === 0 ? "udp" : random.pick(["udp", "absent", "group", "listen", "listen", "listen", "file"] as const);
    const host = kind === "group" ? `239.1.${bridge}.${sink}` : kind === "listen" ? WEIR : "10.0.2.1";
    const end = { ...at, host };
    if (kind === "file") to.push(`file:${FILE}${bridge}${sink}`);
    else to.push(`${kind === "listen" ? "listen" : "udp"}://${url(end)}`);
    if (kind === "udp" || kind === "group") receivers.push({ sink, at: end, group: kind === "group" });
    for (let n = kind === "listen" ? random.between(0, 4) : 0; n > 0; n--) {
      readers.push({ sink, to: end, at: moment(), habit: random.pick(HABITS) });
    }
  }
  const config: BridgeConfig = {
    ...BRIDGE,
    name: `bridge ${bridge}`,
    from: from.map((text) => parseRoute(text, "from")),
    to: to.map((text) => parseRoute(text, "to")),
    datagramSize: random.pick([20, 300, 1_400, 9_000]),
    cut: random.pick(CUTS),
    receiveBuffer: random.pick([5_000, 4_194_304]),
    buffer: random.pick([1_024, 10_000, 1_048_576]),
    whenFull: random.pick(WHEN_FULL),
    maxClients: random.pick([0, 0, 2]),
    file: { maxSize: random.pick([0, 5_000]), keep: 1_000, fsync: random.pick(FSYNCS) },
  };
  return { config, senders, feeds, publishers, receivers, readers };
}
