import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import { parseFragment, type TrackFragment } from '../../../codecs/mp4/fragment-samples.ts';
import { parseMovie } from '../../../codecs/mp4/movie.ts';
import { serializeFragmentHeader } from '../../../codecs/mp4/movie-fragment.ts';
import {
  MFRO_BYTES,
  parseRandomAccessIndex,
  randomAccessIndexSize,
  serializeRandomAccessIndex,
} from '../../../codecs/mp4/random-access-index.ts';
import {
  FIRST_MOOF,
  FRAGMENTED_MOOV,
  FRAGMENTED_PICTURES,
  FRAGMENTED_SOUND,
  MFRA,
  type Packet,
  SECOND_MOOF,
} from './ffmpeg-files.ts';

const DEFAULTS = parseMovie(FRAGMENTED_MOOV.subarray(8)).fragmentDefaults!;
const NOTHING = new Map<number, number>();

function packets(...fragments: readonly TrackFragment[]): Packet[] {
  return fragments.flatMap(({ samples }) =>
    samples.map((sample): Packet => {
      const { decodeTicks, compositionOffsetTicks, position, byteLength, isSync } = sample;
      return [decodeTicks, decodeTicks + compositionOffsetTicks, position, byteLength, isSync];
    }),
  );
}

describe('fragments', () => {
  it('have every sample where ffprobe sees it', () => {
    const first = parseFragment(FIRST_MOOF.subarray(8), 1246, DEFAULTS, NOTHING);
    const second = parseFragment(SECOND_MOOF.subarray(8), 3935, DEFAULTS, NOTHING);
    assert.deepEqual(packets(first[0]!, second[0]!), FRAGMENTED_PICTURES);
    assert.deepEqual(packets(first[1]!, second[1]!), FRAGMENTED_SOUND);
    assert.equal(first[0]?.endTicks, 3072);
  });

  it('of our own are read back', () => {
    const samples = [
      { durationTicks: 3600, byteLength: 100, compositionOffsetTicks: 7200, isSync: true },
      { durationTicks: 3600, byteLength: 50, compositionOffsetTicks: -10, isSync: false },
    ];
    const runs = [
      { trackId: 1, decodeTimeTicks: 90_000, samples },
      {
        trackId: 2,
        decodeTimeTicks: 48_000,
        samples: [{ durationTicks: 1024, byteLength: 7, compositionOffsetTicks: 0, isSync: true }],
      },
    ];
    const moof = serializeFragmentHeader(1, runs).slice(0, -8);
    const media = 5000 + moof.length + 8;
    const read = parseFragment(moof.subarray(8), 5000, new Map(), NOTHING);
    assert.deepEqual(packets(...read), [
      [90_000, 97_200, media, 100, true],
      [93_600, 93_590, media + 100, 50, false],
      [48_000, 48_000, media + 150, 7, true],
    ]);
  });

  it('without times go on where the track was', () => {
    const moof = Uint8Array.from(FIRST_MOOF.subarray(8));
    for (
      let at = Buffer.from(moof).indexOf('tfdt');
      at !== -1;
      at = Buffer.from(moof).indexOf('tfdt')
    ) {
      moof.set(Buffer.from('free'), at);
    }
    const read = parseFragment(moof, 1246, DEFAULTS, new Map([[1, 7000]]));
    assert.equal(read[0]?.samples[0]?.decodeTicks, 7000);
    assert.equal(read[1]?.samples[0]?.decodeTicks, 0);
  });

  it('that claim a million samples are refused', () => {
    const moof = Uint8Array.from(FIRST_MOOF.subarray(8));
    new DataView(moof.buffer).setUint32(Buffer.from(moof).indexOf('trun') + 8, 1_000_000);
    assert.throws(() => parseFragment(moof, 0, DEFAULTS, NOTHING), /a fragment of 1000000 samples/);
  });

  it('that are damaged give samples or an error that says so', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(FIRST_MOOF.length - 9), fc.nat(255)), { maxLength: 6 }),
        (changes) => {
          const moof = Uint8Array.from(FIRST_MOOF.subarray(8));
          for (const [at, byte] of changes) moof[at] = byte;
          try {
            parseFragment(moof, 1246, DEFAULTS, NOTHING);
          } catch (error) {
            assert.ok(error instanceof ParseError, String(error));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the index at the end of a fragmented file', () => {
  it('of ffmpeg', () => {
    assert.equal(randomAccessIndexSize(MFRA.subarray(-MFRO_BYTES)), MFRA.length);
    assert.deepEqual(parseRandomAccessIndex(MFRA.subarray(8), 1), [
      { ticks: 1024, position: 1246 },
      { ticks: 4096, position: 3935 },
    ]);
    assert.deepEqual(parseRandomAccessIndex(MFRA.subarray(8), 9), []);
  });

  it('of our own', () => {
    const points = [
      { ticks: 0, position: 1000 },
      { ticks: 90_000 * 86_400 * 365, position: 2 ** 40 },
    ];
    const mfra = serializeRandomAccessIndex(1, points);
    assert.equal(randomAccessIndexSize(mfra.subarray(-MFRO_BYTES)), mfra.length);
    assert.deepEqual(parseRandomAccessIndex(mfra.subarray(8), 1), points);
  });

  it('is not there', () => {
    assert.equal(randomAccessIndexSize(new Uint8Array(MFRO_BYTES)), undefined);
    assert.equal(randomAccessIndexSize(new Uint8Array(3)), undefined);
  });
});
