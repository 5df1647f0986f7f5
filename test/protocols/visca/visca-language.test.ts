/**
 * Packets of VISCA, from Sony's EVI-D70/P technical manual, "Command List": p. 33 (AddressSet, IF_Clear, cancel), p. 39 (zoom,
 * memory), p. 42 (pan and tilt), p. 51 (positions: 08db is +170 degrees, 04b0 +90, fe70 -30; zoom 4000 is the end of the lens).
 * EVI-H100S, p. 29, has the same replies.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import { STANDING } from '../../../protocols/head-language.ts';
import {
  ADDRESS_SET,
  CLEAR_ALL,
  visca,
  viscaCancel,
  viscaClear,
} from '../../../protocols/visca/visca-language.ts';
import { hex, toHex } from '../../support/hex.ts';

const head = visca(1);
const move = (velocity: Partial<typeof STANDING>, before: Partial<typeof STANDING> = {}) =>
  head.move({ ...STANDING, ...velocity }, { ...STANDING, ...before });
const at = hex`0f 07 02 05 0f 0e 07 00`;

const cases: readonly (readonly [what: string, packets: readonly Uint8Array[], want: string])[] = [
  ['up at the fastest', move({ tilt: 1 }), '81 01 06 01 01 14 03 01 ff'],
  ['down at the fastest', move({ tilt: -1 }), '81 01 06 01 01 14 03 02 ff'],
  ['left at the fastest', move({ pan: -1 }), '81 01 06 01 18 01 01 03 ff'],
  ['right at the fastest', move({ pan: 1 }), '81 01 06 01 18 01 02 03 ff'],
  ['right at the slowest', move({ pan: 0.001 }), '81 01 06 01 01 01 02 03 ff'],
  ['up and left', move({ pan: -1, tilt: 1 }), '81 01 06 01 18 14 01 01 ff'],
  ['up and right', move({ pan: 1, tilt: 1 }), '81 01 06 01 18 14 02 01 ff'],
  ['down and left', move({ pan: -1, tilt: -1 }), '81 01 06 01 18 14 01 02 ff'],
  ['down and right', move({ pan: 1, tilt: -1 }), '81 01 06 01 18 14 02 02 ff'],
  ['tele at the fastest', move({ zoom: 1 }), '81 01 04 07 27 ff'],
  ['wide at the slowest', move({ zoom: -0.01 }), '81 01 04 07 30 ff'],
  ['all at once', move({ pan: 1, zoom: 1 }), '81 01 06 01 18 01 02 03 ff 81 01 04 07 27 ff'],
  [
    'pan after zoom, which is to end',
    move({ pan: 1 }, { zoom: 1 }),
    '81 01 06 01 18 01 02 03 ff 81 01 04 07 00 ff',
  ],
  [
    'zoom after pan, which is to end',
    move({ zoom: 1 }, { pan: 1 }),
    '81 01 06 01 01 01 03 03 ff 81 01 04 07 27 ff',
  ],
  ['stop', head.stop(), '81 01 06 01 01 01 03 03 ff 81 01 04 07 00 ff'],
  ['home', head.home(), '81 01 06 04 ff'],
  ['memory set', head.setPreset(2), '81 01 04 3f 01 02 ff'],
  ['memory recall', head.goToPreset(5), '81 01 04 3f 02 05 ff'],
  ['memory reset', head.removePreset(0), '81 01 04 3f 00 00 ff'],
  [
    'to the right end, all up',
    head.moveTo({ pan: 1, tilt: 1 }, undefined),
    '81 01 06 02 18 14 00 08 0d 0b 00 04 0b 00 ff',
  ],
  [
    'to the left end, all down',
    head.moveTo({ pan: -1, tilt: -1 }, undefined),
    '81 01 06 02 18 14 0f 07 02 05 0f 0e 07 00 ff',
  ],
  [
    'to the middle',
    head.moveTo({ pan: 0, tilt: 0 }, undefined),
    '81 01 06 02 18 14 00 00 00 00 00 00 00 00 ff',
  ],
  [
    'pan alone, tilt as it was told',
    head.moveTo({ pan: 0 }, at),
    '81 01 06 02 18 14 00 00 00 00 0f 0e 07 00 ff',
  ],
  [
    'tilt alone, pan as it was told',
    head.moveTo({ tilt: 0 }, at),
    '81 01 06 02 18 14 0f 07 02 05 00 00 00 00 ff',
  ],
  ['zoom to the end', head.moveTo({ zoom: 1 }, undefined), '81 01 04 47 04 00 00 00 ff'],
  ['zoom to the middle', head.moveTo({ zoom: 0.5 }, undefined), '81 01 04 47 02 00 00 00 ff'],
  ['the position inquiry', [head.positionInquiry({ pan: 0 })!], '81 09 06 12 ff'],
  ['another address', visca(7).home(), '87 01 06 04 ff'],
  ['AddressSet', [ADDRESS_SET], '88 30 01 ff'],
  ['IF_Clear for all', [CLEAR_ALL], '88 01 00 01 ff'],
  ['IF_Clear for one', [viscaClear(3)], '83 01 00 01 ff'],
  ['cancel', [viscaCancel(1, 2)], '81 22 ff'],
];

describe('VISCA', () => {
  for (const [what, packets, want] of cases) {
    it(`says: ${what}`, () => {
      const got = packets.map(toHex).join('').replace(/../g, '$& ').trim();
      assert.equal(got, want);
    });
  }

  it('asks for the position only where it needs it', () => {
    assert.equal(head.positionInquiry({ pan: 0, tilt: 0 }), undefined);
    assert.equal(head.positionInquiry({ zoom: 0 }), undefined);
    assert.ok(head.positionInquiry({ tilt: 0, zoom: 0 }));
  });

  it('takes no other answer for a position', () => {
    for (const reply of [hex``, hex`00 00 00 00`, hex`10 00 00 00 00 00 00 00`]) {
      assert.throws(() => head.moveTo({ pan: 0 }, reply), ParseError);
    }
  });

  it('never has an end within a packet, whatever is asked', () => {
    const unit = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, unit, unit, fc.integer({ min: 0, max: 254 }), (pan, tilt, zoom, preset) => {
        const packets = [
          ...head.move({ pan, tilt, zoom }, STANDING),
          ...head.moveTo({ pan, tilt, zoom: Math.abs(zoom) }, undefined),
          ...head.goToPreset(preset),
        ];
        for (const packet of packets) {
          assert.ok(packet.length <= 16);
          assert.equal(packet.indexOf(0xff), packet.length - 1);
        }
      }),
    );
  });
});
