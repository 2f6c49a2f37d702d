/** `weir udp forward --reply`: not a bridge but a UDP proxy, whose targets are answered for. */
import { type Config, plainTarget } from "../config/config.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import type { UdpRoute } from "../datagram/bridge/route-address.ts";
import { udpRelayConfig } from "../datagram/relay/relay-config.ts";
import { isIPv4, isIPv6 } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";
import { isMulticast } from "../net/multicast.ts";
import type { Run } from "./command.ts";
import { adminConfig, checked, type Flags, logOptions, NO_FILE } from "./config-flags.ts";

/** What else can be said with --reply. */
const OF_REPLY = ["idle-timeout", "max-connections", "balance"] as const;

/** Flags of bridges that mean nothing to a proxy. */
const OF_BRIDGES = [
  ...["lines", "datagram-size", "interface", "ttl", "loopback", "receive-buffer", "buffer", "when-full", "max-clients"],
  ...["max-size", "keep", "fsync", "source-ca", "source-name", "tee", "tcp-connect-addr", "tls-connect-addr"],
];

/**
 * What `weir udp forward --reply` is to do; undefined: --reply is not there.
 *
 * @throws {UsageError} `EUSAGE` for what is about answers without --reply, or about one direction with it, `ECONFIG` if
 *   the parts contradict each other.
 */
export function replyConfig(line: Run, ends: Pick<BridgeConfig, "name" | "from" | "to">): Config | undefined {
  const flags = line.flags as Flags<"udp forward">;
  const usage = (why: string) => new UsageError("EUSAGE", `weir ${line.command.name}: ${why}`);
  const given = (names: readonly string[]) => names.find((name) => Object.hasOwn(flags, name));
  if (!flags.reply) {
    const alone = given(OF_REPLY);
    if (alone) throw usage(`--${alone} needs --reply; add it, or leave --${alone} out`);
    return undefined;
  }
  const other = given(OF_BRIDGES);
  if (other) throw usage(`--${other} is for what goes one way; leave it out, or --reply`);
  const [from, ...more] = ends.from.map((end) => plain(end, usage));
  if (!from || more.length > 0) throw usage("with --reply there is one FROM; write several commands, or a file");
  if (!isIPv4(from.host) && !isIPv6(from.host)) throw usage(`"${from.host}" is a name; write an IP address as FROM`);
  const targets = ends.to
    .map((end) => plain(end, usage))
    .map(({ host, port }) => plainTarget({ kind: "tcp", host, port }));
  const proxy = udpRelayConfig(ends.name, { kind: "udp", host: from.host, port: from.port }, targets);
  return checked(line, {
    ...NO_FILE,
    admin: adminConfig(flags, NO_FILE.admin),
    log: logOptions(line),
    engine: { mode: flags.engine ?? NO_FILE.engine.mode, workers: flags.workers ?? NO_FILE.engine.workers },
    shutdown: { grace: flags.grace ?? NO_FILE.shutdown.grace },
    proxies: [
      {
        ...proxy,
        balance: flags.balance ?? proxy.balance,
        maxConnections: flags["max-connections"] ?? proxy.maxConnections,
        timeouts: { ...proxy.timeouts, idle: flags["idle-timeout"] ?? proxy.timeouts.idle },
      },
    ],
  });
}

/** A UDP address of one host: who else is there could not be answered, or would not answer. */
function plain(end: BridgeConfig["from" | "to"][number], usage: (why: string) => UsageError): UdpRoute {
  if (end.kind === "udp" && !isMulticast(end.host)) return end;
  const what = end.kind === "udp" ? `the group ${end.host}` : `"${end.kind}"`;
  throw usage(`--reply is for UDP between single hosts, and not for ${what}; leave one of the two out`);
}
