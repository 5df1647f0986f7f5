/** Bytes out of bits: bits('1 0', '0'.repeat(6), number(5, 8)); the last byte is filled with zeros. */
export function bits(...parts: readonly string[]): Uint8Array {
  const digits = parts.join('').replace(/\s+/g, '');
  if (!/^[01]*$/.test(digits)) throw new Error(`not bits: ${digits}`);
  const bytes = new Uint8Array(Math.ceil(digits.length / 8));
  for (const [index, digit] of [...digits].entries()) {
    if (digit === '1') bytes[index >> 3]! |= 0x80 >> (index & 7);
  }
  return bytes;
}

/** An unsigned number in so many bits. */
export function number(value: number, length: number): string {
  return value.toString(2).padStart(length, '0');
}

export function bitsOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => number(byte, 8)).join('');
}
