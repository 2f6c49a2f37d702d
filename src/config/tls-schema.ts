/** `[proxy.tls]` and `[proxy.target_tls]` as users write them, and what they mean. */
import * as v from "valibot";
import { TLS_VERSIONS } from "../net/tls.ts";
import { parseFingerprint } from "../tls/fingerprint.ts";
import { parseName, parseServerName } from "../tls/names.ts";
import { LISTEN_TLS, type ListenTlsConfig, TARGET_TLS, type TargetTlsConfig, VERIFIES } from "../tls/tls-config.ts";
import { formatDuration } from "./units.ts";
import * as t from "./values.ts";
import * as w from "./written.ts";

type Tls = v.InferOutput<ReturnType<typeof tlsSchema>>;
type TargetTls = v.InferOutput<ReturnType<typeof targetTlsSchema>>;

/** RFC 7301 section 3.1: 1 to 255 bytes. */
const PROTOCOL = /^[!-~]{1,255}$/;

export function tlsSchema() {
  const pair = t.table("A certificate with its key.", {
    certificate: t.fileName("A PEM file: the certificate, and behind it those that lead to its CA."),
    key: t.fileName("A PEM file with its key, without a passphrase."),
  });
  return t.table("How clients are met on a listener that says tls://.", {
    certificates: v.pipe(
      t.list("One is chosen by the name that a client asks for; else the first.", "an array of tables", pair),
      v.rawCheck(({ dataset, addIssue }) => {
        const empty = Array.isArray(dataset.value) && dataset.value.length === 0;
        if (empty) addIssue({ message: "there is no certificate; write one at least" });
      }),
      v.metadata({ json: { minItems: 1 } }),
    ),
    min_version: v.optional(t.choice("The oldest version of TLS.", TLS_VERSIONS), LISTEN_TLS.minVersion),
    alpn: v.optional(protocols(), []),
    client_ca: v.optional(t.fileName("A PEM file: clients have to show a certificate of one of these CAs.")),
    client_names: v.optional(
      t.list(
        "Of which it has to have one.",
        "an array of names",
        t.text("A name.", 'a name such as "*.corp"', parseName, w.SOME_TEXT),
      ),
      [],
    ),
    client_fingerprints: v.optional(
      fingerprints("SHA-256 of the certificates, or public keys, that are accepted."),
      [],
    ),
    handshake_timeout: v.optional(
      t.durationOrOff("Time for a client's handshake."),
      formatDuration(LISTEN_TLS.handshakeTimeout),
    ),
  });
}

export function targetTlsSchema() {
  return t.table("How targets are met that say tls://.", {
    ca: v.optional(t.fileName("A PEM file with the CAs that are trusted; those of the runtime by default.")),
    server_name: v.optional(
      t.text(
        "Asked for and verified; the host by default.",
        "a host name or an IP address",
        parseServerName,
        w.SOME_TEXT,
      ),
    ),
    certificate: v.optional(t.fileName("A PEM file: what is shown to targets that ask who connects.")),
    key: v.optional(t.fileName("A PEM file with its key, without a passphrase.")),
    verify: v.optional(
      t.choice('"insecure" takes any certificate, also that of an attacker.', VERIFIES),
      TARGET_TLS.verify,
    ),
    pin: v.optional(fingerprints("SHA-256 of public keys, or certificates, of which the target has to have one."), []),
    alpn: v.optional(protocols(), []),
  });
}

export function toTls(tls: Tls): ListenTlsConfig {
  return {
    certificates: tls.certificates,
    minVersion: tls.min_version,
    alpn: tls.alpn,
    clientCa: tls.client_ca ?? null,
    clientNames: tls.client_names,
    clientFingerprints: tls.client_fingerprints,
    handshakeTimeout: tls.handshake_timeout,
  };
}

/** What stands alone of `certificate` and `key` is found by {@link checkTls}. */
export function toTargetTls(tls: TargetTls): TargetTlsConfig {
  const { certificate, key } = tls;
  const any = certificate !== undefined || key !== undefined;
  return {
    ca: tls.ca ?? null,
    serverName: tls.server_name ?? null,
    credential: any ? { certificate: certificate ?? "", key: key ?? "" } : null,
    verify: tls.verify,
    pins: tls.pin,
    alpn: tls.alpn,
  };
}

function protocols() {
  const name = v.pipe(
    v.string(t.wrong("a string")),
    v.regex(PROTOCOL, 'a protocol has 1 to 255 printable characters, such as "h2" or "http/1.1"'),
    v.description("A protocol."),
  );
  return t.list("Protocols that are offered, the preferred one first (ALPN).", "an array of names", name);
}

function fingerprints(about: string) {
  const one = t.text("A fingerprint.", 'a SHA-256 such as "sha256//…="', parseFingerprint, w.SOME_TEXT);
  // One may stand alone, as addresses do.
  return v.pipe(
    v.union(
      [
        v.pipe(
          v.string(),
          v.transform((text) => [text]),
        ),
        v.array(v.unknown()),
      ],
      t.wrong("an array of fingerprints"),
    ),
    t.list(about, "an array of fingerprints", one),
    v.description(about),
    v.metadata({ json: { anyOf: [w.SOME_TEXT, { type: "array", items: w.SOME_TEXT }] } }),
  );
}
