/** What command lines say about TLS. */
import { TLS_VERSIONS } from "../net/tls.ts";
import type { FlagGroup } from "./command.ts";

export const TLS_FLAGS = {
  title: "TLS, for LISTEN or TARGET as tls://host:port",
  flags: [
    {
      name: "tls-certificate",
      kind: "file",
      repeatable: true,
      about: "PEM file with the certificate of a tls:// LISTEN and those that lead to its CA; one is chosen by SNI",
    },
    {
      name: "tls-key",
      kind: "file",
      repeatable: true,
      about: "PEM file with its key, in the same order; without it, the certificate's file holds the key, too",
    },
    {
      name: "tls-min-version",
      kind: "choice",
      placeholder: "VERSION",
      values: TLS_VERSIONS,
      default: "1.2",
      about: "The oldest version that clients may speak: 1.2 or 1.3",
    },
    {
      name: "tls-alpn",
      kind: "label",
      repeatable: true,
      about: "Protocols for clients, the preferred one first (ALPN)",
    },
    { name: "tls-client-ca", kind: "file", about: "Clients have to show a certificate of a CA in this PEM file" },
    {
      name: "tls-client-name",
      kind: "certificateName",
      repeatable: true,
      about: "It has to have one of these names, such as *.corp.example",
    },
    { name: "target-ca", kind: "file", about: "PEM file with the CAs that tls:// targets are verified by" },
    { name: "target-name", kind: "serverName", about: "Name that targets are asked for (SNI), and verified by" },
    { name: "target-certificate", kind: "file", about: "PEM file with the certificate that targets are shown" },
    { name: "target-key", kind: "file", about: "PEM file with its key; without it, the same file" },
    {
      name: "target-pin",
      kind: "fingerprint",
      repeatable: true,
      about: "Targets have to have this public key, or certificate",
    },
    { name: "target-insecure", kind: "boolean", about: "Take any certificate of a target, an attacker's as well" },
  ],
} as const satisfies FlagGroup;
