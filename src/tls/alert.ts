/** What a TLS client is told that is not let in: an alert in the clear, as servers send it before any key is known. */
import type { ClientHello } from "./client-hello.ts";

/** RFC 8446 section 6.2, RFC 6066 section 3, RFC 7301 section 3.2. */
const ALERTS = { missing_extension: 109, unrecognized_name: 112, no_application_protocol: 120 } as const;
export type Alert = keyof typeof ALERTS;

const RECORD_OF_ALERT = 21;
const FATAL = 2;
const TLS12 = 0x0303;

/** A fatal alert, in a record that this client can read: of TLS 1.2 (so also in 1.3), or older if it is. */
export function fatalAlert(alert: Alert, { versions }: Pick<ClientHello, "versions">): Uint8Array {
  const highest = Math.max(...versions, 0);
  const version = highest > 0x0300 && highest < TLS12 ? highest : TLS12;
  return Uint8Array.of(RECORD_OF_ALERT, version >> 8, version & 255, 0, 2, FATAL, ALERTS[alert]);
}
