/**
 * Pelco-P: 0xa0, address, four words, 0xaf, and all bytes before it exclusive-or'ed.
 *
 * Pelco manual C466M-E (6/99) §5.3. The address on the wire is one less than the one set on the head. Some imitators leave
 * 0xa0 and 0xaf out of the checksum; this follows Pelco and most manuals. Positions are not in the protocol.
 */
import type { HeadLanguage } from '../head-language.ts';
import { type PelcoWords, pelcoLanguage } from './pelco-command.ts';

const START = 0xa0;
const END = 0xaf;

/** `address`: 1 to 32, as set on the head. */
export function pelcoP(address: number): HeadLanguage {
  return pelcoLanguage('pelco-p', (words) => serializePelcoP(address, words), undefined);
}

export function serializePelcoP(address: number, words: PelcoWords): Uint8Array {
  const message = [START, address - 1, ...words, END];
  return Uint8Array.of(
    ...message,
    message.reduce((check, byte) => check ^ byte),
  );
}
