/** For which clients a target is, as users write it. */
import * as v from "valibot";
import { parseAlpn, parseServerPattern } from "../tls/server-name.ts";
import * as t from "./values.ts";
import * as w from "./written.ts";

/** Keys of a target. */
export function routeEntries() {
  const name = t.text(
    "A name, or *. and a name.",
    'a host name such as "*.example.com"',
    parseServerPattern,
    w.SOME_TEXT,
  );
  const protocol = t.text("The name of a protocol.", 'a protocol such as "h2"', parseAlpn, w.SOME_TEXT);
  return {
    sni: v.optional(t.list("Names for which TLS clients ask that it is for.", "an array of host names", name)),
    alpn: v.optional(t.list("Protocols of TLS clients that it is for.", "an array of protocols", protocol)),
  };
}
