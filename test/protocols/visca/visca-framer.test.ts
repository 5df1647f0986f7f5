/** Replies as Sony's EVI-D70/P (p. 33, 38) and EVI-H100S (p. 29) manuals list them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ViscaFramer } from '../../../protocols/visca/visca-framer.ts';
import { parseViscaReply, type ViscaReply } from '../../../protocols/visca/visca-reply.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex } from '../../support/hex.ts';

const none = new Uint8Array(0);

const cases: readonly (readonly [what: string, bytes: Uint8Array, want: readonly ViscaReply[]])[] =
  [
    ['an acknowledgement', hex`90 41 ff`, [{ kind: 'ack', from: 1, socket: 1 }]],
    ['a completion', hex`90 52 ff`, [{ kind: 'completion', from: 1, socket: 2, payload: none }]],
    [
      'an answer to an inquiry',
      hex`90 50 0f 07 02 05 00 04 0b 00 ff`,
      [{ kind: 'completion', from: 1, socket: 0, payload: hex`0f 07 02 05 00 04 0b 00` }],
    ],
    ['a syntax error', hex`90 60 02 ff`, [{ kind: 'error', from: 1, socket: 0, code: 2 }]],
    ['a full buffer', hex`90 60 03 ff`, [{ kind: 'error', from: 1, socket: 0, code: 3 }]],
    ['a cancelled command', hex`90 61 04 ff`, [{ kind: 'error', from: 1, socket: 1, code: 4 }]],
    ['no socket', hex`90 62 05 ff`, [{ kind: 'error', from: 1, socket: 2, code: 5 }]],
    ['not executable', hex`f0 61 41 ff`, [{ kind: 'error', from: 7, socket: 1, code: 0x41 }]],
    ['a change of the chain', hex`a0 38 ff`, [{ kind: 'network-change', from: 2 }]],
    ['three heads', hex`88 30 04 ff`, [{ kind: 'addresses', heads: 3 }]],
    ['the end of IF_Clear', hex`88 01 00 01 ff`, [{ kind: 'all-cleared' }]],
    [
      'two heads at once',
      hex`90 41 ff a0 41 ff 90 51 ff`,
      [
        { kind: 'ack', from: 1, socket: 1 },
        { kind: 'ack', from: 2, socket: 1 },
        { kind: 'completion', from: 1, socket: 1, payload: none },
      ],
    ],
    [
      'noise before, between and after',
      hex`00 c3 a0 90 41 ff 7e ff 90 00 90 51 ff 12 90`,
      [
        { kind: 'ack', from: 1, socket: 1 },
        { kind: 'completion', from: 1, socket: 1, payload: none },
      ],
    ],
    [
      'what we said ourselves',
      hex`88 30 01 ff 81 01 06 01 18 14 02 01 ff 90 41 ff`,
      [{ kind: 'ack', from: 1, socket: 1 }],
    ],
    [
      'more than a packet may hold',
      hex`90 50 ${'01'.repeat(40)} ff 90 41 ff`,
      [{ kind: 'ack', from: 1, socket: 1 }],
    ],
  ];

describe('replies of VISCA', () => {
  for (const [what, bytes, want] of cases) {
    it(`are found: ${what}`, () => {
      for (const chunks of everySplit(bytes)) {
        const framer = new ViscaFramer();
        assert.deepEqual(
          chunks.flatMap((chunk) => framer.push(chunk)),
          want,
        );
      }
    });
  }

  it('count what they skip', () => {
    const framer = new ViscaFramer();
    framer.push(hex`00 01 02 90 41 ff`);
    framer.push(hex`81 01 ff`);
    assert.equal(framer.skippedBytes, 6);
  });

  it('are found behind any noise', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 7 }), (noise, from) => {
        const framer = new ViscaFramer();
        framer.push(noise);
        const replies = framer.push(Uint8Array.of(0x80 | (from << 4), 0x41, 0xff));
        assert.deepEqual(replies, [{ kind: 'ack', from, socket: 1 }]);
      }),
    );
  });

  it('are told from anything else without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const reply = parseViscaReply(bytes);
        if (reply !== undefined && 'from' in reply) assert.ok(reply.from >= 1 && reply.from <= 7);
      }),
    );
  });
});
