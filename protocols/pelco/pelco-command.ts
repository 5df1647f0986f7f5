/**
 * What Pelco-D and Pelco-P have in common: two command bytes and two data bytes. The protocols differ in what stands around them.
 *
 * Pelco Engineering Design Standard TF-0002 ("D" Protocol Manual, version 2 revision 1, 2003): the standard command set and the
 * extended command set; Pelco manual C466M-E (6/99) §5.3.4, p. 24 for "P". Focus and iris are left out, and so are replies: few
 * heads send any, they say no more than "received", and a two-wire line mostly carries none.
 */
import { UnsupportedError } from '../../codecs/errors.ts';
import {
  type HeadLanguage,
  type HeadPosition,
  type HeadVelocity,
  speedLevel,
} from '../head-language.ts';

/** Command 1, command 2, data 1 (pan speed), data 2 (tilt speed). */
export type PelcoWords = readonly [number, number, number, number];

const PAN_RIGHT = 0x02;
const PAN_LEFT = 0x04;
const TILT_UP = 0x08;
const TILT_DOWN = 0x10;
const ZOOM_TELE = 0x20;
const ZOOM_WIDE = 0x40;
/** 0x40 and 0xff are "turbo", which makes a jump between one speed and the next. */
const FASTEST = 0x3f;

const SET_PRESET = 0x03;
const CLEAR_PRESET = 0x05;
const GO_TO_PRESET = 0x07;
const ZOOM_SPEED = 0x25;
const FASTEST_ZOOM = 3;

const LAST_PRESET = 0xff;
/** Going to it turns the head by 180 degrees. It cannot be set. */
const FLIP_PRESET = 33;
/** Going to it pans to the zero position: the nearest that Pelco has to a home position. It cannot be set. */
const ZERO_PAN_PRESET = 34;

const STOP: PelcoWords = [0, 0, 0, 0];

/** What a head is told, whichever of the two it speaks; `frame` puts the rest around the four words. */
export function pelcoLanguage(
  protocol: 'pelco-d' | 'pelco-p',
  frame: (words: PelcoWords) => Uint8Array,
  positions: ((position: HeadPosition) => readonly PelcoWords[]) | undefined,
): HeadLanguage {
  const preset = (command: number, number: number) => [frame([0, command, 0, number])];
  return {
    protocol,
    hasAbsolute: positions !== undefined,
    firstPreset: 1,
    lastPreset: LAST_PRESET,
    move: (velocity) => moveWords(velocity).map(frame),
    // Nothing tells that it was heard, and a head that did not hear it turns for ever: twice.
    stop: () => [frame(STOP), frame(STOP)],
    positionInquiry: () => undefined,
    moveTo: (position) => {
      if (positions === undefined) {
        throw new UnsupportedError(`${protocol} has no positions: use presets`);
      }
      return positions(position).map(frame);
    },
    home: () => preset(GO_TO_PRESET, ZERO_PAN_PRESET),
    setPreset: (number) => preset(SET_PRESET, settable(number)),
    removePreset: (number) => preset(CLEAR_PRESET, settable(number)),
    goToPreset: (number) => preset(GO_TO_PRESET, number),
  };
}

/** The speed of a zoom stands in a command of its own, which is always sent: the head may have been switched off meanwhile. */
function moveWords({ pan, tilt, zoom }: HeadVelocity): PelcoWords[] {
  const directions =
    oneOf(pan, PAN_RIGHT, PAN_LEFT) |
    oneOf(tilt, TILT_UP, TILT_DOWN) |
    oneOf(zoom, ZOOM_TELE, ZOOM_WIDE);
  const move: PelcoWords = [
    0,
    directions,
    speedLevel(pan, 1, FASTEST),
    speedLevel(tilt, 1, FASTEST),
  ];
  if (zoom === 0) return [move];
  return [[0, ZOOM_SPEED, 0, speedLevel(zoom, 0, FASTEST_ZOOM)], move];
}

function oneOf(speed: number, positive: number, negative: number): number {
  if (speed === 0) return 0;
  return speed > 0 ? positive : negative;
}

function settable(preset: number): number {
  if (preset === FLIP_PRESET || preset === ZERO_PAN_PRESET) {
    throw new UnsupportedError(
      `preset ${preset} is the head's own (${FLIP_PRESET}: turn round, ${ZERO_PAN_PRESET}: zero): use another number`,
    );
  }
  return preset;
}
