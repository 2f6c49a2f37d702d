/**
 * TLS on `node:tls`, which Bun, Deno and Node have alike, and which alone can choose among several certificates and verify
 * clients on all three. Clients are verified here, not by the runtime, which would drop them without a word.
 *
 * A half-closed connection works through it both ways on all three: close_notify and FIN one way leave the other open
 * (RFC 8446 section 6.1). A FIN without close_notify is taken for an end, as everybody does: many clients never send one.
 */
import { connect as connectTcp, isIP } from "node:net";
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectNode,
  createSecureContext,
  createServer,
  type PeerCertificate as PeerCertificateOfNode,
  type SecureContext,
  type SecureVersion,
  type TLSSocket,
} from "node:tls";
import type { Address, TcpAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type {
  Connecting,
  ConnectOptions,
  Listener,
  ListenOptions,
  Runtime,
  StreamSocket,
} from "../../src/net/runtime.ts";
import { type PeerCertificate, PLAIN_CLIENT_TLS, type ServerTls, type TlsInfo } from "../../src/net/tls.ts";
import { chooseByName } from "../../src/tls/names.ts";
import { type Accepting, emptied } from "./accept-queue.ts";
import { peerOf, tlsTools } from "./certificates.ts";
import { Attempt } from "./connecting.ts";
import { endpoint } from "./endpoint.ts";
import { attemptError } from "./errors.ts";
import { boundAddress, NodeListener } from "./node-stream.ts";
import { clientFailure, targetFailure, verifyFailure } from "./tls-errors.ts";
import { carrierOf, IN_BUN, resetTls, TlsStream, tune } from "./tls-stream.ts";

/** What an intermediate configuration has today: forward secrecy and an AEAD, or nothing. TLS 1.3 has its own. */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** node:tls takes 0 for its own default, two minutes; this is as long as timers can be. */
const ANY_TIME = 2 ** 31 - 1;

/** `Runtime.listen` for addresses with TLS, for a runtime that accepts like that. */
export function tlsListening(accepting: Accepting): (...args: Parameters<Runtime["listen"]>) => Promise<Listener> {
  return async (at, options, accept) => {
    const { serverTls: tls } = options;
    if (at.kind !== "tcp" || !tls)
      throw new SocketError("EINVAL", "TLS needs a TCP address and a certificate (EINVAL)");
    const door = new Door(tls, options, accept);
    const { backlog, reusePort = false } = options;
    const { server } = door;
    const bound = await new Promise<Address>((resolve, reject) => {
      server.once("error", (error) => reject(attemptError("listen on", at, error)));
      server.once("listening", () => resolve(boundAddress(server, at)));
      server.listen({ host: at.host, port: at.port, backlog, reusePort });
    });
    // From here on an error is a failed accept; the kernel keeps the client in its queue.
    server.on("error", () => {});
    return new TlsListener(door, bound, () => emptied(() => door.came, backlog, accepting));
  };
}

class TlsListener extends NodeListener {
  readonly #door: Door;

  constructor(door: Door, address: Address, emptied: () => Promise<void>) {
    super(door.server, address, emptied);
    this.#door = door;
  }

  renew(tls: ServerTls): void {
    this.#door.renew(tls);
  }

  override async close(): Promise<void> {
    await super.close();
    this.#door.shut();
  }
}

/** A server, and the clients that are in their handshakes. */
class Door {
  readonly server: ReturnType<typeof createServer>;
  /** Clients so far, whatever has become of them. */
  came = 0;
  readonly #options: ListenOptions;
  readonly #accept: (socket: StreamSocket) => void;
  /** Those in their handshakes, by the TCP socket, which tells no address any more when it is gone. */
  readonly #shaking = new Map<object, TcpAddress>();
  #tls: ServerTls;
  #contexts: readonly SecureContext[];

  constructor(tls: ServerTls, options: ListenOptions, accept: (socket: StreamSocket) => void) {
    this.#tls = tls;
    this.#options = options;
    this.#accept = accept;
    this.#contexts = contextsOf(tls);
    this.server = createServer({
      ...contextOptions(tls, 0),
      allowHalfOpen: true,
      // As soon as it is accepted: handshakes are small writes.
      noDelay: options.noDelay,
      requestCert: tls.clientCa !== undefined,
      rejectUnauthorized: false,
      handshakeTimeout: tls.handshakeTimeout || ANY_TIME,
      SNICallback: (name, found) => found(null, this.#contextFor(name)),
      ...(tls.alpn.length > 0 ? { ALPNProtocols: [...tls.alpn] } : {}),
    });
    this.server.on("connection", (socket: TLSSocket) => this.#arrived(socket));
    this.server.on("secureConnection", (socket) => this.#secured(socket));
    this.server.on("tlsClientError", (error, socket) => {
      this.#failed(carrierOf(socket), clientFailure(error));
      socket.destroy();
    });
  }

  renew(tls: ServerTls): void {
    const contexts = contextsOf(tls);
    const requestCert = tls.clientCa !== undefined;
    this.server.setSecureContext({ ...contextOptions(tls, 0), requestCert, rejectUnauthorized: false } as object);
    this.#tls = tls;
    this.#contexts = contexts;
  }

  /** Whoever is in a handshake will never get through it. */
  shut(): void {
    for (const socket of [...this.#shaking.keys()] as TLSSocket[]) {
      this.#failed(socket, new SocketError("ETLSHANDSHAKE", "the TLS handshake failed: weir stopped listening"));
      socket.destroy();
    }
  }

  #arrived(socket: TLSSocket): void {
    this.came++;
    this.#shaking.set(socket, endpoint(socket.remoteAddress, socket.remotePort));
    tune(socket, this.#options);
    // Some of those who leave are told of by nothing else. What has more to say about it comes before an immediate.
    socket.once("close", () => {
      setImmediate(() => this.#failed(socket, clientFailure({ code: "ECONNRESET" })));
    });
  }

  #secured(socket: TLSSocket): void {
    const carrier = carrierOf(socket);
    const remote = this.#shaking.get(carrier) ?? endpoint(socket.remoteAddress, socket.remotePort);
    const peer = this.#tls.clientCa === undefined ? undefined : certificateOf(socket);
    const refusal = this.#refusal(socket, peer);
    // What is left of one that is refused is no news.
    socket.on("error", () => {});
    if (refusal !== undefined) {
      this.#failed(carrier, new SocketError("ETLSCLIENT", refusal));
      resetTls(socket);
      return;
    }
    this.#shaking.delete(carrier);
    this.#accept(new TlsStream(socket, remote, this.#options, infoOf(socket, peer)));
  }

  /**
   * Why a client is not let in. Not `authorized` alone: Deno says true where no certificate was asked for, and a session
   * that is taken up again says what it said the first time.
   */
  #refusal(socket: TLSSocket, peer: PeerCertificate | undefined): string | undefined {
    if (this.#tls.clientCa === undefined) return undefined;
    if (!peer) return "the client shows no certificate";
    const outdated = isOutdated(socket);
    const why = outdated ? "CERT_HAS_EXPIRED" : socket.authorizationError;
    if (outdated || !socket.authorized) return `the client's certificate is not accepted: ${verdict(why)}`;
    const more = this.#tls.refuses?.(peer);
    return more === undefined ? undefined : `the client's certificate is not accepted: ${more}`;
  }

  #failed(carrier: object, error: SocketError): void {
    const remote = this.#shaking.get(carrier);
    if (!remote) return;
    this.#shaking.delete(carrier);
    this.#options.handshakeFailed?.(error, remote);
  }

  #contextFor(serverName: string): SecureContext {
    const index = chooseByName(
      this.#tls.certificates.map(({ names }) => names),
      serverName,
    );
    return this.#contexts[index ?? 0] as SecureContext;
  }
}

/** Bun and Deno notice some broken ones in the first handshake only. */
function contextsOf(tls: ServerTls): SecureContext[] {
  for (const { certificate, key } of tls.certificates) {
    const wrong = tlsTools.inspect(certificate) ? tlsTools.keyProblem(certificate, key) : "no certificate";
    if (wrong) throw new SocketError("EINVAL", `Cannot use a certificate and its key: ${wrong} (EINVAL)`);
  }
  return tls.certificates.map((_, index) => createSecureContext(contextOptions(tls, index)));
}

function contextOptions({ certificates, minVersion, clientCa }: ServerTls, index: number) {
  const { certificate: cert, key } = certificates[index] ?? { certificate: "", key: "" };
  const version = `TLSv${minVersion}` as SecureVersion;
  return { cert, key, minVersion: version, ciphers: CIPHERS, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

/** Deno has one word for this and for an unknown CA, and a session that is taken up again is not asked. */
function isOutdated(socket: TLSSocket): boolean {
  return Date.parse(socket.getPeerCertificate().valid_to) < Date.now();
}

/** `authorizationError` is text on some runtimes, an error on others. */
function verdict(why: unknown): string {
  const code = typeof why === "string" ? why : (why as { code?: string } | null)?.code;
  return new SocketError(code ?? "ETLSVERIFY").message;
}

/** `Runtime.connect` for addresses with TLS. */
export function connectTls(to: TcpAddress, options: ConnectOptions): Connecting {
  const attempt = new Attempt(to, options.timeout);
  const { ca, serverName = to.host, credential, verify, refuses, alpn } = options.clientTls ?? PLAIN_CLIENT_TLS;
  const name = serverName.replace(/\.$/, "").replace(/%.*$/, "");
  const place = {
    host: to.host,
    port: to.port,
    ...(options.source === undefined ? {} : { localAddress: options.source }),
    allowHalfOpen: true,
  };
  let connected = false;
  // Where TLS is a layer of its own the socket below it has to be known: it alone can be reset, and stopped under Deno.
  const carrier = IN_BUN ? undefined : connectTcp(place);
  const socket = connectNode({
    ...(carrier ? { socket: carrier, allowHalfOpen: true } : place),
    // RFC 6066 section 3: an address is no name to ask for.
    servername: isIP(name) ? "" : name,
    checkServerIdentity: (_: string, certificate: PeerCertificateOfNode) => checkServerIdentity(name, certificate),
    rejectUnauthorized: verify,
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca }),
    ...(credential ? { cert: credential.certificate, key: credential.key } : {}),
    ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
  } as ConnectionOptions);
  attempt.stop = () => {
    socket.destroy();
    carrier?.destroy();
  };
  const failed = (error: Error & { code?: string }) => {
    const foreign = options.source !== undefined && error.code === "EINVAL";
    attempt.fail(foreign ? { code: "EADDRNOTAVAIL" } : targetFailure(to, error, connected));
  };
  socket.on("error", failed);
  carrier?.on("error", failed);
  (carrier ?? socket).once("connect", () => {
    connected = true;
  });
  socket.once("close", () => failed(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })));
  socket.once("secureConnect", () => {
    const peer = refuses ? certificateOf(socket) : undefined;
    const refusal = refuses && (peer ? refuses(peer) : "it shows none");
    if (attempt.settled || refusal !== undefined || (verify && !socket.authorized)) {
      const code = refusal === undefined ? "ETLSVERIFY" : "ETLSPIN";
      attempt.fail(verifyFailure(to, code, refusal ?? verdict(socket.authorizationError)));
      resetTls(socket);
      return;
    }
    tune(carrierOf(socket), options);
    const stream = new TlsStream(socket, to, options, infoOf(socket, peer));
    if (!attempt.succeed(stream)) stream.abort();
  });
  return attempt;
}

/** Undefined: there is none. */
function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const { raw } = socket.getPeerCertificate() as { raw?: Uint8Array };
  return raw && raw.length > 0 ? peerOf(raw) : undefined;
}

function infoOf(socket: TLSSocket, peer: PeerCertificate | undefined): TlsInfo {
  const { standardName, name } = socket.getCipher() as { standardName?: string; name?: string };
  const { servername } = socket as unknown as { servername?: string | false | null };
  return {
    version: socket.getProtocol() ?? "",
    cipher: standardName ?? name ?? "",
    alpn: socket.alpnProtocol || null,
    serverName: servername || null,
    peer: peer ?? null,
  };
}
