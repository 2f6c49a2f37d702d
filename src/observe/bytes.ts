/** Pieces of bytes as one; a single piece is not copied. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = pieces;
  if (first && others.length === 0) return first;
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
