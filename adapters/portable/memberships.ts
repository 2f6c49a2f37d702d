/** The multicast groups that one datagram socket is a member of: what is asked for is checked, and so is what holds. */
import { isIPv4, isIPv6 } from "../../src/net/address.ts";
import { explain, SocketError } from "../../src/net/errors.ts";
import { isMulticast } from "../../src/net/multicast.ts";
import type { Membership, NetworkInterface } from "../../src/net/runtime.ts";
import { codeOf } from "./errors.ts";
import { interfaceOf } from "./interfaces.ts";
import { isMember } from "./membership-lists.ts";

/** A membership as a kernel wants it. */
export interface Joined {
  readonly group: string;
  readonly source: string | undefined;
  readonly ipv6: boolean;
  /** Undefined: the kernel's choice. */
  readonly at: NetworkInterface | undefined;
}

/** What the runtime does for it; both throw something with a code. */
interface Actions {
  enter(membership: Joined): void;
  exit(membership: Joined): void;
}

export class Memberships {
  readonly #actions: Actions;
  /** Of an IPv6 socket, which takes IPv4 groups as well where the system lets it. */
  readonly #ipv6: boolean;
  readonly #known = new Map<string, Joined>();

  constructor(host: string, actions: Actions) {
    this.#actions = actions;
    this.#ipv6 = host.includes(":");
  }

  join(membership: Membership): void {
    const wanted = this.#check(membership);
    const key = keyOf(membership);
    const known = this.#known.get(key);
    if (known && known.at?.index === wanted.at?.index && isMember(known) !== false) return;
    // Of an interface that went away and has come back with another number, the socket still has the old one.
    if (known) this.leave(membership);
    try {
      this.#actions.enter(wanted);
    } catch (thrown) {
      throw refusal(membership, thrown);
    }
    if (isMember(wanted) === false) {
      this.#exit(wanted);
      const why = "the system took it and does not show it among its memberships (EOPNOTSUPP)";
      throw new SocketError("EOPNOTSUPP", `${cannot(membership)}: ${why}`);
    }
    this.#known.set(key, wanted);
  }

  leave(membership: Membership): void {
    const known = this.#known.get(keyOf(membership));
    if (!known) return;
    this.#known.delete(keyOf(membership));
    this.#exit(known);
  }

  joined(membership: Membership): boolean | undefined {
    const known = this.#known.get(keyOf(membership));
    return known ? isMember(known) : false;
  }

  #exit(membership: Joined): void {
    try {
      this.#actions.exit(membership);
    } catch {
      // The interface is gone, and with it the membership.
    }
  }

  #check(membership: Membership): Joined {
    const { group, source } = membership;
    const fail = (why: string): never => {
      throw new SocketError("EINVAL", `${cannot(membership)}: ${why} (EINVAL)`);
    };
    if (group.includes("%") || !isMulticast(group))
      fail(`"${group}" is no multicast group; groups are 224.0.0.0/4 and ff00::/8`);
    const ipv6 = group.includes(":");
    if (ipv6 && !this.#ipv6) fail("an IPv6 group needs a socket on an IPv6 address, such as ::");
    if (source !== undefined && !(ipv6 ? isIPv6(source) : isIPv4(source))) {
      fail(`the source "${source}" is no IPv${ipv6 ? 6 : 4} address`);
    }
    const at = membership.interface === undefined ? undefined : found(membership, membership.interface);
    return { group, source, ipv6, at };
  }
}

function found(membership: Membership, name: string): NetworkInterface {
  try {
    return interfaceOf(name);
  } catch (thrown) {
    throw refusal(membership, thrown);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  EINVAL: "the system takes no such membership",
  ENOBUFS: "too many memberships; raise net.ipv4.igmp_max_memberships",
  ENODEV: "there is no such interface, or none leads there; name one",
  EADDRINUSE: "it is joined already in another way",
};

function refusal(membership: Membership, thrown: unknown): SocketError {
  const code = codeOf(thrown);
  const why = thrown instanceof SocketError ? thrown.message : `${HINTS[code] ?? explain(code)} (${code})`;
  return new SocketError(code, `${cannot(membership)}: ${why}`, { cause: thrown });
}

function cannot({ group, source, interface: at }: Membership): string {
  return `Cannot join ${group}${source === undefined ? "" : ` from ${source}`}${at === undefined ? "" : ` on ${at}`}`;
}

function keyOf({ group, source = "", interface: at = "" }: Membership): string {
  return `${group.toLowerCase()} ${source.toLowerCase()} ${at}`;
}
