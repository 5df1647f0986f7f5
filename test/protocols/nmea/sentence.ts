/** With its checksum and line end, as a receiver sends it. */
export function sentence(body: string): Buffer {
  let sum = 0;
  for (const byte of Buffer.from(body)) sum ^= byte;
  return Buffer.from(`$${body}*${sum.toString(16).padStart(2, '0')}\r\n`);
}
