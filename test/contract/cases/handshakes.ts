/** TLS: who gets through a handshake, and what is said of those who do not. */
import assert from "node:assert/strict";
import { connect as connectPlain } from "node:net";
import type { Address, TcpAddress } from "../../../src/net/address.ts";
import type { SocketError } from "../../../src/net/errors.ts";
import type { StreamSocket } from "../../../src/net/runtime.ts";
import type { ClientTls, Credential, ServerTls } from "../../../src/net/tls.ts";
import { issue, textOf } from "../../tls/certificates.ts";
import { type Case, deferred } from "../kit.ts";
import { Probe } from "../probe.ts";
import { AT, failureOf, pairOf, refusing, serving, skip, worldOf } from "../tls-world.ts";

export const handshakes: readonly Case[] = [
  {
    name: "TLS: chooses the certificate by SNI, and the first for everybody else; both can be replaced",
    skip,
    async run(kit) {
      const world = worldOf(kit);
      const b = world.issue("b", { alternative: "DNS:b.test,DNS:*.b.test" });
      const names: (string | undefined)[] = [];
      const accept = (socket: StreamSocket) => {
        // Deno 2.9.6 tells it in lower case.
        names.push(socket.tls?.serverName?.toLowerCase());
        socket.end();
      };
      const listener = await kit.listen(AT, accept, { serverTls: serving(world.server, b) });
      const shown = async (serverName: string | undefined) => {
        let got = "";
        const clientTls: ClientTls = {
          ...world.trusting,
          verify: false,
          serverName,
          refuses: (peer) => {
            got = peer.names.join();
            return undefined;
          },
        };
        // Not before the server has seen the end of the handshake, too.
        await new Probe(await kit.connect(listener.address, { clientTls })).untilEnd();
        return got;
      };
      assert.equal(await shown("a.test"), "a.test,127.0.0.1");
      assert.equal(await shown("B.test"), "b.test,*.b.test");
      assert.equal(await shown("www.b.test"), "b.test,*.b.test");
      assert.equal(await shown("x.www.b.test"), "a.test,127.0.0.1");
      assert.equal(await shown(undefined), "a.test,127.0.0.1");
      const c = world.issue("c");
      listener.renew?.(serving(c, b));
      assert.equal(await shown("a.test"), "c.test,127.0.0.1");
      assert.equal(await shown(undefined), "c.test,127.0.0.1");
      assert.equal(await shown("b.test"), "b.test,*.b.test");
      assert.throws(() => listener.renew?.(serving({ ...c, certificate: "none" })));
      assert.equal(await shown("a.test"), "c.test,127.0.0.1");
      assert.deepEqual([...new Set(names)], ["a.test", "b.test", "www.b.test", "x.www.b.test", undefined]);
    },
  },
  {
    name: "TLS: agrees on a protocol by ALPN, and tells version and cipher",
    skip,
    async run(kit) {
      const world = worldOf(kit);
      const { promise, resolve } = deferred<StreamSocket>();
      const serverTls = { ...serving(world.server), alpn: ["h2", "http/1.1"] };
      const listener = await kit.listen(AT, resolve, { serverTls });
      const clientTls = { ...world.trusting, alpn: ["http/1.1"], serverName: "a.test" };
      const client = await kit.connect(listener.address, { clientTls });
      const server = await promise;
      kit.later(() => server.abort());
      assert.equal(client.tls?.alpn, "http/1.1");
      assert.equal(server.tls?.alpn, "http/1.1");
      assert.equal(server.tls?.serverName, "a.test");
      assert.equal(server.tls?.version, "TLSv1.3");
      assert.match(server.tls?.cipher ?? "", /^TLS_/);
      assert.equal(server.tls?.peer, null);
    },
  },
  {
    name: "TLS: a target's certificate is verified: expired, of another CA, self-signed, for another name",
    skip,
    async run(kit) {
      const world = worldOf(kit);
      const codeOf = async (credential: Credential, more: Partial<ClientTls> = {}) => {
        const listener = await kit.listen(AT, (socket) => socket.abort(), { serverTls: serving(credential) });
        const clientTls = { ...world.trusting, ...more };
        return (await failureOf(kit.connect(listener.address, { clientTls }))).code;
      };
      // Deno 2.9.6 has one word for an expired certificate and for an unknown CA.
      const vague = kit.runtime.name === "deno" ? "ETLSVERIFY" : undefined;
      assert.equal(await codeOf(world.issue("old", { days: -1 })), vague ?? "CERT_HAS_EXPIRED");
      const self = issue(kit.directory(), "self", { alternative: "IP:127.0.0.1" });
      const selfSigned = { certificate: textOf(self.certificate), key: textOf(self.key), names: [] };
      assert.equal(await codeOf(selfSigned), "DEPTH_ZERO_SELF_SIGNED_CERT");
      assert.equal(await codeOf(world.server, { serverName: "b.test" }), "ERR_TLS_CERT_ALTNAME_INVALID");
      const named = world.issue("named", { alternative: "DNS:named.test" });
      assert.equal(await codeOf(named), "ERR_TLS_CERT_ALTNAME_INVALID");
      const other = issue(kit.directory(), "other");
      const stranger = await codeOf(world.server, { ca: textOf(other.certificate) });
      const strange = vague ? /^ETLSVERIFY$/ : /^UNABLE_TO_|^SELF_SIGNED_CERT_IN_CHAIN$/;
      assert.match(stranger, strange);
      assert.match(await codeOf(world.server, { ca: undefined }), strange);
    },
  },
  {
    name: "TLS: a pin is held against the target's certificate",
    skip,
    async run(kit) {
      const world = worldOf(kit);
      const own = kit.runtime.tls?.inspect(world.server.certificate);
      const listener = await kit.listen(AT, (socket) => socket.end(), { serverTls: serving(world.server) });
      const pinned = (pin: string | undefined): ClientTls => ({
        ...world.trusting,
        refuses: ({ publicKey }) => (publicKey === pin ? undefined : "another key"),
      });
      const socket = await kit.connect(listener.address, { clientTls: pinned(own?.publicKey) });
      assert.equal(socket.tls?.peer?.fingerprint, own?.fingerprint);
      const failure = await failureOf(kit.connect(listener.address, { clientTls: pinned("00") }));
      assert.equal(failure.code, "ETLSPIN");
    },
  },
  {
    name: "TLS: lets in clients of its CA alone, by the names it wants",
    skip,
    async run(kit) {
      const world = worldOf(kit);
      const serverTls: ServerTls = {
        ...serving(world.server, world.issue("b")),
        clientCa: textOf(world.ca.certificate),
        refuses: ({ names }) => (names.includes("alice.test") ? undefined : `it is ${names[0]}`),
      };
      const said: string[] = [];
      let failed: () => void = () => {};
      const waiting: ((socket: StreamSocket) => void)[] = [];
      const accept = (socket: StreamSocket) => waiting.shift()?.(socket);
      const handshakeFailed = (error: SocketError) => {
        said.push(`${error.code} ${error.message}`);
        failed();
      };
      const listener = await kit.listen(AT, accept, { serverTls, handshakeFailed });
      const comes = async (credential: Credential | undefined, serverName: string) => {
        const refused = new Promise<undefined>((resolve) => {
          failed = () => resolve(undefined);
        });
        const accepted = new Promise<StreamSocket>((resolve) => waiting.push(resolve));
        const clientTls = { ...world.trusting, credential, serverName };
        // With TLS 1.3 the client is through before the server has looked at its certificate.
        const socket = await kit.connect(listener.address, { clientTls }).catch(() => undefined);
        const server = await Promise.race([accepted, refused]);
        const peer = server?.tls?.peer?.names;
        server?.abort();
        socket?.abort();
        if (!server) waiting.length = 0;
        return peer ?? said.at(-1);
      };
      const alice = world.issue("alice");
      const strangers = issue(kit.directory(), "strangers");
      const stranger = world.issue("alice", { issuer: strangers });
      for (const serverName of ["a.test", "b.test"]) {
        assert.deepEqual(await comes(alice, serverName), ["alice.test", "127.0.0.1"]);
        assert.match(String(await comes(undefined, serverName)), /^ETLSCLIENT .*shows no certificate/);
        assert.match(String(await comes(stranger, serverName)), /^ETLSCLIENT .*CA that is not known/);
        assert.match(String(await comes(world.issue("bob"), serverName)), /^ETLSCLIENT .*it is bob\.test/);
        assert.match(String(await comes(world.issue("alice", { days: -1 }), serverName)), /^ETLSCLIENT .*expired/);
      }
    },
  },
  {
    name: "TLS: a client that speaks no TLS is told of, and holds up nobody",
    skip,
    async run(kit) {
      const { server } = worldOf(kit);
      const { at, failure } = await refusing(kit, serving(server));
      const { port } = at as TcpAddress;
      const plain = connectPlain({ host: "127.0.0.1", port }, () => plain.write("GET / HTTP/1.1\r\n\r\n"));
      plain.on("error", () => {});
      plain.resume();
      const { code, message } = await failure;
      assert.equal(code, "ETLSHANDSHAKE");
      assert.match(message, /plain HTTP/);
      await new Promise((resolve) => plain.once("close", resolve));
    },
  },
  {
    name: "TLS: a client that leaves during the handshake is told of",
    skip,
    async run(kit) {
      const { server } = worldOf(kit);
      const { at, failure } = await refusing(kit, { ...serving(server), handshakeTimeout: 2_000 });
      const plain = connectPlain({ host: "127.0.0.1", port: (at as TcpAddress).port }, () => plain.end());
      plain.on("error", () => {});
      // Deno and Node do not notice a FIN before the end of the handshake, but its time is limited all the same.
      assert.equal((await failure).code, kit.runtime.name === "bun" ? "ETLSHANDSHAKE" : "ETLSTIMEOUT");
    },
  },
  {
    name: "TLS: a handshake has its time, and holds up nobody meanwhile",
    skip,
    async run(kit) {
      const world = worldOf(kit);
      const { at, failure } = await refusing(kit, { ...serving(world.server), handshakeTimeout: 1_500 });
      const slow = connectPlain({ host: "127.0.0.1", port: (at as TcpAddress).port });
      kit.later(() => void slow.destroy());
      slow.on("error", () => {});
      const quick = await kit.connect(at, { clientTls: world.trusting });
      assert.equal(quick.tls?.version, "TLSv1.3");
      assert.equal((await failure).code, "ETLSTIMEOUT");
      slow.resume();
      await new Promise((resolve) => slow.once("close", resolve));
    },
  },
  {
    name: "TLS: a target that speaks no TLS, or nothing, is no connection",
    skip,
    async run(kit) {
      const clientTls = worldOf(kit).trusting;
      const talker = await kit.listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (socket) => {
        socket.write(new TextEncoder().encode("220 hello, I speak SMTP\r\n"));
        kit.later(() => socket.abort());
      });
      const overTls = (address: Address): Address => ({ ...(address as TcpAddress), tls: true });
      assert.equal((await failureOf(kit.connect(overTls(talker.address), { clientTls }))).code, "ETLSHANDSHAKE");
      const silent = await kit.listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (socket) => {
        kit.later(() => socket.abort());
      });
      const late = await failureOf(kit.connect(overTls(silent.address), { clientTls, timeout: 300 }));
      assert.equal(late.code, "ETIMEDOUT");
      const closing = await kit.listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (socket) => {
        socket.resume();
        socket.end();
      });
      assert.equal((await failureOf(kit.connect(overTls(closing.address), { clientTls }))).code, "ETLSHANDSHAKE");
    },
  },
  {
    name: "TLS: closing a listener ends handshakes, not connections",
    skip,
    async run(kit) {
      const { client, server, listener } = await pairOf(kit);
      const plain = connectPlain({ host: "127.0.0.1", port: (listener.address as TcpAddress).port });
      plain.on("error", () => {});
      plain.resume();
      await new Promise((resolve) => plain.once("connect", resolve));
      const gone = new Promise((resolve) => plain.once("close", resolve));
      await listener.close();
      await gone;
      await client.send(1_000);
      await server.until(() => server.received === 1_000, "bytes");
    },
  },
];
