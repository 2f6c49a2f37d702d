/** Puts other bytes in the place of those it finds. */
import { latin1, latin1Bytes } from "../net/latin1.ts";
import type { Pattern } from "./pattern.ts";
import type { Output } from "./scan.ts";
import { Search } from "./search.ts";
import type { Direction, StepContext } from "./step.ts";

export interface ReplaceConfig {
  readonly type: "replace";
  readonly direction: Direction | "both";
  readonly pattern: Pattern;
  /** With a regular expression `$1`, `$&`, … stand for what they do in `String.replace`. */
  readonly with: Uint8Array;
}

/**
 * What comes out is `replaceAll` over the whole stream, or with a regular expression over each of its lines, however the
 * stream is cut into chunks. Of literals it holds no more than their length less one byte, and those only while they may
 * become a match; with a regular expression the beginning of a line until the rest has come.
 */
export class Replace extends Search {
  readonly #with: Uint8Array;
  readonly #template: string;

  constructor(config: Pick<ReplaceConfig, "pattern" | "with">, context: StepContext) {
    super(config.pattern, context);
    this.#with = config.with;
    this.#template = latin1(config.with);
  }

  override literal(out: Output): boolean {
    out.add(this.#with);
    return true;
  }

  override line(line: string, regex: RegExp, out: Output): boolean {
    out.add(latin1Bytes(line.replace(regex, this.#template)));
    return true;
  }
}
