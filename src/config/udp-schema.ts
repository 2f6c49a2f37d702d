/** `[[udp]]` as users write it, and what it means. */
import * as v from "valibot";
import { BRIDGE, type BridgeConfig, CUTS, FSYNCS, WHEN_FULL } from "../datagram/bridge/bridge-config.ts";
import { parseRoute } from "../datagram/bridge/route-address.ts";
import type { Path } from "./problem.ts";
import { targetTlsSchema, toTargetTls } from "./tls-schema.ts";
import { isTable, type Table } from "./toml.ts";
import { FILE_SIZE_MIN, KEEP_MAX, parseDatagramSize, parseInterface, parseOutput, TTL_MAX } from "./udp-values.ts";
import { COUNT_MAX } from "./units.ts";
import * as t from "./values.ts";
import * as w from "./written.ts";

type Bridge = v.InferOutput<ReturnType<typeof bridgeSchema>>;

/** Input is what TOML holds; output has addresses parsed, bytes and every default. */
export function bridgeSchema() {
  const fields = t.table("Where datagrams come from, and where each of them goes.", {
    name: v.optional(t.label("What logs and metrics call it; udp-1, udp-2, … by default.")),
    from: oneOrMore(
      "Where datagrams, or streams to be cut into such, come from.",
      'such as "udp://0.0.0.0:9920"',
      (text) => parseRoute(text, "from"),
    ),
    to: v.optional(
      oneOrMore("Where each of them goes.", 'such as "udp://10.0.0.7:9920"', (text) => parseRoute(text, "to")),
    ),
    tee: v.optional(
      t.text('A file for a copy, or "-" for standard output.', 'a file, or "-"', parseOutput, w.SOME_TEXT),
    ),
    datagram_size: v.optional(
      t.text(
        "Bytes of a datagram that is cut from a stream, at most.",
        'a size such as "1400B"',
        parseDatagramSize,
        w.SIZE_TEXT,
      ),
      BRIDGE.datagramSize,
    ),
    cut: v.optional(t.choice("How a stream becomes datagrams: as it comes, or line by line.", CUTS), BRIDGE.cut),
    multicast: v.optional(multicastSchema(), {}),
    receive_buffer: v.optional(
      t.bufferSize("Bytes of kernel buffer for each socket that receives."),
      BRIDGE.receiveBuffer,
    ),
    buffer: v.optional(t.bufferSize("Bytes that wait for each connection which gets what passes."), BRIDGE.buffer),
    when_full: v.optional(
      t.choice("drop skips datagrams, disconnect cuts the connection off, block lets sources wait.", WHEN_FULL),
      BRIDGE.whenFull,
    ),
    max_clients: v.optional(
      t.wholeNumber("Connections at once that get what passes, 0 for as many as come.", COUNT_MAX),
      BRIDGE.maxClients,
    ),
    file: v.optional(fileSchema(), {}),
    source_tls: v.optional(sourceTlsSchema()),
  });
  return v.pipe(
    fields,
    v.metadata({ json: { allOf: [{ anyOf: [{ required: ["to"] }, { required: ["tee"] }] }] } }),
    v.rawCheck(({ dataset, addIssue }) => {
      const input: unknown = dataset.value;
      if (!isTable(input) || input["to"] !== undefined || input["tee"] !== undefined) return;
      const at = { type: "object", origin: "value", input, key: "to", value: undefined } as const;
      addIssue({ message: 'the key "to" is missing', path: [at] });
    }),
  );
}

/** `index`: its place among the bridges of the file. */
export function toBridge(bridge: Bridge, index: number): BridgeConfig {
  const { multicast, file } = bridge;
  return {
    name: bridge.name ?? `udp-${index + 1}`,
    from: bridge.from,
    to: [...(bridge.to ?? []), ...(bridge.tee === undefined ? [] : [bridge.tee])],
    datagramSize: bridge.datagram_size,
    cut: bridge.cut,
    multicast: { ttl: multicast.ttl, loopback: multicast.loopback, interface: multicast.interface ?? null },
    receiveBuffer: bridge.receive_buffer,
    buffer: bridge.buffer,
    whenFull: bridge.when_full,
    maxClients: bridge.max_clients,
    file: { maxSize: file.max_size, keep: file.keep, fsync: file.fsync },
    sourceTls: bridge.source_tls ? toTargetTls(bridge.source_tls) : BRIDGE.sourceTls,
  };
}

/** Where a file has one of the addresses of a bridge: `from` and `to` may be no arrays, and `tee` is the last of `to`. */
export function placeOfRoute(path: Path, file: Table): Path {
  const [list, index, field, nth, ...rest] = path;
  const all = file["udp"];
  const bridge: unknown = list === "udp" && typeof index === "number" && Array.isArray(all) ? all[index] : undefined;
  if (!isTable(bridge) || typeof index !== "number" || typeof nth !== "number") return path;
  if (field !== "from" && field !== "to") return path;
  const written = bridge[field];
  const count = Array.isArray(written) ? written.length : written === undefined ? 0 : 1;
  if (field === "to" && nth >= count) return ["udp", index, "tee", ...rest];
  return Array.isArray(written) ? path : ["udp", index, field, ...rest];
}

/** A text, or an array of such. */
function oneOrMore<T>(about: string, such: string, parse: (text: string) => T) {
  const one = v.pipe(
    t.text(about, `an address ${such}, or an array of them`, parse, w.ROUTE),
    v.transform((address): readonly T[] => [address]),
  );
  const several = v.pipe(
    t.list(about, "an array of addresses", t.text(about, `an address ${such}`, parse, w.ROUTE)),
    v.metadata({ json: { minItems: 1 } }),
    // Not minLength, which says nothing as long as an element is wrong.
    v.rawCheck(({ dataset, addIssue }) => {
      if (Array.isArray(dataset.value) && dataset.value.length === 0) {
        addIssue({ message: `there is no address; write one at least, ${such}` });
      }
    }),
    v.transform((addresses): readonly T[] => addresses),
  );
  // A union would say of an array with a wrong element that it is no text.
  return v.pipe(
    v.lazy((input: unknown) => (Array.isArray(input) ? several : one)),
    v.description(about),
  );
}

function multicastSchema() {
  const { ttl, loopback } = BRIDGE.multicast;
  return t.table("How datagrams are sent to multicast groups.", {
    ttl: v.optional(t.wholeNumber("Routers that one may pass, and one more: 1 stays in the network.", TTL_MAX), ttl),
    loopback: v.optional(t.flag("Members on this machine get them too."), loopback),
    interface: v.optional(
      t.text(
        "The name or address of the interface they leave by; the kernel's choice without it.",
        'the name of an interface such as "eth0"',
        parseInterface,
        w.SOME_TEXT,
      ),
    ),
  });
}

/** The same as of targets. */
function sourceTlsSchema() {
  return v.pipe(targetTlsSchema(), v.description("How sources are met that say tls://."));
}

function fileSchema() {
  const { maxSize, keep, fsync } = BRIDGE.file;
  return t.table("How files are written.", {
    max_size: v.optional(
      t.sizeOrOff('Bytes after which a new file begins and the old one becomes FILE.1, or "off".', FILE_SIZE_MIN),
      maxSize,
    ),
    keep: v.optional(t.wholeNumber("How many older files are kept.", KEEP_MAX), keep),
    fsync: v.optional(t.choice("When the disk is waited for.", FSYNCS), fsync),
  });
}
