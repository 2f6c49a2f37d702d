/** Bytes as text of as many characters (ISO 8859-1), so that what counts characters counts bytes. */

/** Arguments of one call: engines have limits, and this is far below all of them. */
const BLOCK = 8_192;

/** Each byte as a character. The "latin1" of TextDecoder is another one, windows-1252. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += BLOCK) {
    text += Reflect.apply(String.fromCharCode, null, bytes.subarray(at, at + BLOCK));
  }
  return text;
}

/** The other way round; every character of `text` is at most 0xff. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
