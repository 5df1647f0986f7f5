/**
 * The ways a byte stream can arrive: whole, byte by byte, and cut in two at every point. Each chunk
 * is a fresh copy, so that a framer which keeps a view of an earlier chunk cannot get away with it.
 */
export function* everySplit(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes.slice()];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let cut = 1; cut < bytes.length; cut += 1) yield [bytes.slice(0, cut), bytes.slice(cut)];
}
