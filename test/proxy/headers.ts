/** PROXY headers, byte by byte as the specification has them, and a client that begins with one. */
import { type Probe, pattern } from "../contract/probe.ts";

/** One byte for each character. */
export const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

export const textOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** The second byte of version 2: who is behind the connection, or that it is the sender's own. */
export const PROXY = 0x21;
export const LOCAL = 0x20;

/** A header of version 2; `family` as in section 2.2, `body`: what comes behind the length. */
export function v2(command: number, family: number, body: readonly number[]): Uint8Array {
  const length = [body.length >> 8, body.length & 255];
  return Uint8Array.of(...bytesOf("\r\n\r\n\0\r\nQUIT\n"), command, family, ...length, ...body);
}

/** TCP over IPv4, with `tlvs` behind the addresses. */
export function v2Ipv4(source: string, port: number, to: string, toPort: number, tlvs: readonly number[] = []) {
  const hosts = [source, to].flatMap((host) => host.split(".").map(Number));
  const ports = [port, toPort].flatMap((each) => [each >> 8, each & 255]);
  return v2(PROXY, 0x11, [...hosts, ...ports, ...tlvs]);
}

export function v1Ipv4(source: string, port = 5_000): Uint8Array {
  return bytesOf(`PROXY TCP4 ${source} 198.51.100.1 ${port} 443\r\n`);
}

/** In one write: the header and the next `count` bytes of the pattern that the other end expects. */
export function begin(client: Probe, header: Uint8Array, count = 0): void {
  const bytes = new Uint8Array(header.length + count);
  bytes.set(header);
  bytes.set(pattern(client.sent, count), header.length);
  client.socket.write(bytes);
  client.sent += count;
}
