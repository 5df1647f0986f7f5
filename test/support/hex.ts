/** Bytes laid out as hex digits; white space separates fields: hex`47 4000 10`. */
export function hex(
  strings: TemplateStringsArray,
  ...values: readonly (string | number)[]
): Uint8Array {
  const digits = String.raw({ raw: strings }, ...values).replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`not whole hex bytes: ${digits}`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
