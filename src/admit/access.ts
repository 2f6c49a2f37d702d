/** Who is let in: ranges of client addresses, the narrowest of which decides. */
import type { Denial } from "../metrics/reason.ts";
import type { Address } from "../net/address.ts";
import { type Cidr, formatCidr, ipWords } from "../net/cidr.ts";
import { RangeTable } from "./ranges.ts";

export interface AccessRules {
  /** With none, everybody whom `deny` does not shut out is let in. */
  readonly allow: readonly Cidr[];
  /** Of two equal ranges this one counts. */
  readonly deny: readonly Cidr[];
}

export interface Verdict {
  readonly allowed: boolean;
  /** What decided: `deny 10.0.13.0/24`, or that nothing did. */
  readonly rule: string;
  /** The kind of rule, if it shuts somebody out. */
  readonly by?: Denial;
}

export class Access {
  readonly #rules: AccessRules;
  readonly #table: RangeTable;
  /** Of ranges that have decided before: to write one costs more than to find it. */
  readonly #verdicts = new Map<number, Verdict>();

  constructor(rules: AccessRules) {
    this.#rules = rules;
    const { allow, deny } = rules;
    this.#table = new RangeTable([...deny, ...allow]);
  }

  /** There are rules at all. */
  get active(): boolean {
    return this.#rules.allow.length + this.#rules.deny.length > 0;
  }

  /** Rules speak of IP addresses: who comes over a unix socket is let in. */
  judge(client: Address, words = client.kind === "tcp" ? ipWords(client.host) : undefined): Verdict {
    const { allow, deny } = this.#rules;
    if (client.kind === "unix") return { allowed: true, rule: "no rule is for unix sockets" };
    if (!words) return { allowed: false, rule: "the address is unknown", by: "allow" };
    const found = this.#table.find(words);
    if (found === undefined) {
      return allow.length > 0
        ? { allowed: false, rule: "no allow range holds it", by: "allow" }
        : { allowed: true, rule: deny.length > 0 ? "no deny range holds it" : "there are no rules" };
    }
    const verdict = this.#verdicts.get(found) ?? verdictOf(this.#rules, found);
    this.#verdicts.set(found, verdict);
    return verdict;
  }
}

/** `found`: the number of a range, those of `deny` first. */
function verdictOf({ allow, deny }: AccessRules, found: number): Verdict {
  const denied = deny[found];
  if (denied) return { allowed: false, rule: `deny ${formatCidr(denied)}`, by: "deny" };
  return { allowed: true, rule: `allow ${formatCidr(allow[found - deny.length] as Cidr)}` };
}
