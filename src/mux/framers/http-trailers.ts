/** The section behind a chunked body. It goes on as it is, as long as it could not have changed what stands before it. */
import { lowerCase } from "./http-bytes.ts";
import { Fields } from "./http-fields.ts";
import { mayTrail } from "./http-names.ts";
import type { Complaint } from "./http-own.ts";

export class Trailers {
  readonly #fields: Fields;
  readonly #bad: Complaint;
  readonly #max: number;
  #from = 0;

  /** `max`: bytes of it. */
  constructor(bad: Complaint, max: number) {
    this.#bad = bad;
    this.#fields = new Fields(bad);
    this.#max = max;
  }

  /** Another one begins, `at` bytes behind what will be the start. */
  begin(at: number): void {
    this.#from = at;
    this.#fields.begin(at);
  }

  /**
   * Where the section ends, or -1 as long as it is not complete.
   *
   * @throws {BadMessage}
   */
  end(bytes: Uint8Array, start: number, limit: number): number {
    const fields = this.#fields;
    const most = start + this.#from + this.#max;
    for (;;) {
      const found = fields.next(bytes, start, Math.min(limit, most));
      if (found === "end") return start + fields.at;
      if (found === "more") {
        if (limit >= most) throw this.#bad("too long a trailer section", 431);
        return -1;
      }
      if (!mayTrail(lowerCase(bytes, start + fields.name, start + fields.nameEnd)))
        throw this.#bad("a field behind the body that belongs before it");
    }
  }
}
