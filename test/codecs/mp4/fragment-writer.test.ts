import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { ByteReader } from '../../../codecs/byte-reader.ts';
import { concat } from '../../../codecs/bytes.ts';
import { boxes, findBox } from '../../../codecs/mp4/boxes.ts';
import { type Fragment, FragmentWriter } from '../../../codecs/mp4/fragment-writer.ts';
import { trackForm } from '../../../codecs/mp4/track-form.ts';
import {
  opusTrack,
  serializeOpusIdentificationHeader,
} from '../../../codecs/opus/identification-header.ts';
import { toHex } from '../../support/hex.ts';
import { AUDIO_TRACK, audioUnit, VIDEO_TRACK, videoUnit } from '../../support/units.ts';

const VIDEO = trackForm(VIDEO_TRACK)!;
const AUDIO = trackForm(AUDIO_TRACK)!;
const FRAME_US = (1024 * 1_000_000) / 48_000;

/** What a player reads: track, decode time, duration, composition offset, key, bytes; times in ticks. */
interface ReadSample {
  readonly track: number;
  readonly dts: number;
  readonly duration: number;
  readonly offset: number;
  readonly isSync: boolean;
  readonly data: string;
}

function read(fragment: Fragment | undefined): ReadSample[] {
  const bytes = concat(...fragment!.pieces);
  assert.equal(bytes.length, fragment!.byteLength);
  const [moof, mdat, ...others] = boxes(bytes);
  assert.deepEqual([moof!.type, mdat!.type, others.length], ['moof', 'mdat', 0]);
  return [...boxes(moof!.payload)]
    .filter(({ type }) => type === 'traf')
    .flatMap(({ payload }) => readTraf(payload, bytes));
}

function readTraf(traf: Uint8Array, bytes: Uint8Array): ReadSample[] {
  const track = new ByteReader(findBox(traf, 'tfhd')!.subarray(4)).u32();
  let dts = new ByteReader(findBox(traf, 'tfdt')!.subarray(4)).u64();
  const trun = new ByteReader(findBox(traf, 'trun')!);
  const versionAndFlags = trun.u32();
  const hasFlags = (versionAndFlags & 0x400) !== 0;
  const count = trun.u32();
  let at = trun.i32();
  return Array.from({ length: count }, () => {
    const [duration, size] = [trun.u32(), trun.u32()];
    const isSync = hasFlags ? (trun.u32() & 0x1_0000) === 0 : true;
    const offset = hasFlags ? trun.i32() : 0;
    const sample = {
      track,
      dts,
      duration,
      offset,
      isSync,
      data: toHex(bytes.subarray(at, at + size)),
    };
    dts += duration;
    at += size;
    return sample;
  });
}

function push(writer: FragmentWriter, ...units: readonly AccessUnit[]): void {
  for (const unit of units) writer.push(unit);
}

