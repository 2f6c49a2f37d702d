/** CRC32C (RFC 9260 appendix A, formerly RFC 4960 appendix B): the checksum of SCTP and of PROXY headers. */

/** The checksum of `bytes`, unsigned: 0xe3069283 for the ASCII text `123456789`. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
  return ~crc >>> 0;
}

/** Castagnoli's polynomial 0x1edc6f41 with its bits reversed: the bits of a byte go lowest first. */
const POLYNOMIAL = 0x82f6_3b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc;
});
