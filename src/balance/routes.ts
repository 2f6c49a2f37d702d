/**
 * Which targets are for a TLS connection, by what the client says in its first message. That is decided by what is
 * configured alone: how targets are, and whether DNS knows them, does not send anybody to a less specific one.
 *
 *     the name itself → the longest *.name that it ends in → … → targets for any name
 *
 * Of those, as long as there are some, the targets for the first of the client's protocols (RFC 7301: the one it likes
 * best) that any is for; without such, those for any protocol. A name whose targets are all for other protocols goes on
 * to the next, less specific ones.
 */
import type { TargetConfig } from "../config/config.ts";
import type { Alert } from "../tls/alert.ts";
import type { ClientHello } from "../tls/client-hello.ts";

type Patterns = Pick<TargetConfig, "sni" | "alpn">;

interface Choice {
  readonly route: string;
  readonly alpn: readonly string[] | undefined;
}

/** What a client has said; null: it does not speak TLS. */
export type Said = Pick<ClientHello, "serverName" | "alpn"> | null;

/** Why there is no target: in words, and what a TLS client is told. */
export interface Unrouted {
  readonly why: string;
  readonly alert: Alert;
}

/** Targets with the same one take part in the same choices. */
export function routeOf({ sni = [], alpn = [] }: Patterns): string {
  return `${sni.join(" ")},${alpn.join(" ")}`;
}

export class Routes {
  /** There are targets for those who do not speak TLS. */
  readonly plain: boolean;
  readonly #exact = new Map<string, Choice[]>();
  /** By what stands behind the star, dot included. */
  readonly #wild = new Map<string, Choice[]>();
  readonly #any: Choice[] = [];

  /** Undefined: all targets are for everybody. */
  static of(targets: readonly Patterns[]): Routes | undefined {
    return targets.some(({ sni, alpn }) => sni ?? alpn) ? new Routes(targets) : undefined;
  }

  private constructor(targets: readonly Patterns[]) {
    for (const target of targets) {
      const choice = { route: routeOf(target), alpn: target.alpn };
      if (!target.sni) this.#any.push(choice);
      for (const pattern of target.sni ?? []) {
        const wild = pattern.startsWith("*");
        const [map, key] = wild ? [this.#wild, pattern.slice(1)] : [this.#exact, pattern];
        const known = map.get(key);
        if (known) known.push(choice);
        else map.set(key, [choice]);
      }
    }
    this.plain = this.#any.some(({ alpn }) => !alpn);
  }

  /** The routes of those that are for this client, see {@link routeOf}; none: nobody is. */
  find(said: Said): readonly string[] {
    const protocols = said?.alpn ?? [];
    for (const targets of this.#named(said?.serverName ?? null)) {
      const fit = forProtocols(targets, protocols);
      if (fit.length > 0) return fit.map(({ route }) => route);
    }
    return [];
  }

  /** Why {@link Routes.find} has found nobody. */
  lack(said: Said): Unrouted {
    if (said === null) return { why: "no target is for what is no TLS", alert: "unrecognized_name" };
    if ([...this.#named(said.serverName)].some(({ length }) => length > 0)) {
      return { why: "no target is for its protocols (ALPN)", alert: "no_application_protocol" };
    }
    return said.serverName === null
      ? { why: "no target is for clients without a server name", alert: "missing_extension" }
      : { why: "no target is for its server name", alert: "unrecognized_name" };
  }

  /** Those for a name, the most specific first. */
  *#named(name: string | null): Iterable<readonly Choice[]> {
    if (name !== null) {
      yield this.#exact.get(name) ?? [];
      for (let dot = name.indexOf("."); dot >= 0 && this.#wild.size > 0; dot = name.indexOf(".", dot + 1)) {
        yield this.#wild.get(name.slice(dot)) ?? [];
      }
    }
    yield this.#any;
  }
}

function forProtocols(targets: readonly Choice[], protocols: readonly string[]): readonly Choice[] {
  for (const protocol of protocols) {
    const fit = targets.filter(({ alpn }) => alpn?.includes(protocol));
    if (fit.length > 0) return fit;
  }
  return targets.filter(({ alpn }) => !alpn);
}
