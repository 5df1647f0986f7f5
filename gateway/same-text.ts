/** Secrets are compared in a time that says nothing about where they differ, nor how long the right one is. */
import { createHash, timingSafeEqual } from 'node:crypto';

export function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(digestOf(a), digestOf(b));
}

function digestOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
