/** What can be wrong with a mux whose single values are all right. */
import type { LengthField } from "../mux/message.ts";
import { MUX, type MuxConfig } from "../mux/mux-config.ts";
import type { ProxyConfig } from "./config.ts";
import { type Path, type Problem, wrong } from "./problem.ts";

/**
 * Finds contradictions within a mux: settings of another protocol, limits beyond others, and what cannot be where
 * clients share connections. Paths begin at the mux (`proxy_protocol.send`); of a proxy that is none there are none.
 */
export function checkMux({ mux, proxyProtocol, targets }: ProxyConfig): Problem[] {
  if (!mux) return [];
  const problems = RULES.flatMap(([path, broken]) => {
    const why = broken(mux);
    return why === undefined ? [] : [wrong(path, why)];
  });
  if (proxyProtocol.send !== "off") {
    const why = "clients share connections to the targets, and a PROXY header speaks for one of them alone";
    problems.push(wrong(["proxy_protocol", "send"], `${why}; leave send out, or use a proxy instead`));
  }
  for (const [index, { maxConnections, sni, alpn }] of targets.entries()) {
    for (const key of [...(sni ? ["sni"] : []), ...(alpn ? ["alpn"] : [])]) {
      const why = "clients share connections to the target, and a TLS connection is one client's alone";
      problems.push(wrong(["targets", index, key], `${why}; leave ${key} out, or use a proxy instead`));
    }
    if (maxConnections === 0) continue;
    const why = "clients share connections to the target; limit these with connections, and leave max_connections out";
    problems.push(wrong(["targets", index, "max_connections"], why));
  }
  return problems;
}

/** What is wrong, and what to do about it. */
type Rule = (mux: MuxConfig) => string | undefined;

const RULES: readonly (readonly [Path, Rule])[] = [
  [["delimiter"], ({ delimiter, protocol }) => only("delimiter", "echo", protocol, delimiter === MUX.delimiter)],
  [["length"], ({ length, protocol }) => only("length", "length", protocol, isUsual(length))],
  [["length"], lateLength],
  [["match"], ({ match, protocol }) => only(`match "${match}"`, "iso8583", protocol, match === MUX.match)],
  [["warm"], ({ warm, connections }) => beyond("warm", warm, "connections", connections)],
  [
    ["max_in_flight_per_client"],
    ({ inFlightPerClient, inFlight }) => beyond("max_in_flight_per_client", inFlightPerClient, "in_flight", inFlight),
  ],
];

function only(what: string, needed: string, protocol: string, unset: boolean): string | undefined {
  if (unset || protocol === needed) return undefined;
  return `${what} is for the protocol ${needed} alone, and this is ${protocol}; leave it out`;
}

function isUsual({ offset, width, byteOrder, adjust, includes }: LengthField): boolean {
  const { length } = MUX;
  const number = offset === length.offset && width === length.width && byteOrder === length.byteOrder;
  return number && adjust === length.adjust && includes === length.includes;
}

function beyond(name: string, value: number, limit: string, most: number): string | undefined {
  return value > most
    ? `${name} is ${value}, more than the ${most} of ${limit}; lower it, or raise ${limit}`
    : undefined;
}

function lateLength({ protocol, length: { offset, width }, maxMessage }: MuxConfig): string | undefined {
  if (protocol !== "length" || offset + width <= maxMessage) return undefined;
  const end = offset + width;
  return `the length ends at byte ${end}, and max_message is ${maxMessage}; raise max_message`;
}
