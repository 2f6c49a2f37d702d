/** ClientHellos, byte by byte as RFC 8446 section 4.1.2 has them. */

export const bytesOf = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** Behind its own length, in `width` bytes. */
export function vector(width: 1 | 2 | 3, bytes: readonly number[]): number[] {
  const length = Array.from({ length: width }, (_, at) => (bytes.length >> (8 * (width - 1 - at))) & 255);
  return [...length, ...bytes];
}

export const extension = (type: number, body: readonly number[]): number[] => [
  type >> 8,
  type & 255,
  ...vector(2, body),
];

export const hostNames = (...names: string[]): number[] =>
  extension(
    0,
    vector(
      2,
      names.flatMap((name) => [0, ...vector(2, bytesOf(name))]),
    ),
  );

export const protocols = (...names: string[]): number[] =>
  extension(
    16,
    vector(
      2,
      names.flatMap((name) => vector(1, bytesOf(name))),
    ),
  );

export const versions = (...list: number[]): number[] =>
  extension(
    43,
    vector(
      1,
      list.flatMap((version) => [version >> 8, version & 255]),
    ),
  );

export interface HelloParts {
  /** The version of TLS 1.2 and before. */
  readonly version?: number;
  readonly session?: readonly number[];
  readonly suites?: readonly number[];
  readonly compression?: readonly number[];
  /** As they stand in the list; null: not even the list. */
  readonly extensions?: readonly (readonly number[])[] | null;
  /** Behind everything. */
  readonly rest?: readonly number[];
}

/** A handshake message; `type`: 1 for a ClientHello. */
export function message(parts: HelloParts = {}, type = 1): number[] {
  const { version = 0x0303, session = Array(32).fill(7), suites = [0x13, 0x01, 0x13, 0x02] } = parts;
  const { compression = [0], extensions = [], rest = [] } = parts;
  const body = [
    version >> 8,
    version & 255,
    ...Array(32).fill(0xaa),
    ...vector(1, session),
    ...vector(2, suites),
    ...vector(1, compression),
    ...(extensions ? vector(2, extensions.flat()) : []),
    ...rest,
  ];
  return [type, ...vector(3, body)];
}

/** `bytes` in records of at most `size` bytes. */
export function records(bytes: readonly number[], size = 16_384, minor = 1): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < bytes.length; at += size) out.push(22, 3, minor, ...vector(2, bytes.slice(at, at + size)));
  return Uint8Array.from(out);
}

/** For a name and protocols, as a simple client of TLS 1.3 says it. */
export function helloFor(name: string | undefined, ...alpn: string[]): Uint8Array {
  const extensions = [versions(0x0304, 0x0303)];
  if (name !== undefined) extensions.unshift(hostNames(name));
  if (alpn.length > 0) extensions.push(protocols(...alpn));
  return records(message({ extensions }));
}
