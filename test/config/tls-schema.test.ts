/** `[proxy.tls]` and `[proxy.target_tls]` in files: what they become, and what is wrong with them. */
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { LISTEN_TLS, TARGET_TLS } from "../../src/tls/tls-config.ts";
import { problems } from "./problems.ts";

const LISTEN = 'listen = "tls://127.0.0.1:1"\n';
const CERTIFICATES = 'tls.certificates = [{ certificate = "a", key = "b" }]\n';
const FINGERPRINT = "ab".repeat(32);

function proxyOf(text: string) {
  return loadConfig(`[[proxy]]\n${text}`, "weir.toml").proxies[0];
}

test("what is left out has its default", () => {
  const proxy = proxyOf(`${LISTEN}target = "tls://b:2"\n${CERTIFICATES}target_tls = {}`);
  expect(proxy?.listen).toEqual({ kind: "tcp", host: "127.0.0.1", port: 1, tls: true });
  expect(proxy?.targets[0]?.address).toEqual({ kind: "tcp", host: "b", port: 2, tls: true });
  expect(proxy?.tls).toEqual({ ...LISTEN_TLS, certificates: [{ certificate: "a", key: "b" }] });
  expect(proxy?.targetTls).toEqual(TARGET_TLS);
});

test("targets with TLS and without may stand side by side", () => {
  const proxy = proxyOf('listen = 1\ntargets = ["tls://b:2", "b:3"]\ntarget_tls.ca = "ca.pem"');
  expect(proxy?.targetTls?.ca).toBe("ca.pem");
});

test("one pin needs no brackets", () => {
  const pins = (pin: string) => proxyOf(`listen = 1\ntarget = "tls://b:2"\ntarget_tls.pin = ${pin}`)?.targetTls?.pins;
  expect(pins(`"${FINGERPRINT}"`)).toEqual([FINGERPRINT]);
  expect(pins(`["${FINGERPRINT}", "sha256:${FINGERPRINT}"]`)).toEqual([FINGERPRINT, FINGERPRINT]);
});

describe("a problem with TLS", () => {
  const PLAIN = 'listen = "127.0.0.1:1"\n';
  const TARGET = 'target = "b:2"\n';
  const TLS_TARGET = 'target = "tls://b:2"\n';
  test.each([
    ["no certificate", LISTEN + TARGET, "proxy[0].listen: tls://127.0.0.1:1 needs a certificate"],
    ["no tls://", PLAIN + TARGET + CERTIFICATES, "proxy[0].tls: there are certificates, and 127.0.0.1:1 is no address"],
    [
      "targets for names",
      `${LISTEN}targets = [{ address = "b:2", sni = ["a.b"] }]\n${CERTIFICATES}`,
      "proxy[0].targets[0].sni: tls://127.0.0.1:1 ends TLS itself, and targets are chosen by it where it passes through alone; leave sni out, or tls:// in listen",
    ],
    ["a unix socket", `listen = "unix:/x"\n${TARGET}${CERTIFICATES}`, "a unix socket has none, or leave tls out"],
    ["an empty list", `${LISTEN}${TARGET}tls.certificates = []`, "there is no certificate; write one at least"],
    ["no key", `${LISTEN}${TARGET}tls.certificates = [{ certificate = "a" }]`, 'the key "key" is missing'],
    ["an unknown key", `${LISTEN}${TARGET}${CERTIFICATES}tls.clientca = "a"`, 'did you mean "client_ca"?'],
    [
      "an old version",
      `${LISTEN}${TARGET}${CERTIFICATES}tls.min_version = "1.1"`,
      'expected "1.2" or "1.3", found "1.1"',
    ],
    ["names without a CA", `${LISTEN}${TARGET}${CERTIFICATES}tls.client_names = ["a.b.c"]`, "add client_ca"],
    [
      "fingerprints without a CA",
      `${LISTEN}${TARGET}${CERTIFICATES}tls.client_fingerprints = ["${FINGERPRINT}"]`,
      "proxy[0].tls.client_fingerprints: client_fingerprints is about clients' certificates",
    ],
    [
      "a PROXY header before TLS",
      `${LISTEN}${TARGET}${CERTIFICATES}proxy_protocol.accept_from = ["10.0.0.1"]`,
      "proxy[0].proxy_protocol.accept_from: a PROXY header would come before the TLS handshake",
    ],
    ["settings for no target", `${PLAIN}${TARGET}target_tls.ca = "a"`, "there is no target with TLS"],
    ["a key alone", `${PLAIN}${TLS_TARGET}target_tls.key = "a"`, "the certificate to it is missing; add certificate"],
    ["a certificate alone", `${PLAIN}${TLS_TARGET}target_tls.certificate = "a"`, "its key is missing; add key"],
    [
      "verify by accident",
      `${PLAIN}${TLS_TARGET}target_tls.verify = false`,
      'expected "full" or "insecure", found false',
    ],
    ["a broken pin", `${PLAIN}${TLS_TARGET}target_tls.pin = "abc"`, 'Cannot use the fingerprint "abc"'],
    [
      "a wildcard for everything",
      `${LISTEN}${TARGET}${CERTIFICATES}tls.client_names = ["*"]`,
      'Cannot use the name "*"',
    ],
    [
      "a port in a name",
      `${PLAIN}${TLS_TARGET}target_tls.server_name = "b:2"`,
      "write a host name or an IP address alone",
    ],
    ["TLS for the admin page", `${PLAIN}${TARGET}[admin]\nlisten = "tls://:3"`, "there is no TLS here"],
  ])("is told: %s", (_, text, message) => {
    const told = problems(`[[proxy]]\n${text}`);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(message);
  });
});
