/** Datagrams as Sony's SRG-300H "Command List", p. 30 to 32, describes them; the RESET is that of p. 31. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import {
  parseViscaIp,
  serializeViscaIp,
  serializeViscaReset,
} from '../../../protocols/visca/visca-ip.ts';
import { hex, toHex } from '../../support/hex.ts';

describe('VISCA over IP', () => {
  it('writes a command', () => {
    const datagram = serializeViscaIp(0x45, hex`81 01 06 01 0a 08 02 02 ff`);
    // As in glikely/obs-ptz#177.
    assert.equal(toHex(datagram), '0100000900000045810106010a080202ff');
  });

  it('writes an inquiry', () => {
    const datagram = serializeViscaIp(0xffff_ffff, hex`81 09 06 12 ff`);
    assert.equal(toHex(datagram), '01100005ffffffff81090612ff');
  });

  it('writes a reset', () => {
    assert.equal(toHex(serializeViscaReset(0)), '020000010000000001');
  });

  const answers = [
    [
      'a reply',
      hex`0111 0003 00000045 9041ff`,
      { kind: 'reply', sequence: 0x45, packet: hex`90 41 ff` },
    ],
    ['the end of a reset', hex`0201 0001 00000000 01`, { kind: 'reset-done', sequence: 0 }],
    ['a wrong number', hex`0200 0002 00000007 0f01`, { kind: 'wrong-sequence', sequence: 7 }],
    [
      'a wrong number, as a reply',
      hex`0201 0002 ffffffff 0f01`,
      { kind: 'wrong-sequence', sequence: 0xffff_ffff },
    ],
    ['a wrong message', hex`0201 0002 00000007 0f02`, { kind: 'wrong-message', sequence: 7 }],
    [
      'what is behind the end',
      hex`0111 0003 00000001 9041ff 00`,
      { kind: 'reply', sequence: 1, packet: hex`90 41 ff` },
    ],
  ] as const;
  for (const [what, datagram, want] of answers) {
    it(`reads ${what}`, () => assert.deepEqual(parseViscaIp(datagram), want));
  }

  const junk = [
    ['nothing', hex``],
    ['half a header', hex`0111 0003`],
    ['a payload that is cut off', hex`0111 0004 00000001 9041ff`],
    ['no payload', hex`0111 0000 00000001`],
    ['too much', hex`0111 0011 00000001 ${'90'.repeat(17)}`],
    ['another type', hex`0300 0001 00000001 01`],
    ['another control', hex`0201 0001 00000001 02`],
  ] as const;
  for (const [what, datagram] of junk) {
    it(`refuses ${what}`, () => assert.throws(() => parseViscaIp(datagram), ParseError));
  }

  it('throws nothing but ParseError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (datagram) => {
        try {
          parseViscaIp(datagram);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  });
});
