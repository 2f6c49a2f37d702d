/** Bytes to fill streams under test with: the same every time, and so long without a period that a lost piece shows. */
export const NOISE: Uint8Array = noise(65_521);

/** Marsaglia's xorshift. */
function noise(length: number): Uint8Array {
  const out = new Uint8Array(length);
  let state = 0x2545f491;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state & 0xff;
  }
  return out;
}
