/** ID3v2 tags before MPEG audio, ID3v2.4.0 §3.1 and §3.4: how long they are. What they say is not looked at. */

export const ID3V2_HEADER_BYTES = 10;
const HAS_FOOTER = 0x10;

/** Of the tag that begins with these bytes; 0: none does. */
export function id3v2Length(bytes: Uint8Array): number {
  const [i, d, three, , , flags = 0, a = 0, b = 0, c = 0, e = 0] = bytes;
  if (bytes.length < ID3V2_HEADER_BYTES) return 0;
  if (i !== 0x49 || d !== 0x44 || three !== 0x33) return 0; // "ID3"
  if (((a | b | c | e) & 0x80) !== 0) return 0; // the size has 7 bits in each byte
  const size = (a << 21) | (b << 14) | (c << 7) | e;
  const footer = (flags & HAS_FOOTER) === 0 ? 0 : ID3V2_HEADER_BYTES;
  return ID3V2_HEADER_BYTES + size + footer;
}
