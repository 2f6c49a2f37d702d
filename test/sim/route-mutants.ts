/** Rules of choosing a target by what a TLS client says first, and what the core is without each of them. */
import type { Mutant } from "./mutants.ts";

export const ROUTE_MUTANTS: readonly Mutant[] = [
  {
    rule: "TLS: every byte that was read to choose a target is the target's to get",
    file: "src/proxy/opening.ts",
    find: "      this.said = hello;\n      return { taken: 0 };",
    replace: "      this.said = hello;\n      return { taken: bytes.length };",
  },
  {
    rule: "TLS: nobody meets a target that is for others",
    file: "src/balance/pool.ts",
    find: "      if (routes && !routes.includes(target.route)) continue;\n",
    replace: "",
  },
  {
    rule: "TLS: a hello goes on where its records go on",
    file: "src/tls/client-hello.ts",
    find: "    else parts.push(this.#at, this.#at + count);",
    replace: "    else if (parts.length < 4) parts.push(this.#at, this.#at + count);",
  },
];
