/** Ends the session when it finds something. */
import { latin1Bytes } from "../net/latin1.ts";
import { formatPattern, type Pattern } from "./pattern.ts";
import type { Output } from "./scan.ts";
import { Search } from "./search.ts";
import type { Direction, StepContext } from "./step.ts";

export const ENDINGS = ["reset", "close"] as const;

export interface RejectConfig {
  readonly type: "reject";
  readonly direction: Direction | "both";
  readonly pattern: Pattern;
  /** Both sides get an RST, or a FIN. */
  readonly how: (typeof ENDINGS)[number];
}

/** Passes on what comes before the match, and nothing of it or of what follows. */
export class Reject extends Search {
  readonly #config: RejectConfig;

  constructor(config: RejectConfig, context: StepContext) {
    super(config.pattern, context);
    this.#config = config;
  }

  override literal(): boolean {
    return false;
  }

  override line(line: string, regex: RegExp, out: Output): boolean {
    out.add(latin1Bytes(line.slice(0, line.search(regex))));
    return false;
  }

  protected override found(): void {
    const { how, pattern } = this.#config;
    const rule = `reject ${formatPattern(pattern)}`;
    if (how === "reset") this.context.cut("rejected", rule);
    else this.context.close("rejected", rule);
  }
}
