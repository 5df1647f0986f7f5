/**
 * Frames of Pelco-P, each from a published document:
 *
 * [C4] Pelco manual C466M-E (6/99), §5.3: p. 24 "Extended commands". [AS] Active Silicon AS-CAM-10LHD-A manual (2022), p. 30
 * "Pelco-P Protocol Command List" (checksum: bytes 1 to 7 exclusive-or'ed). [AV] AVer MD330U manual, p. 49 (the same checksum, bits
 * of command 2). Address 1 is 0 on the wire (Pelco; raimond.at: "Range 0x00 to 0x1F").
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { type HeadVelocity, STANDING } from '../../../protocols/head-language.ts';
import { pelcoP, serializePelcoP } from '../../../protocols/pelco/pelco-p.ts';
import { toHex } from '../../support/hex.ts';

const head = pelcoP(1);
const still = STANDING;
const move = (velocity: HeadVelocity) => head.move(velocity, STANDING);

const cases: readonly (readonly [what: string, packets: readonly Uint8Array[], want: string])[] = [
  ['up at the fastest [AS, AV]', move({ ...still, tilt: 1 }), 'a0 00 00 08 00 3f af 38'],
  ['down at the fastest [AS, AV]', move({ ...still, tilt: -1 }), 'a0 00 00 10 00 3f af 20'],
  ['left at the fastest [AS, AV]', move({ ...still, pan: -1 }), 'a0 00 00 04 3f 00 af 34'],
  ['right at the fastest [AS, AV]', move({ ...still, pan: 1 }), 'a0 00 00 02 3f 00 af 32'],
  ['right at half the speed', move({ ...still, pan: 0.5 }), 'a0 00 00 02 20 00 af 2d'],
  ['down and left [AV]', move({ pan: -1, tilt: -1, zoom: 0 }), 'a0 00 00 14 3f 3f af 1b'],
  [
    'tele, its speed before [C4, AS]',
    move({ ...still, zoom: 1 }),
    'a0 00 00 25 00 03 af 29 a0 00 00 20 00 00 af 2f',
  ],
  [
    'wide, its speed before [C4, AS]',
    move({ ...still, zoom: -1 }),
    'a0 00 00 25 00 03 af 29 a0 00 00 40 00 00 af 4f',
  ],
  ['stop, twice [AS]', head.stop(), 'a0 00 00 00 00 00 af 0f a0 00 00 00 00 00 af 0f'],
  ['set preset 1 [C4, AS]', head.setPreset(1), 'a0 00 00 03 00 01 af 0d'],
  ['clear preset 1 [C4, AS]', head.removePreset(1), 'a0 00 00 05 00 01 af 0b'],
  ['go to preset 32 [C4, AS]', head.goToPreset(32), 'a0 00 00 07 00 20 af 28'],
  ['home: preset 34, zero pan [C4]', head.home(), 'a0 00 00 07 00 22 af 2a'],
  ['address 32', pelcoP(32).goToPreset(1), 'a0 1f 00 07 00 01 af 16'],
];

describe('Pelco-P', () => {
  for (const [what, packets, want] of cases) {
    it(`says: ${what}`, () => {
      const got = packets.map(toHex).join('').replace(/../g, '$& ').trim();
      assert.equal(got, want);
    });
  }

  it('has no positions', () => {
    assert.equal(head.hasAbsolute, false);
    assert.throws(() => head.moveTo({ pan: 0 }, undefined), UnsupportedError);
  });

  it('has a checksum that makes all bytes cancel out', () => {
    for (const address of [1, 16, 32]) {
      const frame = serializePelcoP(address, [1, 2, 3, 4]);
      assert.equal(
        frame.reduce((all, byte) => all ^ byte),
        0,
      );
    }
  });
});
