/**
 * Pelco-D: sync 0xff, address, four words, and the sum of all but the sync byte.
 *
 * TF-0002 "The message format", "Set Pan Position" (0x4b), "Set Tilt Position" (0x4d), "Set Zoom Position" (0x4f). Angles are in
 * hundredths of a degree from 0 to 35999; pan counts clockwise; tilt is 0 at the horizon, counts downwards to 9000, and upwards
 * from 35999 on down. Zoom is a part of 65535, which is the end of the lens.
 */
import type { HeadLanguage, HeadPosition } from '../head-language.ts';
import { type PelcoWords, pelcoLanguage } from './pelco-command.ts';

const SYNC = 0xff;
const SET_PAN = 0x4b;
const SET_TILT = 0x4d;
const SET_ZOOM = 0x4f;
const FULL_TURN = 36_000;
/** Heads turn without an end: -1 and 1 are both straight behind. */
const HALF_TURN = 18_000;
/** Straight down, and as far up; where a head ends earlier it stops there. */
const QUARTER_TURN = 9_000;
const LONGEST_ZOOM = 0xffff;

/** `address`: 1 to 255. */
export function pelcoD(address: number): HeadLanguage {
  return pelcoLanguage('pelco-d', (words) => serializePelcoD(address, words), positionWords);
}

export function serializePelcoD(address: number, words: PelcoWords): Uint8Array {
  const sum = words.reduce((total, word) => total + word, address);
  return Uint8Array.of(SYNC, address, ...words, sum & 0xff);
}

function positionWords({ pan, tilt, zoom }: HeadPosition): PelcoWords[] {
  const words: PelcoWords[] = [];
  if (pan !== undefined) words.push(value(SET_PAN, angle(pan * HALF_TURN)));
  if (tilt !== undefined) words.push(value(SET_TILT, angle(-tilt * QUARTER_TURN)));
  if (zoom !== undefined) words.push(value(SET_ZOOM, Math.round(zoom * LONGEST_ZOOM)));
  return words;
}

function angle(hundredths: number): number {
  return (Math.round(hundredths) + FULL_TURN) % FULL_TURN;
}

function value(command: number, number: number): PelcoWords {
  return [0, command, number >> 8, number & 0xff];
}
