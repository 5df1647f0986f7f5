/**
 * Frames of Pelco-D, each from a published document:
 *
 * [TF] Pelco "D" Protocol Manual, TF-0002 version 2 revision 1 (2003): "The message format" (the checksum is the sum of bytes 2 to
 * 6), "The standard command set", "The extended command set". [AV] AVIPAS AV-1281G user's manual, p. 45, "Pelco-D protocol
 * command list". [WX] a list of whole frames with their checksums (blog.csdn.net/winkyxiao1981/article/details/6431253).
 * [PC] gitee.com/ZhH321/pelco_control: a head whose tilt of -15 to 90 degrees is 34500 to 36000 and 0 to 9000.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { type HeadVelocity, STANDING } from '../../../protocols/head-language.ts';
import { pelcoD, serializePelcoD } from '../../../protocols/pelco/pelco-d.ts';
import { toHex } from '../../support/hex.ts';

const head = pelcoD(1);
const still = STANDING;
const move = (velocity: HeadVelocity) => head.move(velocity, STANDING);

const cases: readonly (readonly [what: string, packets: readonly Uint8Array[], want: string])[] = [
  ['up at the fastest [AV]', move({ ...still, tilt: 1 }), 'ff 01 00 08 00 3f 48'],
  ['down at the fastest [AV]', move({ ...still, tilt: -1 }), 'ff 01 00 10 00 3f 50'],
  ['left at the fastest [AV]', move({ ...still, pan: -1 }), 'ff 01 00 04 3f 00 44'],
  ['right at the fastest [AV]', move({ ...still, pan: 1 }), 'ff 01 00 02 3f 00 42'],
  ['right at half the speed', move({ ...still, pan: 0.5 }), 'ff 01 00 02 20 00 23'],
  ['right at the slowest', move({ ...still, pan: 0.0001 }), 'ff 01 00 02 01 00 04'],
  ['up and left [AV]', move({ pan: -1, tilt: 1, zoom: 0 }), 'ff 01 00 0c 3f 3f 8b'],
  ['up and right [AV]', move({ pan: 1, tilt: 1, zoom: 0 }), 'ff 01 00 0a 3f 3f 89'],
  ['down and left [AV]', move({ pan: -1, tilt: -1, zoom: 0 }), 'ff 01 00 14 3f 3f 93'],
  ['down and right [AV]', move({ pan: 1, tilt: -1, zoom: 0 }), 'ff 01 00 12 3f 3f 91'],
  [
    'tele, its speed before [TF, WX]',
    move({ ...still, zoom: 1 }),
    'ff 01 00 25 00 03 29 ff 01 00 20 00 00 21',
  ],
  [
    'wide, slowly [TF, WX]',
    move({ ...still, zoom: -0.01 }),
    'ff 01 00 25 00 00 26 ff 01 00 40 00 00 41',
  ],
  [
    'all three at once',
    move({ pan: 1, tilt: 1, zoom: 1 }),
    'ff 01 00 25 00 03 29 ff 01 00 2a 3f 3f a9',
  ],
  ['stop, twice [WX]', head.stop(), 'ff 01 00 00 00 00 01 ff 01 00 00 00 00 01'],
  ['set preset 1 [WX]', head.setPreset(1), 'ff 01 00 03 00 01 05'],
  ['clear preset 1 [WX]', head.removePreset(1), 'ff 01 00 05 00 01 07'],
  ['go to preset 1 [WX]', head.goToPreset(1), 'ff 01 00 07 00 01 09'],
  ['go to preset 255', head.goToPreset(255), 'ff 01 00 07 00 ff 07'],
  ['home: preset 34, zero pan [TF]', head.home(), 'ff 01 00 07 00 22 2a'],
  ['pan to the middle [TF 0x4b]', head.moveTo({ pan: 0 }, undefined), 'ff 01 00 4b 00 00 4c'],
  ['pan to 90 degrees right', head.moveTo({ pan: 0.5 }, undefined), 'ff 01 00 4b 23 28 97'],
  ['pan to 90 degrees left', head.moveTo({ pan: -0.5 }, undefined), 'ff 01 00 4b 69 78 2d'],
  ['pan to behind', head.moveTo({ pan: 1 }, undefined), 'ff 01 00 4b 46 50 e2'],
  ['pan to behind, the other way', head.moveTo({ pan: -1 }, undefined), 'ff 01 00 4b 46 50 e2'],
  [
    'tilt straight down [TF 0x4d, PC]',
    head.moveTo({ tilt: -1 }, undefined),
    'ff 01 00 4d 23 28 99',
  ],
  ['tilt 15 degrees up [PC]', head.moveTo({ tilt: 1 / 6 }, undefined), 'ff 01 00 4d 86 c4 98'],
  ['zoom to the end [TF 0x4f]', head.moveTo({ zoom: 1 }, undefined), 'ff 01 00 4f ff ff 4e'],
  ['another address [TF]', pelcoD(0x0a).stop(), 'ff 0a 00 00 00 00 0a ff 0a 00 00 00 00 0a'],
];

describe('Pelco-D', () => {
  for (const [what, packets, want] of cases) {
    it(`says: ${what}`, () => {
      const got = packets.map(toHex).join('').replace(/../g, '$& ').trim();
      assert.equal(got, want);
    });
  }

  it('refuses to set what is the head’s own', () => {
    for (const preset of [33, 34]) {
      assert.throws(() => head.setPreset(preset), UnsupportedError);
      assert.throws(() => head.removePreset(preset), UnsupportedError);
    }
  });

  it('writes whole, valid frames whatever is asked', () => {
    const unit = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 255 }),
        unit,
        unit,
        unit,
        (address, pan, tilt, zoom) => {
          const any = pelcoD(address);
          const position = { pan, tilt, zoom: Math.abs(zoom) };
          for (const frame of [
            ...any.move({ pan, tilt, zoom }, STANDING),
            ...any.moveTo(position, undefined),
          ]) {
            assert.equal(frame.length, 7);
            const words = [frame[2]!, frame[3]!, frame[4]!, frame[5]!] as const;
            assert.deepEqual(frame, serializePelcoD(address, words));
            const isPosition = frame[3] === 0x4b || frame[3] === 0x4d;
            if (isPosition) assert.ok(((frame[4]! << 8) | frame[5]!) < 36_000);
          }
        },
      ),
    );
  });
});
