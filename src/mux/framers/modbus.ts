/**
 * `modbus`: Modbus/TCP ("MODBUS Messaging on TCP/IP Implementation Guide" V1.0b, 3.1.3). A header of seven bytes:
 * transaction (2), protocol (2, always 0), length of what follows (2), unit (1); then a function and its values. Numbers
 * have their higher byte first. The server copies transaction and unit into its response.
 *
 * There are servers that do not look at the length of a request (libmodbus): they read what its function has, and take
 * what is left for the next request. So the length must be that of the function, and no function passes whose length
 * nobody knows: its client is told that it is illegal.
 */
import type { Framer } from "../collector.ts";
import { BadMessage, type FailureKind, type Keys, type Protocol, type RequestMessage } from "../message.ts";
import { HeaderFramer } from "./header.ts";
import { wholeMessages } from "./whole.ts";

/** As far as the length, which counts the bytes behind it: unit, function and at most 252 bytes for that. */
const HEADER = 6;
const LENGTH_MIN = 2;
const LENGTH_MAX = 254;
const UNIT = 6;
const FUNCTION = 7;
/** A subfunction, or what is transported: what a function is about. */
const DETAIL = 8;
/** In the function of a response: it is an exception. */
const EXCEPTION = 0x80;

/** Whom a response is for. */
interface ModbusContext {
  /** As the client has it. */
  readonly transaction: number;
  readonly unit: number;
  readonly function: number;
}

/**
 * Functions that only read ("MODBUS Application Protocol Specification" V1.1b3, section 6): coils, discrete inputs,
 * holding registers, input registers (1–4), exception status (7), event counter and log (11, 12: neither counts being
 * read), server id (17), file record (20), FIFO queue (24: it is not cleared).
 */
const READS: ReadonlySet<number> = new Set([1, 2, 3, 4, 7, 11, 12, 17, 20, 24]);
/** Its request says nothing but a number of its own, or may have more behind that. */
const DIAGNOSTICS = 8;
const RETURN_QUERY_DATA = 0;
/** Encapsulated interface transport: what is read of it is device identification (6.21). */
const ENCAPSULATED = 43;
const DEVICE_IDENTIFICATION = 14;

/** What the length of a request has to be. */
interface Size {
  readonly bytes: number;
  /** Where, in the message, the byte is that says how many follow. */
  readonly countAt?: number;
  /** There may be more. */
  readonly open?: boolean;
}

/** Of the functions of the specification (section 6) but 8 and 43, which are told by more than their number. */
const SIZES: ReadonlyMap<number, Size> = new Map<number, Size>([
  ...[1, 2, 3, 4, 5, 6].map((code): [number, Size] => [code, { bytes: 6 }]),
  ...[7, 11, 12, 17].map((code): [number, Size] => [code, { bytes: 2 }]),
  ...[15, 16].map((code): [number, Size] => [code, { bytes: 7, countAt: 12 }]),
  ...[20, 21].map((code): [number, Size] => [code, { bytes: 3, countAt: 8 }]),
  [22, { bytes: 8 }],
  [23, { bytes: 11, countAt: 16 }],
  [24, { bytes: 4 }],
]);

const ILLEGAL_FUNCTION = 0x01;
/** Exceptions of gateways (section 7): the target failed to respond; there is no path to it. */
const EXCEPTIONS: Readonly<Record<Exclude<FailureKind, "incomplete">, number>> = {
  timeout: 0x0b,
  unreachable: 0x0a,
  lost: 0x0b,
};

const KEYS: Keys = {
  ids: 0xffff,
  ofRequest: transactionOf,
  ofReply: transactionOf,
  answers(context, bytes) {
    const { unit, function: asked } = context as ModbusContext;
    return bytes[UNIT] === unit && ((bytes[FUNCTION] ?? 0) & ~EXCEPTION) === asked;
  },
  stamp(bytes, key) {
    const transaction = Number(key);
    bytes[0] = transaction >> 8;
    bytes[1] = transaction;
  },
};

export const modbusFramer = (): Framer => new HeaderFramer(HEADER, measure);

export const modbus: Protocol = {
  summary: "Modbus/TCP; transaction ids are weir's own on the way to the target",
  example: "502 127.0.0.1:1502",
  apologizes: true,
  ...wholeMessages(modbusFramer, () => describe),
  keys: () => KEYS,
  failure(kind, context) {
    if (kind === "incomplete") return undefined;
    return { bytes: exception(context as ModbusContext, EXCEPTIONS[kind]), last: false };
  },
};

function measure(bytes: Uint8Array, start: number): number {
  const protocol = numberAt(bytes, start + 2);
  if (protocol !== 0) throw new BadMessage(`protocol ${protocol} in a Modbus header, where only 0 is known`);
  const length = numberAt(bytes, start + 4);
  if (length >= LENGTH_MIN && length <= LENGTH_MAX) return HEADER + length;
  throw new BadMessage(`a length of ${length}, where Modbus has ${LENGTH_MIN} to ${LENGTH_MAX}`);
}

/** A request of a function that nobody knows is answered here. */
function describe(bytes: Uint8Array): RequestMessage | Uint8Array {
  const code = bytes[FUNCTION] ?? 0;
  // Section 4.1: 0 is not valid, and those from 128 on are for exceptions.
  if (code === 0 || code >= EXCEPTION) throw new BadMessage(`function ${code} in a request, where Modbus has 1 to 127`);
  const context: ModbusContext = { transaction: transactionOf(bytes), unit: bytes[UNIT] ?? 0, function: code };
  const size = sizeOf(code, bytes);
  if (!size) return exception(context, ILLEGAL_FUNCTION);
  checkSize(code, size, bytes);
  return { bytes, idempotent: READS.has(code) || code === ENCAPSULATED, last: false, context };
}

function sizeOf(code: number, bytes: Uint8Array): Size | undefined {
  if (code === DIAGNOSTICS) return { bytes: 6, open: numberAt(bytes, DETAIL) === RETURN_QUERY_DATA };
  if (code !== ENCAPSULATED) return SIZES.get(code);
  return bytes[DETAIL] === DEVICE_IDENTIFICATION ? { bytes: 5 } : undefined;
}

function checkSize(code: number, { bytes: fixed, countAt, open }: Size, bytes: Uint8Array): void {
  const length = bytes.length - HEADER;
  const counted = countAt === undefined ? 0 : (bytes[countAt] ?? 0);
  if (length === fixed + counted || (open && length > fixed)) return;
  throw new BadMessage(`function ${code} with a length of ${length}, where it has ${fixed + counted}`);
}

function exception({ transaction, unit, function: asked }: ModbusContext, code: number): Uint8Array {
  const bytes = Uint8Array.of(0, 0, 0, 0, 0, 3, unit, asked | EXCEPTION, code);
  KEYS.stamp(bytes, transaction);
  return bytes;
}

function transactionOf(bytes: Uint8Array): number {
  return numberAt(bytes, 0);
}

function numberAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
