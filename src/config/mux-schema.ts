/** `[[mux]]` as users write it: all that a proxy can be told, and how its clients share connections. */
import * as v from "valibot";
import { type LengthField, MATCHES } from "../mux/message.ts";
import { MUX, type MuxConfig, PROTOCOL_NAMES } from "../mux/mux-config.ts";
import type { DnsConfig, ProxyConfig } from "./config.ts";
import {
  ADJUST_MAX,
  BYTE_ORDERS,
  INCLUDES,
  OFFSET_MAX,
  parseMaxMessage,
  REQUEST_RETRIES_MAX,
  SHARED_MAX,
  WIDTHS,
  wrongDelimiter,
} from "./mux-values.ts";
import { proxyEntries, toProxy, withTarget } from "./proxy-schema.ts";
import { formatDuration } from "./units.ts";
import * as t from "./values.ts";
import * as w from "./written.ts";

type Mux = v.InferOutput<ReturnType<typeof muxSchema>>;
type Sharing = v.InferOutput<ReturnType<typeof sharingSchema>>;

/** Input is what TOML holds; output has addresses parsed, milliseconds, bytes and every default. */
export function muxSchema() {
  const about = "One listening address whose clients share connections to the targets.";
  return withTarget(t.table(about, { ...proxyEntries("mux"), ...sharingEntries() }));
}

/** What a mux has beyond a proxy, alone. */
export function sharingSchema() {
  return t.table("How clients share connections.", sharingEntries());
}

/** `index`: its place among the muxes of the file. */
export function toMux(mux: Mux, index: number, dns: DnsConfig): ProxyConfig {
  return { ...toProxy(mux, index, dns), name: mux.name ?? `mux-${index + 1}`, mux: toSharing(mux) };
}

export function toSharing(mux: Sharing): MuxConfig {
  return {
    protocol: mux.protocol,
    maxMessage: mux.max_message,
    delimiter: mux.delimiter,
    length: toLength(mux.length),
    match: mux.match,
    connections: mux.connections,
    warm: mux.warm,
    inFlight: mux.in_flight,
    inFlightPerClient: mux.max_in_flight_per_client,
    queuePerClient: mux.queue_per_client,
    timeout: mux.timeout,
    messageTimeout: mux.message_timeout,
    requestRetries: mux.request_retries,
    maxAge: mux.max_age,
    idle: mux.idle,
    closeWithLast: mux.close_with_last_client,
  };
}

function sharingEntries() {
  return {
    protocol: v.optional(t.choice("How messages are cut, and matched with their replies.", PROTOCOL_NAMES), "echo"),
    delimiter: v.optional(
      v.pipe(
        v.string(t.wrong("a string")),
        v.check(
          (text) => wrongDelimiter(text) === undefined,
          ({ input }) => wrongDelimiter(input) ?? "",
        ),
        v.description("What ends a message of echo."),
      ),
      MUX.delimiter,
    ),
    length: v.optional(lengthSchema(), {}),
    match: v.optional(
      t.choice("How replies of iso8583 find who asked: by their order, or by STAN and terminal.", MATCHES),
      MUX.match,
    ),
    max_message: v.optional(
      t.text("Bytes of a message at most.", 'a size such as "1MiB"', parseMaxMessage, w.SIZE_TEXT),
      MUX.maxMessage,
    ),
    connections: v.optional(t.wholeNumber("Connections to each target, at most.", SHARED_MAX, 1), MUX.connections),
    warm: v.optional(t.wholeNumber("So many of them are opened beforehand, and kept.", SHARED_MAX), MUX.warm),
    in_flight: v.optional(t.wholeNumber("Requests under way on one connection.", SHARED_MAX, 1), MUX.inFlight),
    max_in_flight_per_client: v.optional(
      t.wholeNumber("Requests of one client under way, 0 for as many as in_flight.", SHARED_MAX),
      MUX.inFlightPerClient,
    ),
    queue_per_client: v.optional(
      t.wholeNumber("Requests of one client that wait; beyond them its socket is not read.", SHARED_MAX, 1),
      MUX.queuePerClient,
    ),
    timeout: v.optional(
      t.durationOrOff("For a reply, and without a byte of one that has begun."),
      formatDuration(MUX.timeout),
    ),
    message_timeout: v.optional(
      t.durationOrOff("From the first byte of a request to its last."),
      formatDuration(MUX.messageTimeout),
    ),
    request_retries: v.optional(
      t.wholeNumber("How often a request that may be repeated is sent again.", REQUEST_RETRIES_MAX),
      MUX.requestRetries,
    ),
    max_age: v.optional(
      t.durationOrOff('Time after which a connection is replaced, or "off".'),
      formatDuration(MUX.maxAge),
    ),
    idle: v.optional(
      t.durationOrOff('Time without a request after which a connection is closed, or "off".'),
      formatDuration(MUX.idle),
    ),
    close_with_last_client: v.optional(
      t.flag("Connections are closed when the last client leaves."),
      MUX.closeWithLast,
    ),
  };
}

function lengthSchema() {
  const { offset, width, byteOrder, adjust, includes } = MUX.length;
  return t.table("Where a message of length says how long it is.", {
    offset: v.optional(t.wholeNumber("Bytes before the number.", OFFSET_MAX), offset),
    width: v.optional(widthOf("Bytes of the number."), width),
    byte_order: v.optional(t.choice("Its first byte is the biggest, or the smallest.", BYTE_ORDERS), byteOrder),
    adjust: v.optional(t.wholeNumber("What is added to it.", ADJUST_MAX, -ADJUST_MAX), adjust),
    includes: v.optional(t.choice("It counts the whole message, or what is behind it.", INCLUDES), includes),
  });
}

function widthOf(about: string) {
  const message = t.wrong("1, 2, 3, 4 or 8 bytes");
  return v.pipe(
    v.number(message),
    v.check((width) => WIDTHS.includes(width), message),
    v.metadata({ json: { type: "integer", enum: WIDTHS } }),
    v.description(about),
  );
}

function toLength({ byte_order: byteOrder, ...rest }: Sharing["length"]): LengthField {
  return { ...rest, byteOrder };
}
