/** What is asked of the other side's certificate beyond what its CA says. */
import type { PeerCertificate } from "../net/tls.ts";
import { nameMatches } from "./names.ts";

type Refuses = (peer: PeerCertificate) => string | undefined;

/**
 * Why a client's certificate is not accepted: it has none of these names, or none of these fingerprints (of the certificate,
 * or of its public key). What is empty asks for nothing; undefined: nothing is asked.
 */
export function clientRule(names: readonly string[], fingerprints: readonly string[]): Refuses | undefined {
  if (names.length === 0 && fingerprints.length === 0) return undefined;
  return (peer) => {
    const named = names.length === 0 || names.some((name) => peer.names.some((own) => isNamed(name, own)));
    if (!named) return `its name is not one of client_names: ${peer.names.join(", ") || "it has none"}`;
    if (fingerprints.length === 0 || isOneOf(peer, fingerprints)) return undefined;
    return `its fingerprint is not one of client_fingerprints: ${peer.fingerprint}`;
  };
}

/** Why a target's certificate is not accepted: it is none of those that are pinned. */
export function pinRule(pins: readonly string[]): Refuses | undefined {
  if (pins.length === 0) return undefined;
  return (peer) => (isOneOf(peer, pins) ? undefined : `its public key is not pinned: sha256 ${peer.publicKey}`);
}

function isOneOf({ fingerprint, publicKey }: PeerCertificate, known: readonly string[]): boolean {
  return known.includes(fingerprint) || known.includes(publicKey);
}

/** A certificate's own wildcard is a name like any other here: it says whom it stands for, not who has it. */
function isNamed(allowed: string, own: string): boolean {
  return own.includes("*") ? own.toLowerCase() === allowed.toLowerCase() : nameMatches(allowed, own);
}
