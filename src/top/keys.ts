/** Bytes of a keyboard to keys: a character, or the name of what is none. Sequences that mean nothing here are left out. */

/** A character as it is typed, or one of the names below. */
export type Key = string;

/** By what comes behind ESC: of xterm (ctlseqs), the Linux console and those that follow them. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  OA: "up",
  OB: "down",
  OC: "right",
  OD: "left",
  "[H": "home",
  "[F": "end",
  OH: "home",
  OF: "end",
  "[1~": "home",
  "[4~": "end",
  "[7~": "home",
  "[8~": "end",
  "[5~": "page-up",
  "[6~": "page-down",
  "[Z": "back-tab",
};

const CONTROLS: Readonly<Record<string, Key>> = {
  "\x03": "ctrl-c",
  "\x08": "backspace",
  "\t": "tab",
  "\n": "enter",
  "\x0c": "ctrl-l",
  "\r": "enter",
  "\x1a": "ctrl-z",
  "\x7f": "backspace",
};

/** ECMA-48 section 5.4: a control sequence, or one of SS3 (`ESC O` and one more). */
const WHOLE = /^(?:\[[0-?]*[ -/]*[@-~]|O[ -~])/;
const BEGUN = /^(?:\[[0-?]*[ -/]*|O)$/;
/** No key is longer. */
const SEQUENCE_MAX = 32;

export class KeyReader {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The keys in these bytes; a sequence that is cut in two is read when its end comes. */
  take(bytes: Uint8Array): readonly Key[] {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    const keys: Key[] = [];
    let at = 0;
    this.#rest = "";
    while (at < text.length) {
      const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
      at += char.length;
      if (char !== "\x1b") {
        keys.push(...plain(char));
        continue;
      }
      const behind = text.slice(at, at + SEQUENCE_MAX);
      const sequence = WHOLE.exec(behind)?.[0];
      if (sequence !== undefined) {
        at += sequence.length;
        const key = SEQUENCES[sequence];
        if (key !== undefined) keys.push(key);
      } else if (BEGUN.test(behind)) {
        this.#rest = text.slice(at - 1);
        return keys;
      } else keys.push("escape");
    }
    return keys;
  }
}

function plain(char: string): Key[] {
  const control = CONTROLS[char];
  if (control !== undefined) return [control];
  return /\p{Cc}/u.test(char) ? [] : [char];
}