describe('fragments', () => {
  test('picture with B-frames and sound: every unit at its time, bytes as they came', () => {
    const writer = new FragmentWriter([VIDEO, AUDIO], 1_000_000);
    push(
      writer,
      videoUnit({ dtsUs: 1_000_000, ptsUs: 1_080_000, fill: 1, byteLength: 3 }),
      audioUnit({ dtsUs: 1_000_000, fill: 2, byteLength: 2 }),
      videoUnit({
        dtsUs: 1_040_000,
        ptsUs: 1_040_000,
        fill: 3,
        byteLength: 1,
        randomAccess: false,
      }),
      audioUnit({ dtsUs: 1_000_000 + FRAME_US, fill: 4, byteLength: 2 }),
      videoUnit({
        dtsUs: 1_080_000,
        ptsUs: 1_060_000,
        fill: 5,
        byteLength: 1,
        randomAccess: false,
      }),
    );
    const fragment = writer.finish(1_130_000);
    assert.deepEqual(read(fragment), [
      { track: 1, dts: 0, duration: 3600, offset: 7200, isSync: true, data: '010101' },
      { track: 1, dts: 3600, duration: 3600, offset: 0, isSync: false, data: '03' },
      { track: 1, dts: 7200, duration: 4500, offset: -1800, isSync: false, data: '05' },
      { track: 2, dts: 0, duration: 1024, offset: 0, isSync: true, data: '0202' },
      { track: 2, dts: 1024, duration: 1024, offset: 0, isSync: true, data: '0404' },
    ]);
    assert.deepEqual([fragment!.durationUs, fragment!.isIndependent], [130_000, true]);
  });

  test('nothing was written: no fragment; afterwards it goes on', () => {
    const writer = new FragmentWriter([VIDEO], 0);
    assert.equal(writer.finish(), undefined);
    push(writer, audioUnit(), videoUnit({ dtsUs: 40_000, randomAccess: false }));
    assert.equal(writer.byteLength, 40);
    assert.equal(writer.finish()!.isIndependent, false);
    push(writer, videoUnit({ dtsUs: 80_000, randomAccess: false }), videoUnit({ dtsUs: 120_000 }));
    assert.equal(writer.finish()!.isIndependent, true);
    assert.equal(writer.byteLength, 0);
    assert.equal(writer.finish(), undefined);
  });

  test('the last picture, when the next one is not known, lasts as long as the one before it', () => {
    const writer = new FragmentWriter([VIDEO], 0);
    push(writer, videoUnit({ dtsUs: 0 }));
    assert.equal(read(writer.finish())[0]!.duration, 3600);
    push(writer, videoUnit({ dtsUs: 20_000 }), videoUnit({ dtsUs: 40_000 }));
    assert.equal(read(writer.finish())[1]!.duration, 1800);
  });

  test('sound in whole milliseconds (RTMP) goes on without gaps, and does not drift', () => {
    const writer = new FragmentWriter([AUDIO], 0);
    const samples: ReadSample[] = [];
    for (let index = 0; index < 3000; index += 1) {
      push(writer, audioUnit({ dtsUs: Math.floor((index * FRAME_US) / 1000) * 1000 }));
      if (index % 20 === 19) samples.push(...read(writer.finish()));
    }
    assert.deepEqual(
      samples.map(({ dts, duration }) => [dts, duration]),
      Array.from({ length: 3000 }, (_, index) => [index * 1024, 1024]),
    );
  });

  test('sound with a gap: the frame before it lasts until its end', () => {
    const writer = new FragmentWriter([AUDIO], 0);
    push(writer, audioUnit({ dtsUs: 0 }), audioUnit({ dtsUs: 1_000_000 }));
    assert.deepEqual(
      read(writer.finish()).map(({ dts, duration }) => [dts, duration]),
      [
        [0, 48_000],
        [48_000, 1024],
      ],
    );
  });

  test('a gap between two fragments is in their times', () => {
    const writer = new FragmentWriter([AUDIO], 0);
    push(writer, audioUnit({ dtsUs: 0 }));
    assert.equal(read(writer.finish())[0]!.duration, 1024);
    push(writer, audioUnit({ dtsUs: 1_000_000 }));
    assert.equal(read(writer.finish())[0]!.dts, 48_000);
  });

  test('times before the origin, standing still and going back stay in order', () => {
    const writer = new FragmentWriter([VIDEO], 5_000_000);
    push(
      writer,
      videoUnit({ dtsUs: 4_000_000 }),
      videoUnit({ dtsUs: 5_040_000 }),
      videoUnit({ dtsUs: 5_040_000 }),
      videoUnit({ dtsUs: 5_000_000, ptsUs: 5_040_000 }),
    );
    assert.deepEqual(
      read(writer.finish(5_080_000)).map(({ dts, offset }) => [dts, offset]),
      [
        [0, 0],
        [3600, 0],
        [3601, -1],
        [3602, -2],
      ],
    );
  });

  test('Opus packets last as long as they say; a damaged one until the next', () => {
    const track = opusTrack(serializeOpusIdentificationHeader(2));
    const writer = new FragmentWriter([trackForm(track)!], 0);
    push(
      writer,
      audioUnit({ track, dtsUs: 0, fill: 0xf8 }),
      audioUnit({ track, dtsUs: 20_000, fill: 0xf8, byteLength: 0 }),
      audioUnit({ track, dtsUs: 40_000, fill: 0xf0 }),
    );
    assert.deepEqual(
      read(writer.finish()).map(({ dts, duration }) => [dts, duration]),
      [
        [0, 960],
        [960, 960],
        [1920, 480],
      ],
    );
  });

  test('after a year the times are still exact', () => {
    const yearUs = 365 * 86_400_000_000;
    const writer = new FragmentWriter([VIDEO, AUDIO], 0);
    push(writer, videoUnit({ dtsUs: yearUs }), audioUnit({ dtsUs: yearUs }));
    assert.deepEqual(
      read(writer.finish(yearUs + 40_000)).map(({ dts }) => dts),
      [365 * 86_400 * 90_000, 365 * 86_400 * 48_000],
    );
  });

  test('what was handed out is never written again', () => {
    const writer = new FragmentWriter([VIDEO], 0);
    push(writer, videoUnit({ dtsUs: 0, fill: 1, byteLength: 100_000 }));
    const first = writer.finish();
    const before = toHex(concat(...first!.pieces));
    push(writer, videoUnit({ dtsUs: 40_000, fill: 2, byteLength: 100_000 }));
    writer.finish();
    assert.equal(toHex(concat(...first!.pieces)), before);
  });

  test('any units, cut anywhere: all of them, in order, at their times', () => {
    const unitArbitrary = fc.record({
      isVideo: fc.boolean(),
      stepUs: fc.integer({ min: 1000, max: 200_000 }),
      offsetUs: fc.integer({ min: -100_000, max: 400_000 }),
      byteLength: fc.integer({ min: 0, max: 30_000 }),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(unitArbitrary, { minLength: 1, maxLength: 30 }), (steps) => {
        const writer = new FragmentWriter([VIDEO, AUDIO], 0);
        let dtsUs = 500_000;
        const sent: AccessUnit[] = [];
        const seen: ReadSample[] = [];
        for (const [index, { isVideo, stepUs, offsetUs, byteLength, cut }] of steps.entries()) {
          const wanted = { dtsUs, fill: index, byteLength };
          const unit = isVideo
            ? videoUnit({ ...wanted, ptsUs: dtsUs + offsetUs })
            : audioUnit(wanted);
          writer.push(unit);
          sent.push(unit);
          dtsUs += stepUs;
          if (cut) seen.push(...read(writer.finish()));
        }
        const last = writer.finish();
        if (last !== undefined) seen.push(...read(last));
        for (const [track, kind, ticksPerUs] of [
          [1, 'video', 0.09],
          [2, 'audio', 0.048],
        ] as const) {
          const near = sent.filter((unit) => unit.track.kind === kind);
          const far = seen.filter((sample) => sample.track === track);
          assert.deepEqual(
            far.map(({ data }) => data),
            near.map(({ data }) => toHex(data)),
          );
          for (const [index, { dts, offset }] of far.entries()) {
            const { ptsUs } = near[index]!;
            const errorUs = (dts + offset) / ticksPerUs - ptsUs;
            // 6 µs: half a tick; 1500: sound that is nearly in place.
            assert.ok(Math.abs(errorUs) <= (kind === 'video' ? 6 : 1520), `${errorUs} us`);
          }
        }
      }),
    );
  });
});
