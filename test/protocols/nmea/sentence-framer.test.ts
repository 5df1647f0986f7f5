import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NmeaFramer, type NmeaSentence } from '../../../protocols/nmea/sentence-framer.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex } from '../../support/hex.ts';
import { asSent, FURUNO, QUECTEL_FIX, TELIT, TRIMBLE, UBLOX_START } from './receiver-logs.ts';

const VTG = Buffer.from('$GPVTG,,T,,M,,N,,K,N*2C\r\n');
/** In the form of UBX-NAV-CLOCK (u-blox 8 protocol, §32.17.3), with `$` and a line feed in its values. */
const UBX = hex`b562 0122 1400 240a0d10 2a242424 00000000 05000000 ff010000 7b1c`;

function frame(chunks: readonly Uint8Array[]) {
  const framer = new NmeaFramer();
  const sentences: NmeaSentence[] = [];
  for (const chunk of chunks) sentences.push(...framer.push(chunk));
  return { framer, sentences, types: sentences.map(({ talker, type }) => `${talker} ${type}`) };
}

describe('NMEA sentences', () => {
  it('takes what real receivers send, whole', () => {
    for (const [log, count] of [
      [QUECTEL_FIX, 7],
      [TELIT, 7],
      [FURUNO, 5],
      [TRIMBLE, 2],
      [UBLOX_START, 2],
    ] as const) {
      const { framer, sentences } = frame([asSent(log)]);
      assert.equal(sentences.length, count);
      assert.deepEqual([framer.skippedBytes, framer.damagedSentences], [0, 0]);
    }
  });

  it('knows talker, type and fields, and sentences of makers', () => {
    const { sentences } = frame([asSent(FURUNO)]);
    assert.deepEqual(sentences[3], {
      talker: 'GN',
      type: 'GSA',
      fields: 'A,3,68,69,70,78,84,85,,,,,,,1.5,1.3,1.0,2'.split(','),
    });
    assert.deepEqual([sentences[4]?.talker, sentences[4]?.type], ['', 'PERDCRZ']);
  });

  it('however they are cut', () => {
    const bytes = Buffer.concat([Buffer.from('12*7\r\n'), UBX, asSent(TELIT), UBX]);
    const whole = frame([bytes]);
    assert.equal(whole.sentences.length, 7);
    for (const chunks of everySplit(bytes)) {
      const { framer, sentences } = frame(chunks);
      assert.deepEqual(sentences, whole.sentences);
      assert.equal(framer.skippedBytes, whole.framer.skippedBytes);
    }
  });

  const between: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ['binary messages of u-blox', UBX],
    ['half a sentence', Buffer.from('$GPGGA,0435')],
    ['the end of one', Buffer.from('50.0,M,,*62\r\n')],
    ['a sentence without a checksum', Buffer.from('$GPGGA,,,,,,0,,,,,,,,\r\n')],
    ['a checksum of one digit', Buffer.from('$GPGGA,,,,,,0,,,,,,,,*6\r\n')],
    ['text without an end', Buffer.from(`$GP${'A'.repeat(1000)}`)],
    ['noise of a wrong baud rate', hex`00 f8 80 fe 24 00 fc 24 24 80 f0`],
  ];
  for (const [name, bytes] of between) {
    it(`is not disturbed by ${name}`, () => {
      const { framer, types } = frame([VTG, bytes, VTG, bytes, VTG]);
      assert.deepEqual(types, ['GP VTG', 'GP VTG', 'GP VTG']);
      assert.ok(framer.skippedBytes > 0);
      assert.equal(framer.damagedSentences, 0);
    });
  }

  it('counts what has changed on the way', () => {
    for (const damaged of ['$GPVTG,,T,,M,,N,,K,A*2C\r\n', '$GPVTG,,T,,M,,N,,K,N*XY\r\n']) {
      const { framer, types } = frame([Buffer.from(damaged), VTG]);
      assert.deepEqual(types, ['GP VTG']);
      assert.equal(framer.damagedSentences, 1);
    }
  });

  it('takes small digits in a checksum, and no line end', () => {
    const { types } = frame([Buffer.from('$GPVTG,,T,,M,,N,,K,N*2c$GPVTG,,T,,M,,N,,K,N*2C')]);
    assert.deepEqual(types, ['GP VTG', 'GP VTG']);
  });

  it('takes a sentence after anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (junk) => {
        const { sentences } = frame([junk, VTG]);
        assert.deepEqual(sentences.at(-1)?.type, 'VTG');
      }),
    );
  });
});
