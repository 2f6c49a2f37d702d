/**
 * The header section of a message, or the trailer section behind a chunked body (RFC 9112, 5): lines of `name: value`,
 * and an empty one. In one pass, which goes on where it stopped when more has come.
 */
import { COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from "./http-bytes.ts";
import type { Complaint } from "./http-own.ts";

/** What {@link Fields.next} has found. */
export type Found = "field" | "end" | "more";

/** Behind what it stopped. */
type Behind = "line" | "name" | "colon" | "value" | "cr" | "last cr";

export class Fields {
  /** The field that was found last; all count from `start`. */
  name = 0;
  nameEnd = 0;
  value = 0;
  valueEnd = 0;
  /** Up to where everything is read. */
  at = 0;
  #behind: Behind = "line";
  readonly #bad: Complaint;

  constructor(bad: Complaint) {
    this.#bad = bad;
  }

  /** Another section, `at` bytes behind `start`. */
  begin(at: number): void {
    this.at = at;
    this.#behind = "line";
  }

  /**
   * The next field, or the end of the section, or that there is more to come: what is up to `limit` is read then.
   *
   * @throws {BadMessage}
   */
  next(bytes: Uint8Array, start: number, limit: number): Found {
    let at = start + this.at;
    let behind = this.#behind;
    while (at < limit) {
      switch (behind) {
        case "line": {
          const first = bytes[at] as number;
          if (first === CR) {
            behind = "last cr";
            at++;
            break;
          }
          if (first === SP || first === HTAB) throw this.#bad("a line that begins with whitespace");
          if (first === COLON) throw this.#bad("a field without a name");
          this.name = at - start;
          behind = "name";
          break;
        }
        case "name": {
          while (at < limit && TOKEN[bytes[at] as number] !== 0) at++;
          if (at === limit) break;
          if (bytes[at] !== COLON) throw this.#bad(wrongName(bytes[at] as number));
          this.nameEnd = at - start;
          behind = "colon";
          at++;
          break;
        }
        case "colon": {
          while (at < limit && (bytes[at] === SP || bytes[at] === HTAB)) at++;
          if (at === limit) break;
          this.value = at - start;
          behind = "value";
          break;
        }
        case "value": {
          while (at < limit && VALUE[bytes[at] as number] === 1) at++;
          if (at === limit) break;
          if (bytes[at] !== CR) throw this.#bad(bytes[at] === LF ? "a bare LF" : "a control character in a field");
          behind = "cr";
          at++;
          break;
        }
        case "cr": {
          if (bytes[at] !== LF) throw this.#bad("a bare CR");
          let end = at - 1;
          const value = start + this.value;
          while (end > value && (bytes[end - 1] === SP || bytes[end - 1] === HTAB)) end--;
          this.valueEnd = end - start;
          this.at = at + 1 - start;
          this.#behind = "line";
          return "field";
        }
        case "last cr": {
          if (bytes[at] !== LF) throw this.#bad("a bare CR");
          this.at = at + 1 - start;
          return "end";
        }
      }
    }
    this.at = at - start;
    this.#behind = behind;
    return "more";
  }
}

function wrongName(byte: number): string {
  if (byte === LF) return "a bare LF";
  if (byte === CR) return "a line without a colon";
  if (byte === SP || byte === HTAB) return "whitespace in or behind the name of a field";
  return "a character that the name of a field cannot have";
}
