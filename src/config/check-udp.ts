/** What can be wrong with bridges whose single values are all right. */

import { BRIDGE, type BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import { formatRoute, type SinkAddress, type SourceAddress } from "../datagram/bridge/route-address.ts";
import { isLiteral, leadsTo, sameRoute } from "../datagram/bridge/route-relations.ts";
import type { ListenAddress } from "../net/address.ts";
import { isMulticast } from "../net/multicast.ts";
import { wayBack } from "./circle.ts";
import { type Path, type Problem, wrong } from "./problem.ts";
import { same } from "./same.ts";

/**
 * Finds contradictions within bridges and between them: datagrams that come back, addresses, files and descriptors
 * that two want, settings for which there is nobody. Paths begin at the file (`udp[0].to[1]`).
 */
export function checkBridges(bridges: readonly BridgeConfig[]): Problem[] {
  const single = bridges.flatMap((bridge, index) => {
    const problems = [...repeated(bridge, "from"), ...repeated(bridge, "to"), ...settingsForNobody(bridge)];
    return problems.map((problem) => ({ ...problem, path: ["udp", index, ...problem.path] }));
  });
  return [...sharedInputs(bridges), ...sharedFiles(bridges), ...loops(bridges), ...single];
}

/** Where bridges accept connections or receive datagrams: nobody else may. Of a group there can be any number of members. */
export function bridgeListeners(
  bridges: readonly BridgeConfig[],
): { who: string; path: Path; address: ListenAddress }[] {
  return bridges.flatMap((bridge, index) => {
    return (["from", "to"] as const).flatMap((field) => {
      return bridge[field].flatMap((route, nth) => {
        const address = listeningOn(route, field);
        return address ? [{ who: nameOf(bridge), path: ["udp", index, field, nth], address }] : [];
      });
    });
  });
}

function listeningOn(route: SourceAddress | SinkAddress, field: "from" | "to"): ListenAddress | undefined {
  if (route.kind === "listen") return route.address;
  if (field === "to" || route.kind !== "udp" || isMulticast(route.host)) return undefined;
  return { kind: "udp", host: route.host, port: route.port };
}

function repeated(bridge: BridgeConfig, field: "from" | "to"): Problem[] {
  const routes: readonly (SourceAddress | SinkAddress)[] = bridge[field];
  return routes.flatMap((route, nth) => {
    const first = routes.findIndex((other) => sameRoute(other, route));
    // Where it listens, or reads standard input, is taken already: that is said elsewhere.
    if (first === nth || route.kind === "listen" || (field === "from" && isExclusive(route))) return [];
    const why = field === "from" ? "whatever comes from it would come twice" : "it would get everything twice";
    return [wrong([field, nth], `${formatRoute(route)} is there twice: ${why}; leave one of them out`)];
  });
}

/** Where two that read would get half each, or the second nothing. */
function isExclusive(route: SourceAddress | SinkAddress): boolean {
  return route.kind === "descriptor" || (route.kind === "udp" && !isMulticast(route.host));
}

interface Source {
  readonly bridge: BridgeConfig;
  readonly path: Path;
  readonly route: SourceAddress;
}

function sourcesOf(bridges: readonly BridgeConfig[]): Source[] {
  return bridges.flatMap((bridge, index) => {
    return bridge.from.map((route, nth) => ({ bridge, path: ["udp", index, "from", nth], route }));
  });
}

function sharedInputs(bridges: readonly BridgeConfig[]): Problem[] {
  const sources = sourcesOf(bridges).filter(({ route }) => route.kind === "descriptor");
  return sources.flatMap(({ path, route }, index) => {
    const other = sources.slice(0, index).find((each) => sameRoute(each.route, route));
    if (!other) return [];
    const why = `${nameOf(other.bridge)} reads it already, and each would get a part of it`;
    return [wrong(path, `${formatRoute(route)} is there twice: ${why}; keep one, and give that all destinations`)];
  });
}

/** Two that append to a file get on with each other, until one of them puts it aside. */
function sharedFiles(bridges: readonly BridgeConfig[]): Problem[] {
  const files = bridges.flatMap((bridge, index) => {
    return bridge.to.flatMap((route, nth) => (route.kind === "file" ? [{ bridge, index, nth, route }] : []));
  });
  return files.flatMap(({ bridge, index, nth, route }, at) => {
    const other = files.slice(0, at).find((each) => each.bridge !== bridge && each.route.path === route.path);
    if (!other || bridge.file.maxSize + other.bridge.file.maxSize === 0) return [];
    const why = `${nameOf(other.bridge)} writes to it as well, and with max_size one of them puts it aside`;
    return [wrong(["udp", index, "to", nth], `${formatRoute(route)} is there twice: ${why}; use two files`)];
  });
}

/** Whatever comes to a bridge of these would come back to it, for ever and faster and faster. */
function loops(bridges: readonly BridgeConfig[]): Problem[] {
  const links = bridges.map((bridge) => bridges.flatMap((other, index) => (wayOf(bridge, other) ? [index] : [])));
  return bridges.flatMap((bridge, index) => {
    const loop = wayBack(links, index);
    const way = loop && wayOf(bridge, bridges[loop[1] ?? index] ?? bridge);
    if (!loop || !way) return [];
    const path = ["udp", index, "to", way.to];
    if (loop.length === 1) {
      const back = `what goes to ${way.sink} comes back to the bridge by ${way.source}`;
      return [wrong(path, `${back}; ${way.remedy}`)];
    }
    const names = [...loop, index].map((each) => `"${bridges[each]?.name}"`).join(" -> ");
    return [wrong(path, `datagrams would go in a circle: ${names}; change one of the destinations`)];
  });
}

interface Way {
  /** The position of the destination. */
  readonly to: number;
  readonly sink: string;
  readonly source: string;
  readonly remedy: string;
}

/** How one leads to the other, if it does. */
function wayOf({ to, multicast }: BridgeConfig, { from }: BridgeConfig): Way | undefined {
  for (const [index, sink] of to.entries()) {
    const source = from.find((each) => leadsTo(sink, each, multicast.interface));
    if (!source) continue;
    return { to: index, sink: formatRoute(sink), source: formatRoute(source), remedy: remedyFor(sink, source) };
  }
  return undefined;
}

function remedyFor(sink: SinkAddress, source: SourceAddress): string {
  if (sink.kind !== "udp" || source.kind !== "udp" || !isMulticast(sink.host)) return "change one of them";
  return "change one of them, or name an interface for each, such as …%eth0 and …%eth1";
}

function nameOf({ name }: BridgeConfig): string {
  return `bridge "${name}"`;
}

/** What there is in a bridge that settings are for. */
export interface Uses {
  /** Sources that are cut into datagrams. */
  readonly streams: boolean;
  readonly receivers: boolean;
  /** Groups that are joined. */
  readonly members: boolean;
  /** Groups that are sent to, or names, which may stand for such. */
  readonly groups: boolean;
  /** Connections that get what passes. */
  readonly clients: boolean;
  readonly files: boolean;
  /** Sources that are met over TLS. */
  readonly secured: boolean;
}

export function usesOf({ from, to }: Pick<BridgeConfig, "from" | "to">): Uses {
  return {
    streams: from.some(({ kind }) => kind !== "udp"),
    receivers: from.some(({ kind }) => kind === "udp"),
    members: from.some((source) => source.kind === "udp" && isMulticast(source.host)),
    groups: to.some((sink) => sink.kind === "udp" && (isMulticast(sink.host) || !isLiteral(sink.host))),
    clients: to.some(({ kind }) => kind === "listen"),
    files: to.some(({ kind }) => kind === "file"),
    secured: from.some((source) => source.kind === "stream" && source.tls),
  };
}

/** The words for them in messages. */
export const USES: Readonly<Record<keyof Uses, string>> = {
  streams: "a source that is a stream: tcp://, tls://, listen://, unix:, file:, fd: or -",
  receivers: "a udp:// source",
  members: "a multicast group to join",
  groups: "a multicast group to send to",
  clients: "a listen:// destination",
  files: "a file to write to",
  secured: "a tls:// source",
};

/** What is set, and would change nothing. */
function settingsForNobody(bridge: BridgeConfig): Problem[] {
  const { file, multicast } = bridge;
  const uses = usesOf(bridge);
  const settings: readonly (readonly [key: string, given: boolean, needed: keyof Uses])[] = [
    ["cut", bridge.cut !== BRIDGE.cut, "streams"],
    ["datagram_size", bridge.datagramSize !== BRIDGE.datagramSize, "streams"],
    ["multicast", !same(multicast, BRIDGE.multicast), "groups"],
    ["receive_buffer", bridge.receiveBuffer !== BRIDGE.receiveBuffer, "receivers"],
    ["when_full", bridge.whenFull !== BRIDGE.whenFull, "clients"],
    ["buffer", bridge.buffer !== BRIDGE.buffer, "clients"],
    ["max_clients", bridge.maxClients !== BRIDGE.maxClients, "clients"],
    ["file", !same(file, BRIDGE.file), "files"],
    ["source_tls", !same(bridge.sourceTls, BRIDGE.sourceTls), "secured"],
  ];
  const problems = settings.flatMap(([key, given, needed]) => {
    if (!given || uses[needed]) return [];
    return [wrong([key], `${key} needs ${USES[needed]}; add one, or leave ${key} out`)];
  });
  const { credential } = bridge.sourceTls;
  if (credential && (credential.certificate === "" || credential.key === "")) {
    const [has, lacks] = credential.key === "" ? ["certificate", "key"] : ["key", "certificate"];
    problems.push(wrong(["source_tls"], `there is a ${has} and no ${lacks}; write both, or neither`));
  }
  if (uses.files && file.maxSize === 0 && file.keep !== BRIDGE.file.keep) {
    const why = `keep is ${file.keep}, and no file is put aside; add max_size, or leave keep out`;
    problems.push(wrong(["file", "keep"], why));
  }
  return problems;
}
