/** From the command lines of `weir udp` to bridges. */
import { USES, type Uses, usesOf } from "../config/check-udp.ts";
import { type Config, DEFAULTS } from "../config/config.ts";
import { parseGroup, parseInput, parseOutput, parseUdpSink, parseUdpSource } from "../config/udp-values.ts";
import { BRIDGE, type BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import { parseRoute, type SinkAddress, type SourceAddress } from "../datagram/bridge/route-address.ts";
import { UsageError } from "../net/errors.ts";
import { isMulticast } from "../net/multicast.ts";
import type { Run } from "./command.ts";
import { adminConfig, checked, type Flags, logOptions, NO_FILE } from "./config-flags.ts";
import { BRIDGE_NAME, REVERSE_GROUP, REVERSE_NAME } from "./udp-commands.ts";
import { replyConfig } from "./udp-reply.ts";

/** What a bridge is made of before its settings. */
type Ends = Pick<BridgeConfig, "name" | "from" | "to">;

const OUT: SinkAddress = { kind: "descriptor", descriptor: 1 };

/**
 * What `weir udp send`, `recv`, `forward` or `reverse` is to do.
 *
 * @throws {UsageError} `EUSAGE` for what is missing, given twice or for nobody, `ECONFIG` if the parts contradict each other.
 */
export function udpConfig(line: Run): Config {
  const ends = ENDS[line.command.name]?.(line) ?? [];
  const [forward] = line.command.name === "udp forward" ? ends : [];
  const reply = forward && replyConfig(line, forward);
  if (reply) return reply;
  return bridgesConfig(line, ends);
}

const ENDS: Readonly<Record<string, (line: Run) => readonly Ends[]>> = {
  "udp send": sendEnds,
  "udp recv": recvEnds,
  "udp forward": forwardEnds,
  "udp reverse": reverseEnds,
};

function sendEnds(line: Run): Ends[] {
  const { path, tee, name, "server-addr": servers = [] } = line.flags as Flags<"udp send">;
  const [input, ...targets] = given(line);
  if (input !== undefined && path) {
    throw usage(
      line,
      `PATH is given twice, as "${input}" and by --path; with that, write servers behind --server-addr`,
    );
  }
  const from = path ?? (input === undefined ? undefined : parseInput(input));
  if (!from) throw usage(line, 'PATH is missing; write a file, or "-" for standard input');
  const to = [...targets.map(parseUdpSink), ...servers];
  if (to.length === 0) throw usage(line, "TO is missing; write where to send, such as 127.0.0.1:9920");
  return [{ name: name ?? BRIDGE_NAME, from: [from], to: [...to, ...copy(tee)] }];
}

function recvEnds(line: Run): Ends[] {
  const { out, path, tee, name, "listen-addr": listen = [] } = line.flags as Flags<"udp recv">;
  if (out && path) throw usage(line, "--out and --path say the same; keep one");
  const from = [...given(line).map(parseUdpSource), ...listen];
  if (from.length === 0) throw usage(line, "LISTEN is missing; write where to receive, such as :9920");
  // Without a file there is nothing that --tee could be a copy of.
  const to = out ?? path ?? (tee ? undefined : parseOutput("-"));
  return [{ name: name ?? BRIDGE_NAME, from, to: [...(to ? [to] : []), ...copy(tee)] }];
}

function forwardEnds(line: Run): Ends[] {
  const flags = line.flags as Flags<"udp forward">;
  const [source, ...targets] = given(line);
  const from = [
    ...(source === undefined ? [] : [parseRoute(source, "from")]),
    ...(flags["udp-listen-addr"] ?? []),
    ...(flags["tcp-connect-addr"] ?? []),
    ...(flags["tls-connect-addr"] ?? []),
  ];
  if (from.length === 0) throw usage(line, "FROM is missing; write where it comes from, such as :9920");
  const to = [
    ...targets.map((text) => parseRoute(text, "to")),
    ...(flags["udp-downstream-addr"] ?? []),
    ...copy(flags.tee),
  ];
  if (to.length === 0) throw usage(line, "TO is missing; write where it goes, such as 10.0.0.7:9920");
  return [{ name: flags.name ?? BRIDGE_NAME, from, to }];
}

/** Inputs to the group, and the group to outputs: each can be without the other. */
function reverseEnds(line: Run): Ends[] {
  const flags = line.flags as Flags<"udp reverse">;
  const group = flags["multicast-addr"] ?? parseGroup(REVERSE_GROUP);
  const inputs = [...(flags["udp-listen-addr"] ?? []), ...(flags["tcp-listen-addr"] ?? [])];
  const outputs = [...(flags["tcp-output-addr"] ?? []), ...(flags["udp-output-addr"] ?? [])];
  if (inputs.length + outputs.length === 0) {
    const what = "--udp-listen-addr or --tcp-listen-addr, --udp-output-addr or --tcp-output-addr";
    throw usage(line, `there is neither an input nor an output; write one of each, or one at least: ${what}`);
  }
  const name = flags.name ?? REVERSE_NAME;
  const bridges: Ends[] = [];
  if (inputs.length > 0) bridges.push({ name: `${name}-in`, from: inputs, to: [group, ...copy(flags.tee)] });
  if (outputs.length > 0) {
    const to = [...outputs, ...copy(inputs.length === 0 && flags.tee)];
    bridges.push({ name: `${name}-out`, from: [group], to });
  }
  return bridges;
}

/** The arguments that somebody has written. */
function given({ positionals }: Run): readonly string[] {
  return positionals.filter((text) => text !== "");
}

function copy(tee: boolean | undefined): readonly SinkAddress[] {
  return tee ? [OUT] : [];
}

function usage({ command: { name } }: Run, why: string): UsageError {
  return new UsageError("EUSAGE", `weir ${name}: ${why}`);
}

function bridgesConfig(line: Run, ends: readonly Ends[]): Config {
  // Each command has some of these, all with the same kinds.
  const flags = line.flags as Flags<"udp forward"> & Flags<"udp reverse"> & Flags<"udp send"> & Flags<"udp recv">;
  for (const [flag, needed] of Object.entries(NEEDS)) {
    if (!Object.hasOwn(flags, flag) || ends.some((each) => needed.some((use) => usesOf(each)[use]))) continue;
    throw usage(
      line,
      `--${flag} needs ${needed.map((use) => USES[use]).join(", or ")}; add one, or leave --${flag} out`,
    );
  }
  // A sender has no metrics unless somebody wants them: the receiver on the same machine has the usual address.
  const sends = line.command.name === "udp send";
  const base = sends ? { ...NO_FILE.admin, listen: null } : NO_FILE.admin;
  // What reads a file is in the main thread anyhow.
  const mode = flags.engine ?? (sends ? "portable" : DEFAULTS.engine.mode);
  return checked(line, {
    ...NO_FILE,
    admin: adminConfig(flags, base),
    log: logOptions(line),
    engine: { mode, workers: flags.workers ?? DEFAULTS.engine.workers },
    shutdown: { grace: flags.grace ?? DEFAULTS.shutdown.grace },
    bridges: ends.map((each) => bridgeConfig(each, flags)),
  });
}

/** What flags are for; without any of it they would change nothing. */
const NEEDS: Readonly<Record<string, readonly (keyof Uses)[]>> = {
  lines: ["streams"],
  "datagram-size": ["streams"],
  interface: ["groups", "members"],
  ttl: ["groups"],
  loopback: ["groups"],
  "receive-buffer": ["receivers"],
  buffer: ["clients"],
  "when-full": ["clients"],
  "max-clients": ["clients"],
  "max-size": ["files"],
  keep: ["files"],
  fsync: ["files"],
  "source-ca": ["secured"],
  "source-name": ["secured"],
};

type Settings = Flags<"udp forward">;

/** Of two bridges each gets the settings that are for it. */
function bridgeConfig({ name, from, to }: Ends, flags: Settings): BridgeConfig {
  const uses = usesOf({ from, to });
  const { multicast, file } = BRIDGE;
  return {
    ...BRIDGE,
    name,
    from: flags.interface === undefined ? from : from.map((source) => on(source, flags.interface)),
    to,
    ...(uses.streams && {
      cut: flags.lines ? ("lines" as const) : BRIDGE.cut,
      datagramSize: flags["datagram-size"] ?? BRIDGE.datagramSize,
    }),
    ...(uses.groups && {
      multicast: {
        ttl: flags.ttl ?? multicast.ttl,
        loopback: flags.loopback ?? multicast.loopback,
        interface: flags.interface ?? multicast.interface,
      },
    }),
    ...(uses.receivers && { receiveBuffer: flags["receive-buffer"] ?? BRIDGE.receiveBuffer }),
    ...(uses.clients && {
      buffer: flags.buffer ?? BRIDGE.buffer,
      whenFull: flags["when-full"] ?? BRIDGE.whenFull,
      maxClients: flags["max-clients"] ?? BRIDGE.maxClients,
    }),
    ...(uses.secured && {
      sourceTls: {
        ...BRIDGE.sourceTls,
        ca: flags["source-ca"] ?? BRIDGE.sourceTls.ca,
        serverName: flags["source-name"] ?? BRIDGE.sourceTls.serverName,
      },
    }),
    ...(uses.files && {
      file: {
        maxSize: flags["max-size"] ?? file.maxSize,
        keep: flags.keep ?? file.keep,
        fsync: flags.fsync ?? file.fsync,
      },
    }),
  };
}

/** A group is joined on this interface, unless it names another. */
function on(source: SourceAddress, name: string | undefined): SourceAddress {
  if (source.kind !== "udp" || !isMulticast(source.host) || source.interface !== undefined || !name) return source;
  return { ...source, interface: name };
}
