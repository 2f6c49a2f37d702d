/**
 * Text for a terminal. Names come from files, from DNS and over the network: what could move the cursor, colour the
 * screen or reorder a line is written out (`\u001b`), and what is left has a width that is known.
 */

/** Control and format characters, separators of lines, halves of pairs, what has no meaning yet or a private one … */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;
/** … and what terminals do not agree about: variation selectors, flags, fillers, skin tones. */
const DISPUTED = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}\u{1f1e6}-\u{1f1ff}\u{1f3fb}-\u{1f3ff}\u115f\u1160\u3164\uffa0]/u;
const MARK = /[\p{Mn}\p{Me}]/u;
/** Marks above each other that a letter keeps. */
const MARKS_MAX = 2;

/**
 * The same text, harmless.
 *
 * @example neutral("a\x1b[2Jb") // "a\\u001b[2Jb"
 */
export function neutral(text: string): string {
  // The usual case costs one look.
  if (/^[ -~]*$/.test(text)) return text;
  let marks = MARKS_MAX;
  let out = "";
  for (const char of text) {
    const isMark = MARK.test(char);
    marks = isMark ? marks + 1 : 0;
    out += UNSAFE.test(char) || DISPUTED.test(char) || (isMark && marks > MARKS_MAX) ? written(char) : char;
  }
  return out;
}

function written(char: string): string {
  const code = (char.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}

/** Columns that neutral text takes. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += columnsOf(char);
  return width;
}

/** Neutral text in exactly `width` columns; `~` stands for what was cut off. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const short = cut(text, width);
  const room = " ".repeat(width - widthOf(short));
  return align === "left" ? short + room : room + short;
}

/** Neutral text in `width` columns at most. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return "";
  let out = "";
  let left = width - 1;
  for (const char of text) {
    left -= columnsOf(char);
    if (left < 0) break;
    out += char;
  }
  return `${out}~`;
}

function columnsOf(char: string): number {
  if (MARK.test(char)) return 0;
  return isWide(char.codePointAt(0) ?? 0) ? 2 : 1;
}

function isWide(code: number): boolean {
  if (code < (WIDE[0] ?? 0)) return false;
  let [low, high] = [0, WIDE.length / 2];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((WIDE[2 * middle] ?? 0) <= code) low = middle;
    else high = middle;
  }
  return code <= (WIDE[2 * low + 1] ?? 0);
}

/** Characters that take two columns: East_Asian_Width W and F (UAX 11) of Unicode 16, first and last of each range. */
// biome-ignore format: a table
const WIDE = [
  0x1100, 0x115f, 0x231a, 0x231b, 0x2329, 0x232a, 0x23e9, 0x23ec, 0x23f0, 0x23f0, 0x23f3, 0x23f3, 0x25fd, 0x25fe,
  0x2614, 0x2615, 0x2630, 0x2637, 0x2648, 0x2653, 0x267f, 0x267f, 0x268a, 0x268f, 0x2693, 0x2693, 0x26a1, 0x26a1,
  0x26aa, 0x26ab, 0x26bd, 0x26be, 0x26c4, 0x26c5, 0x26ce, 0x26ce, 0x26d4, 0x26d4, 0x26ea, 0x26ea, 0x26f2, 0x26f3,
  0x26f5, 0x26f5, 0x26fa, 0x26fa, 0x26fd, 0x26fd, 0x2705, 0x2705, 0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c,
  0x274e, 0x274e, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x27b0, 0x27b0, 0x27bf, 0x27bf, 0x2b1b, 0x2b1c,
  0x2b50, 0x2b50, 0x2b55, 0x2b55, 0x2e80, 0x303e, 0x3041, 0xa4c6, 0xa960, 0xa97c, 0xac00, 0xd7a3, 0xf900, 0xfaff,
  0xfe10, 0xfe19, 0xfe30, 0xfe6b, 0xff01, 0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x1b2fb, 0x1d300, 0x1d376, 0x1f004, 0x1f004,
  0x1f0cf, 0x1f0cf, 0x1f18e, 0x1f18e, 0x1f191, 0x1f19a, 0x1f200, 0x1f320, 0x1f32d, 0x1f335, 0x1f337, 0x1f37c,
  0x1f37e, 0x1f393, 0x1f3a0, 0x1f3ca, 0x1f3cf, 0x1f3d3, 0x1f3e0, 0x1f3f0, 0x1f3f4, 0x1f3f4, 0x1f3f8, 0x1f43e,
  0x1f440, 0x1f440, 0x1f442, 0x1f4fc, 0x1f4ff, 0x1f53d, 0x1f54b, 0x1f54e, 0x1f550, 0x1f567, 0x1f57a, 0x1f57a,
  0x1f595, 0x1f596, 0x1f5a4, 0x1f5a4, 0x1f5fb, 0x1f64f, 0x1f680, 0x1f6c5, 0x1f6cc, 0x1f6cc, 0x1f6d0, 0x1f6d2,
  0x1f6d5, 0x1f6df, 0x1f6eb, 0x1f6ec, 0x1f6f4, 0x1f6fc, 0x1f7e0, 0x1f7f0, 0x1f90c, 0x1f93a, 0x1f93c, 0x1f945,
  0x1f947, 0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x3fffd,
];
