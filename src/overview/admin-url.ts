/** Where the admin API of a running weir is. */
import { type Address, parseAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";

/**
 * Reads it: an address (`8998`, `127.0.0.1:8998`, `unix:/run/weir.sock`), or as a browser has it
 * (`http://127.0.0.1:8998/`).
 *
 * @throws {UsageError} `EUSAGE` for https, `EADDRESS` for what is no address.
 */
export function parseAdminUrl(text: string): Address {
  if (/^https:/i.test(text)) {
    throw new UsageError("EUSAGE", `expected http:// or an address, found "${text}": the admin API speaks no TLS`);
  }
  const place = /^http:\/\/([^/]*)\/?$/i.exec(text)?.[1];
  if (place === undefined) return parseAddress(text, "target");
  return parseAddress(/:[^:\]]*$/.test(place) ? place : `${place}:80`, "target");
}
