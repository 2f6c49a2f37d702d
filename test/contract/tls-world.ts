/** What the cases of TLS share: certificates, and connected pairs. */
import type { Address, TcpAddress } from "../../src/net/address.ts";
import type { SocketError } from "../../src/net/errors.ts";
import type { Listener, Runtime, StreamSocket } from "../../src/net/runtime.ts";
import type { ClientTls, Credential, ServerTls } from "../../src/net/tls.ts";
import { haveOpenssl, type Issued, issue, textOf } from "../tls/certificates.ts";
import { deferred, type Kit } from "./kit.ts";
import { Probe } from "./probe.ts";

export const AT: TcpAddress = { kind: "tcp", host: "127.0.0.1", port: 0, tls: true };

export const skip = (runtime: Runtime) => {
  if (!runtime.tls) return "TLS runs in the main thread, on the sockets of the runtime";
  return haveOpenssl() ? undefined : "openssl is not installed, which makes the certificates";
};

interface World {
  readonly ca: Issued;
  readonly server: Credential;
  readonly trusting: ClientTls;
  issue(file: string, wish?: Parameters<typeof issue>[2]): Credential;
}

export function worldOf(kit: Kit): World {
  const folder = kit.directory();
  const ca = issue(folder, "ca");
  const credential = (file: string, wish: Parameters<typeof issue>[2] = {}): Credential => {
    const made = issue(folder, file, { issuer: ca, alternative: `DNS:${file}.test,IP:127.0.0.1`, ...wish });
    const certificate = textOf(made.certificate);
    return { certificate, key: textOf(made.key), names: kit.runtime.tls?.inspect(certificate)?.names ?? [] };
  };
  const trusting: ClientTls = { verify: true, ca: textOf(ca.certificate), alpn: [] };
  return { ca, server: credential("a"), trusting, issue: credential };
}

export function serving(...certificates: Credential[]): ServerTls {
  return { certificates, minVersion: "1.2", alpn: [], handshakeTimeout: 10_000 };
}

interface TlsPair {
  readonly client: Probe;
  readonly server: Probe;
  readonly listener: Listener;
}

export async function pairOf(kit: Kit, options: { serverPaused?: boolean; buffer?: number } = {}): Promise<TlsPair> {
  const { server: credential, trusting } = worldOf(kit);
  const { serverPaused = false, buffer = 262_144 } = options;
  const { promise, resolve } = deferred<Probe>();
  const accept = (socket: StreamSocket) => resolve(new Probe(socket, !serverPaused));
  const listener = await kit.listen(AT, accept, { buffer, serverTls: serving(credential) });
  const client = new Probe(await kit.connect(listener.address, { buffer, clientTls: trusting }));
  const server = await promise;
  kit.later(() => server.abort());
  return { client, server, listener };
}

/** A listener that wants nobody, and what it says of those who come. */
export async function refusing(
  kit: Kit,
  serverTls: ServerTls,
): Promise<{ at: Address; failure: Promise<SocketError> }> {
  const { promise, resolve } = deferred<SocketError>();
  const listener = await kit.listen(AT, (socket) => socket.abort(), { serverTls, handshakeFailed: resolve });
  return { at: listener.address, failure: promise };
}

export async function failureOf(attempt: Promise<StreamSocket>): Promise<SocketError> {
  return await attempt.then(
    (socket) => {
      socket.abort();
      throw new Error("the attempt succeeded");
    },
    (error) => error,
  );
}
