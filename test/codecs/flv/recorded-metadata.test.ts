import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EcmaArray, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import {
  MAX_RECORDED_KEYFRAMES,
  parseRecordedMetadata,
  RECORDED_METADATA_BYTES,
  serializeRecordedMetadata,
} from '../../../codecs/flv/recorded-metadata.ts';

const KNOWN = new EcmaArray({ width: 640, encoder: 'Sluice' });

describe('onMetaData of a recording', () => {
  it('has one size, however much is known', () => {
    const keyframes = Array.from({ length: MAX_RECORDED_KEYFRAMES }, (_, index) => ({
      timeMs: index * 2000,
      position: 33_000 + index * 1_000_000,
    }));
    for (const count of [0, 1, 2, 100, keyframes.length]) {
      const bytes = serializeRecordedMetadata(KNOWN, count * 1000, 1e9, keyframes.slice(0, count));
      assert.equal(bytes.length, RECORDED_METADATA_BYTES, `${count} keyframes`);
    }
  });

  it('says what was written', () => {
    const keyframes = [
      { timeMs: 0, position: 33_000 },
      { timeMs: 2000, position: 5_000_000_000 },
    ];
    const bytes = serializeRecordedMetadata(KNOWN, 3140, 6e9, keyframes);
    const want = { durationMs: 3140, fileBytes: 6e9, encoder: 'Sluice', keyframes };
    assert.deepEqual(parseRecordedMetadata(bytes), want);
  });

  const cases = [
    { name: 'times that go back', times: [0, 2, 1], positions: [13, 50, 70], want: [13, 50] },
    { name: 'more times than positions', times: [0, 2], positions: [13], want: [13] },
    { name: 'what is no number', times: [0, 'x', 2], positions: [13, 20, '60'], want: [13, 60] },
    { name: 'places that cannot be', times: [0, 1, 2], positions: [-1, 0.5, 1e300], want: [] },
  ];
  for (const { name, times, positions, want } of cases) {
    it(`leaves out ${name}`, () => {
      const keyframes = { times, filepositions: positions };
      const bytes = serializeAmf0('onMetaData', new EcmaArray({ duration: 0, keyframes }));
      const metadata = parseRecordedMetadata(bytes);
      assert.equal(metadata?.durationMs, undefined);
      assert.deepEqual(
        metadata?.keyframes.map(({ position }) => position),
        want,
      );
    });
  }

  it('never fails, whatever the bytes are', () => {
    const good = serializeRecordedMetadata(KNOWN, 1, 2, [{ timeMs: 0, position: 13 }]);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(200), (at, byte, cut) => {
        const bytes = good.slice(0, good.length - cut);
        bytes[at % 300] = byte;
        parseRecordedMetadata(bytes);
      }),
    );
  });
});
