/** Where an observer is: an address as targets have it, `udp://10.0.0.5:9000`, or `file:/var/log/copy-{session}`. */
import { type Address, type Fail, formatAddress, hostAndPort, parseAddress, type UdpAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";

export type ObserverAddress = Address | UdpAddress | FileAddress;

export interface FileAddress {
  readonly kind: "file";
  /** {@link SESSION} in it stands for the number of the session: each has a file of its own then. */
  readonly path: string;
}

export const SESSION = "{session}";

const KINDS = "use tcp://, unix:, udp:// or file:";

/**
 * Reads the address of an observer: what `parseAddress` reads, `udp://HOST:PORT`, or `file:PATH`.
 *
 * @example parseObserverAddress("udp://127.0.0.1:9000") // { kind: "udp", host: "127.0.0.1", port: 9000 }
 * @throws {UsageError} `EADDRESS`, naming the text, what is wrong with it and what to write instead.
 */
export function parseObserverAddress(text: string): ObserverAddress {
  const fail: Fail = (why) => {
    throw new UsageError("EADDRESS", `Cannot parse address "${text}": ${why}`);
  };
  if (/^file:/i.test(text)) return fileAddress(text.slice(5), fail);
  if (/^(\/|\.\/)/.test(text)) fail(`a unix socket is written "unix:${text}", a file "file:${text}"`);
  const [, scheme = "tcp", rest = ""] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case "tcp":
      return parseAddress(text, "target");
    case "udp":
      return { ...hostAndPort(rest, "target", fail), kind: "udp" };
    case "tls":
      return fail(`observers over TLS are not supported yet; ${KINDS}`);
    case "dns":
      return fail(`a name needs no scheme here; write "${rest}"`);
    default:
      return fail(`unknown scheme "${scheme}://"; ${KINDS}`);
  }
}

/** As people write it; {@link parseObserverAddress} reads it back. */
export function formatObserverAddress(address: ObserverAddress): string {
  if (address.kind === "file") return `file:${address.path}`;
  return formatAddress(address);
}

function fileAddress(written: string, fail: Fail): FileAddress {
  if (/^\/\/[^/]/.test(written)) fail('a file is on this machine; write "file:/path"');
  const path = written.replace(/^\/\/(?=\/)/, "");
  if (path === "") fail('the path is missing; write "file:/path"');
  if (path.includes("\0")) fail("a path cannot hold a NUL byte");
  if (path.endsWith("/")) fail("it names a directory; write the path of a file");
  const unknown = path.match(/\{[^}]*\}/g)?.find((placeholder) => placeholder !== SESSION);
  if (unknown !== undefined) fail(`unknown placeholder "${unknown}"; only "${SESSION}" is known`);
  return { kind: "file", path };
}
