/**
 * Who may change something over the admin API: whoever has the token or, where there is none, whoever reaches an
 * address of this machine alone. Never a page of another site in somebody's browser: it needs no token when the browser
 * sends its requests for it, so what a browser says about them counts (Fetch Metadata, RFC 6454), and so does the name it
 * knows us by, which may be one that an attacker's DNS has given us.
 */
import { type Address, isIPv4, isIPv6, isLoopback } from "../net/address.ts";

export interface GuardRules {
  readonly listen: Address;
  /** What `Authorization: Bearer …` has to hold; undefined: there is no token. */
  readonly token: string | undefined;
  /** Who can connect may change things, whatever the address: its clients know no tokens. */
  readonly open?: boolean;
}

/** Why the request may change nothing, with the status to answer; undefined: it may. */
export function guard(
  request: Request,
  { listen, token, open }: GuardRules,
): { status: 401 | 403; error: string } | undefined {
  const foreign = crossSite(request, "changes");
  if (foreign) return { status: 403, error: foreign };
  if (token !== undefined) {
    const given = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    if (sameSecret(given, token)) return undefined;
    return { status: 401, error: "changes need the token: Authorization: Bearer …" };
  }
  if (listen.kind === "unix") return undefined;
  if (!isLoopback(listen.host)) {
    if (open) return undefined;
    return { status: 403, error: "changes need a token where others can connect: set admin.token_env" };
  }
  const host = hostOf(request);
  if (host === "localhost" || isIPv4(host) || isIPv6(host)) return undefined;
  return { status: 403, error: `changes are refused under the name "${host}"; use an IP address or localhost` };
}

/** Why a browser may not have this: a page of somebody else asks for it. `what` are refused. */
export function crossSite(request: Request, what: string): string | undefined {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none")
    return `${what} from pages of other sites are refused`;
  const origin = request.headers.get("origin");
  if (origin === null) return undefined;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (origin.replace(/^https?:\/\//, "") === host) return undefined;
  return `${what} from pages of ${origin} are refused`;
}

/** Without the port and the brackets of IPv6. */
function hostOf(request: Request): string {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  return host
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
}

/** Takes as long for a wrong secret as for the right one. */
function sameSecret(given: string, wanted: string): boolean {
  let difference = given.length ^ wanted.length;
  for (let at = 0; at < wanted.length; at++) difference |= (given.charCodeAt(at) || 0) ^ wanted.charCodeAt(at);
  return difference === 0;
}
