/** What there is in certificates and keys, read by `node:crypto`, which the three runtimes have alike. */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import type { PeerCertificate, TlsTools } from "../../src/net/tls.ts";

export const tlsTools: TlsTools = {
  inspect(certificate) {
    const parsed = parse(certificate);
    if (!parsed) return undefined;
    const [notBefore, notAfter] = [Date.parse(parsed.validFrom), Date.parse(parsed.validTo)];
    return { ...factsOf(parsed), notBefore, notAfter };
  },
  keyProblem(certificate, key) {
    if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(key)) return "encrypted";
    try {
      const own = createPrivateKey(key);
      return new X509Certificate(certificate).checkPrivateKey(own) ? undefined : "other";
    } catch {
      return "unreadable";
    }
  },
};

/** Of a certificate in DER. */
export function peerOf(raw: Uint8Array): PeerCertificate {
  return factsOf(new X509Certificate(raw));
}

function parse(certificate: string): X509Certificate | undefined {
  // Deno 2.9.6 would take a file without any for an empty one, and others for DER.
  const [first] = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END [^-]+-----/.exec(certificate) ?? [];
  if (first === undefined) return undefined;
  try {
    return new X509Certificate(first);
  } catch {
    return undefined;
  }
}

function factsOf(certificate: X509Certificate): PeerCertificate {
  const der = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    names: namesOf(certificate),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    publicKey: createHash("sha256").update(der).digest("hex"),
  };
}

/** RFC 9525 section 6.2: the common name counts only where there is no subjectAltName of a kind that is looked for. */
function namesOf({ subject, subjectAltName }: X509Certificate): string[] {
  // "DNS:a.example, IP Address:127.0.0.1, DNS:…"; what holds a comma of its own is quoted, and is no host.
  const plain = (subjectAltName ?? "").replace(/"(?:[^"\\]|\\.)*"/g, "");
  const alternative = [...plain.matchAll(/(?:^|, )(?:DNS|IP Address):([^,\s]+)/g)];
  if (alternative.length > 0) return alternative.flatMap(([, name = ""]) => (name === "" ? [] : [name]));
  const common = /(?:^|\n)CN=([^\n]+)/.exec(subject ?? "")?.[1];
  return common === undefined ? [] : [common];
}
