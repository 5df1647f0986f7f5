import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../../codecs/byte-writer.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import { box, findBox, fullBox } from '../../../codecs/mp4/boxes.ts';
import { serializeInitSegment } from '../../../codecs/mp4/init-segment.ts';
import { type MovieTrack, parseMovie } from '../../../codecs/mp4/movie.ts';
import { SampleCursor } from '../../../codecs/mp4/sample-table.ts';
import { trackForm } from '../../../codecs/mp4/track-form.ts';
import {
  opusTrack,
  serializeOpusIdentificationHeader,
} from '../../../codecs/opus/identification-header.ts';
import type { Track } from '../../../codecs/track.ts';
import { AUDIO_TRACK, HEVC_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import {
  FRAGMENTED_MOOV,
  type Packet,
  PLAIN_MOOV,
  PLAIN_PICTURES,
  PLAIN_SOUND,
} from './ffmpeg-files.ts';

const BOX_HEADER_BYTES = 8;

function contents(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(BOX_HEADER_BYTES);
}

function packetsOf({ samples, shiftTicks }: MovieTrack): Packet[] {
  const cursor = new SampleCursor(samples);
  const packets: Packet[] = [];
  for (let sample = cursor.next(); sample !== undefined; sample = cursor.next()) {
    const dts = sample.decodeTicks + shiftTicks;
    const pts = dts + sample.compositionOffsetTicks;
    packets.push([dts, pts, sample.position, sample.byteLength, sample.isSync]);
  }
  return packets;
}

describe('the moov of a file', () => {
  it('has every sample where ffprobe sees it, with its edit list', () => {
    const { video, audio, durationMs, fragmentDefaults } = parseMovie(contents(PLAIN_MOOV));
    assert.deepEqual(packetsOf(video!), PLAIN_PICTURES);
    assert.deepEqual(packetsOf(audio!), PLAIN_SOUND);
    assert.equal(durationMs, 480);
    assert.equal(fragmentDefaults, undefined);
    assert.equal(video?.descriptions[0]?.codec, 'h264');
    const [sound] = audio?.descriptions ?? [];
    assert.deepEqual(sound?.codec === 'audio' && sound.track.codec, 'aac');
  });

  it('is walked from any sample on', () => {
    for (const track of Object.values(parseMovie(contents(PLAIN_MOOV)))) {
      if (typeof track !== 'object' || !('samples' in track)) continue;
      const all = packetsOf(track);
      for (let from = 0; from <= all.length; from += 1) {
        const cursor = new SampleCursor(track.samples);
        cursor.moveTo(from);
        const rest = [];
        for (let sample = cursor.next(); sample; sample = cursor.next()) rest.push(sample.position);
        assert.deepEqual(
          rest,
          all.slice(from).map(([, , position]) => position),
        );
      }
    }
  });

  it('finds samples by their times', () => {
    const { video } = parseMovie(contents(PLAIN_MOOV));
    const cases = [
      [-5, 0, 0],
      [0, 0, 0],
      [511, 0, 0],
      [512, 1, 0],
      [3071, 5, 0],
      [3072, 6, 6],
      [5000, 9, 6],
      [1e9, 11, 6],
    ] as const;
    for (const [ticks, sample, sync] of cases) {
      assert.equal(video?.samples.sampleAt(ticks), sample, `at ${ticks}`);
      assert.equal(video.samples.syncBefore(sample), sync, `before ${sample}`);
    }
    assert.equal(video?.samples.endTicks, 12 * 512);
  });

  it('of a fragmented file has no samples, but what its fragments leave out', () => {
    const { video, fragmentDefaults } = parseMovie(contents(FRAGMENTED_MOOV));
    assert.equal(video?.samples.sampleCount, 0);
    assert.equal(new SampleCursor(video.samples).next(), undefined);
    assert.deepEqual([...(fragmentDefaults?.keys() ?? [])], [1, 2]);
  });

  const AC3_FRAME = Uint8Array.of(0x0b, 0x77, 0, 0, 0x14, 0x40, 0x43, 0xe1);
  const ours: { track: Track; firstUnit?: Uint8Array; audio?: Track }[] = [
    { track: VIDEO_TRACK },
    { track: HEVC_TRACK },
    { track: AUDIO_TRACK },
    { track: opusTrack(serializeOpusIdentificationHeader(2)) },
    { track: { kind: 'audio', codec: 'mp3', sampleRate: 44_100, channels: 2 } },
    {
      track: { kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 2 },
      firstUnit: AC3_FRAME,
    },
  ];
  for (const { track, firstUnit } of ours) {
    it(`reads back what our own init segment says of ${track.codec}`, () => {
      const form = trackForm(track, firstUnit);
      const init = serializeInitSegment([form!]);
      const movie = parseMovie(findBox(init, 'moov')!);
      const [description] = (movie.video ?? movie.audio)!.descriptions;
      if (description?.codec === 'audio') assert.deepEqual(description.track, track);
      else assert.equal(description?.codec, track.codec);
    });
  }
});

describe('an edit list', () => {
  /** A moov of one track of sound, 1000 ticks a second in the movie, 48000 in the track. */
  function movieWith(elst: Uint8Array): MovieTrack {
    const init = serializeInitSegment([trackForm(AUDIO_TRACK)!]);
    const moov = findBox(init, 'moov')!;
    const trak = findBox(moov, 'trak')!;
    const mvhd = box('mvhd', findBox(moov, 'mvhd')!);
    return parseMovie(Uint8Array.from([...mvhd, ...box('trak', trak, box('edts', elst))])).audio!;
  }
  const u32s = (...values: number[]) => {
    const writer = new ByteWriter();
    for (const value of values) writer.u32(value);
    return writer.toBytes();
  };
  const cases = [
    {
      name: 'that begins in the middle',
      elst: fullBox('elst', 0, 0, u32s(1, 500, 1024, 0x10000)),
      want: -1024,
    },
    {
      name: 'with a pause before it',
      elst: fullBox('elst', 0, 0, u32s(2, 250, 0xffff_ffff, 0x10000, 500, 1024, 0x10000)),
      want: 12_000 - 1024,
    },
    {
      name: 'of 64 bits',
      elst: fullBox('elst', 1, 0, u32s(1, 0, 500, 0, 1024, 0x10000)),
      want: -1024,
    },
    {
      name: 'of 64 bits, a pause alone',
      elst: fullBox('elst', 1, 0, u32s(1, 0, 500, 0xffff_ffff, 0xffff_ffff, 0x10000)),
      want: 24_000,
    },
    { name: 'of nothing', elst: fullBox('elst', 0, 0, u32s(0)), want: 0 },
  ];
  for (const { name, elst, want } of cases) {
    it(name, () => assert.equal(movieWith(elst).shiftTicks, want));
  }
});

describe('damage', () => {
  it('gives a movie or an error that says so, and ends', () => {
    const good = contents(PLAIN_MOOV);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const bytes = good.slice();
          for (const [at, byte] of changes) bytes[at] = byte;
          try {
            const { video, audio } = parseMovie(bytes);
            for (const track of [video, audio]) {
              if (track === undefined) continue;
              const cursor = new SampleCursor(track.samples);
              for (let count = 0; count < 1000 && cursor.next() !== undefined; count += 1);
              cursor.moveTo(track.samples.sampleAt(1000));
            }
          } catch (error) {
            assert.ok(
              error instanceof ParseError || error instanceof UnsupportedError,
              String(error),
            );
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('of tables that claim more than they have is refused', () => {
    const moov = PLAIN_MOOV.slice(BOX_HEADER_BYTES);
    const text = Buffer.from(moov);
    for (const type of ['stts', 'stsc', 'stco', 'stss', 'ctts']) {
      const bytes = Uint8Array.from(moov);
      new DataView(bytes.buffer).setUint32(text.indexOf(type) + 8, 0x7fff_ffff);
      assert.throws(() => parseMovie(bytes), /a table of 2147483647 rows/, type);
    }
    const bytes = Uint8Array.from(moov);
    new DataView(bytes.buffer).setUint32(text.indexOf('stsz') + 12, 0x7fff_ffff);
    assert.throws(() => parseMovie(bytes), /sample sizes in|samples/);
  });
});
