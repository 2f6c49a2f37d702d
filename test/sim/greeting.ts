/**
 * The part of a storm that is about TLS clients: each says a ClientHello before all else, cut as its stream is, and has
 * to meet a target that is for it. It draws from chances of its own, so that old seeds stay what they were.
 */

import type { ProxyConfig, TargetConfig } from "../../src/config/config.ts";
import { formatAddress } from "../../src/net/address.ts";
import { isAddress } from "../../src/net/target-name.ts";
import { beginsLikeTls, HelloReader } from "../../src/tls/client-hello.ts";
import type { Script } from "../peers/endpoint.ts";
import type { Random } from "../peers/random.ts";
import type { Kind } from "../peers/scripts.ts";
import { extension, hostNames, message, records } from "../tls/hellos.ts";
import type { Guard } from "./guard.ts";

export interface Greeting {
  readonly config: Partial<ProxyConfig>;
  /** What is different about a client; always the same for the same one. */
  client(id: number): Partial<Script>;
  /** What is different about the connections of a target; `wrong`: who should not be there. */
  target(index: number, wrong: (what: string) => void): Partial<Script>;
}

/** Undefined: clients do not speak TLS. */
export function makeGreeting(random: Random, kind: Kind, config: ProxyConfig, guard: Guard): Greeting | undefined {
  // What changes targets knows nothing of names.
  if (!random.chance(0.4) || guard.changes.length > 0) return undefined;
  const sites = config.targets.map((_, index) => (index === 0 ? 0 : random.pick([0, 1, undefined])));
  if (config.targets.length === 1 && random.chance(0.2)) sites[0] = undefined;
  const targets = config.targets.map((target, index): TargetConfig => {
    const site = sites[index];
    return site === undefined ? target : { ...target, sni: [`*.site${site}.test`] };
  });
  const plain = sites.includes(undefined);
  // Who means well asks for what there is.
  const unknown = kind === "rough" ? ["nowhere.test"] : [];
  const names = [...new Set(sites.flatMap((site) => (site === undefined ? [] : [`site${site}.test`])))];
  if (names.length === 0) return undefined;
  const known = new Map<number, Said>();
  const said = (id: number): Said => {
    const before = known.get(id);
    if (before) return before;
    const site = random.pick([...names, ...names, ...unknown, ...(plain ? [null, undefined] : [])]);
    const bytes = site === undefined ? undefined : makeHello(random, site === null ? undefined : `c${id}.${site}`);
    const made = { bytes, site, refused: site === "nowhere.test" && !plain };
    known.set(id, made);
    return made;
  };
  return {
    config: { targets },
    client(id) {
      const { bytes, refused } = said(id);
      // Without a hello it has to say something else first: nobody waits for a server that greets.
      return bytes ? { lead: bytes, refused } : { starts: "at once", echoes: false };
    },
    target(index, wrong) {
      const own = sites[index];
      const name = addressOf(targets[index]);
      return {
        skips(bytes) {
          if (!beginsLikeTls(bytes)) {
            if (own !== undefined) wrong(`a client without a hello has met ${name}`);
            return 0;
          }
          const reading = new HelloReader().read(bytes);
          if (reading.kind === "more") return undefined;
          const asked = reading.kind === "hello" ? reading.serverName : "no hello";
          const id = Number(/^c(\d+)\./.exec(asked ?? "")?.[1]);
          const site = asked?.replace(/^c\d+\./, "");
          const fits = own === undefined ? site === undefined || !names.includes(site) : site === `site${own}.test`;
          if (!fits) wrong(`a client that asked for ${asked} has met ${name}`);
          const whole = Number.isNaN(id) ? anonymous(known, bytes) : known.get(id)?.bytes;
          if (!whole) {
            wrong(`nobody has said what has come to ${name}`);
            return bytes.length;
          }
          if (bytes.length < whole.length) return undefined;
          if (!whole.every((byte, at) => byte === bytes[at])) wrong(`a hello for ${asked} was changed`);
          return whole.length;
        },
      };
    },
  };
}

interface Said {
  readonly bytes: Uint8Array | undefined;
  /** Null: a hello without a name; undefined: no hello. */
  readonly site: string | null | undefined;
  readonly refused: boolean;
}

/** Whoever has said this without a name. */
function anonymous(known: ReadonlyMap<number, Said>, bytes: Uint8Array): Uint8Array | undefined {
  for (const { bytes: own, site } of known.values()) {
    if (site === null && own?.every((byte, at) => at >= bytes.length || byte === bytes[at])) return own;
  }
  return undefined;
}

function makeHello(random: Random, name: string | undefined): Uint8Array {
  const padding = extension(21, Array<number>(random.size(1, 400)).fill(0));
  const extensions = name === undefined ? [padding] : [padding, hostNames(name)];
  const session = Array.from({ length: 32 }, () => random.between(0, 255));
  return records(message({ session, extensions }), random.pick([16_384, 16_384, random.size(1, 300)]));
}

function addressOf(target: TargetConfig | undefined): string {
  return target && isAddress(target.address) ? formatAddress(target.address) : "a target";
}
