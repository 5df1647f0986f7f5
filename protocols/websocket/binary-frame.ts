/**
 * What stands before a binary message from a server, RFC 6455 §5.2: one frame, not masked, so that the same bytes go to
 * every client.
 */
const FIN_BINARY = 0x82;
const MAX_7_BITS = 125;
const LENGTH_16_BITS = 126;
const LENGTH_64_BITS = 127;

/** The bytes that `writeBinaryFrameHeader` writes. */
export function binaryFrameHeaderBytes(payloadBytes: number): number {
  if (payloadBytes <= MAX_7_BITS) return 2;
  return payloadBytes <= 0xffff ? 4 : 10;
}

/** `payloadBytes`: below 4 GiB. */
export function writeBinaryFrameHeader(target: Uint8Array, at: number, payloadBytes: number): void {
  target[at] = FIN_BINARY;
  if (payloadBytes <= MAX_7_BITS) {
    target[at + 1] = payloadBytes;
  } else if (payloadBytes <= 0xffff) {
    target[at + 1] = LENGTH_16_BITS;
    target[at + 2] = payloadBytes >> 8;
    target[at + 3] = payloadBytes;
  } else {
    target[at + 1] = LENGTH_64_BITS;
    target.fill(0, at + 2, at + 6);
    target[at + 6] = payloadBytes >>> 24;
    target[at + 7] = payloadBytes >> 16;
    target[at + 8] = payloadBytes >> 8;
    target[at + 9] = payloadBytes;
  }
}
