import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { box } from '../../../codecs/mp4/boxes.ts';
import { serializeInitSegment } from '../../../codecs/mp4/init-segment.ts';
import { serializeFragmentHeader } from '../../../codecs/mp4/movie-fragment.ts';
import { trackForm } from '../../../codecs/mp4/track-form.ts';
import { Mp4File } from '../../../gateway/vod/mp4-file.ts';
import {
  FIRST_MOOF,
  FRAGMENTED_MOOV,
  FRAGMENTED_PICTURES,
  FRAGMENTED_SOUND,
  MFRA,
  type Packet,
  PLAIN_MOOV,
  PLAIN_PICTURES,
  PLAIN_SOUND,
  SECOND_MOOF,
} from '../../codecs/mp4/ffmpeg-files.ts';
import { memoryFile } from '../../support/memory-file.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';

const PICTURE_TIMESCALE = 12_800;
const SOUND_TIMESCALE = 48_000;
const MAX_MOOV_BYTES = 1e6;

interface Line {
  readonly kind: string;
  readonly dtsUs: number;
  readonly ptsUs: number;
  readonly key: boolean;
  readonly byteLength: number;
  /** Of the last byte: which one it is. */
  readonly last: number;
}

/** ffmpeg's file again: its boxes where they were, and in the media what tells each sample. */
function rebuilt(
  size: number,
  parts: readonly [at: number, bytes: Uint8Array][],
  ...packets: Packet[][]
) {
  const file = new Uint8Array(size);
  for (const [at, bytes] of parts) file.set(bytes, at);
  for (const [kind, list] of packets.entries()) {
    for (const [index, [, , position, byteLength, isKey]] of list.entries()) {
      if (kind === 0) {
        new DataView(file.buffer).setUint32(position, byteLength - 4);
        file[position + 4] = isKey ? 0x65 : 0x41;
      }
      file[position + byteLength - 1] = index + 1;
    }
  }
  return file;
}

/** In the order of decoding, from the first decoding time on. */
function wanted(pictures: readonly Packet[], sound: readonly Packet[]): Line[] {
  const lines = [
    ...linesOf('video', pictures, PICTURE_TIMESCALE),
    ...linesOf('audio', sound, SOUND_TIMESCALE),
  ].sort((a, b) => a.dtsUs - b.dtsUs);
  const originUs = Math.min(0, ...lines.map(({ dtsUs }) => dtsUs));
  return lines.map((line) => ({
    ...line,
    dtsUs: line.dtsUs - originUs,
    ptsUs: line.ptsUs - originUs,
  }));
}

function linesOf(kind: string, packets: readonly Packet[], timescale: number): Line[] {
  const us = (ticks: number) => Math.round((ticks * 1e6) / timescale);
  return packets.map(([dts, pts, , byteLength, key], index) => ({
    kind,
    dtsUs: us(dts),
    ptsUs: us(pts),
    key,
    byteLength,
    last: index + 1,
  }));
}

async function readAll(file: Mp4File): Promise<Line[]> {
  const lines: Line[] = [];
  for (let unit = await file.read(); unit !== undefined; unit = await file.read()) {
    const { track, dtsUs, ptsUs, randomAccess, data } = unit;
    const { kind } = track;
    lines.push({
      kind,
      dtsUs,
      ptsUs,
      key: randomAccess,
      byteLength: data.length,
      last: data.at(-1) ?? 0,
    });
    data.fill(0xdd);
  }
  return lines;
}

const MDAT = Uint8Array.of(0, 0, 0, 0, 0x6d, 0x64, 0x61, 0x74);

/** A header of an mdat that is so long. */
function mdat(byteLength: number): Uint8Array {
  const header = MDAT.slice();
  new DataView(header.buffer).setUint32(0, byteLength);
  return header;
}

const files = [
  {
    name: 'a plain file',
    bytes: rebuilt(
      6370,
      [
        [0, mdat(4646)],
        [4646, PLAIN_MOOV],
      ],
      [...PLAIN_PICTURES],
      [...PLAIN_SOUND],
    ),
    want: wanted(PLAIN_PICTURES, PLAIN_SOUND),
  },
  {
    name: 'a fragmented file',
    bytes: rebuilt(
      6688,
      [
        [0, box('ftyp', new Uint8Array(28))],
        [36, FRAGMENTED_MOOV],
        [1246, FIRST_MOOF],
        [1562, mdat(2373)],
        [3935, SECOND_MOOF],
        [4299, mdat(2241)],
        [6540, MFRA],
      ],
      [...FRAGMENTED_PICTURES],
      [...FRAGMENTED_SOUND],
    ),
    want: wanted(FRAGMENTED_PICTURES, FRAGMENTED_SOUND),
  },
];

for (const { name, bytes, want } of files) {
  describe(name, () => {
    it('is read to the bit, with the times that ffprobe sees', async () => {
      const file = await Mp4File.open(memoryFile(bytes), MAX_MOOV_BYTES);
      assert.deepEqual(
        file.tracks.map(({ codec }) => codec),
        ['h264', 'aac'],
      );
      assert.deepEqual(await readAll(file), want);
      assert.ok(Math.abs(file.durationMs - 500) < 80, `${file.durationMs}`);
    });

    it('is sought to the keyframe before', async () => {
      const file = await Mp4File.open(memoryFile(bytes), MAX_MOOV_BYTES);
      const keys = want.filter(({ kind, key }) => kind === 'video' && key);
      for (const ms of [0, 100, 10_000, 239, 240, 241, 30]) {
        const key = keys.findLast(({ dtsUs }) => dtsUs <= ms * 1000) ?? keys[0]!;
        assert.equal(await file.seek(ms), Math.round(key.dtsUs / 1000), `seek to ${ms}`);
        const rest = want.filter(({ dtsUs }) => dtsUs >= key.dtsUs);
        const got = await readAll(file);
        assert.deepEqual(got, rest, `from ${ms}`);
      }
    });
  });
}

describe('a fragmented file whose composition offsets are below 0', () => {
  it('shows no picture before it is decoded, and at its time', async () => {
    const init = serializeInitSegment([trackForm(VIDEO_TRACK)!, trackForm(AUDIO_TRACK)!]);
    const offsets = [0, 3 * 3600, 0, -2 * 3600];
    const picture = Uint8Array.of(0, 0, 0, 2, 0x65, 1);
    const samples = offsets.map((compositionOffsetTicks, index) => ({
      durationTicks: 3600,
      byteLength: picture.length,
      compositionOffsetTicks,
      isSync: index === 0,
    }));
    const sound = { durationTicks: 1024, byteLength: 3, compositionOffsetTicks: 0, isSync: true };
    const moof = serializeFragmentHeader(1, [
      { trackId: 1, decodeTimeTicks: 0, samples },
      { trackId: 2, decodeTimeTicks: 0, samples: [sound] },
    ]);
    const media = [...samples.map(() => picture), new Uint8Array(3)];
    const file = await Mp4File.open(memoryFile(concat(init, moof, ...media)), MAX_MOOV_BYTES);
    const lines = await readAll(file);
    const pictures = lines.filter(({ kind }) => kind === 'video');
    // 80 ms earlier than the file says, and the first of all is at 0.
    assert.deepEqual(
      pictures.map(({ dtsUs }) => dtsUs),
      [0, 40_000, 80_000, 120_000],
    );
    assert.deepEqual(
      pictures.map(({ ptsUs }) => ptsUs),
      [80_000, 240_000, 160_000, 120_000],
    );
    assert.equal(lines.find(({ kind }) => kind === 'audio')?.ptsUs, 80_000);
  });
});

describe('what is no film', () => {
  it('is refused in words', async () => {
    const open = (bytes: Uint8Array) => Mp4File.open(memoryFile(bytes), MAX_MOOV_BYTES);
    await assert.rejects(open(new Uint8Array(0)), /no moov/);
    await assert.rejects(open(mdat(8)), /no moov/);
    await assert.rejects(open(PLAIN_MOOV.subarray(0, 500)), /no moov/);
    await assert.rejects(open(box('moov')), /there is no 'mvhd'/);
    await assert.rejects(Mp4File.open(memoryFile(PLAIN_MOOV), 1000), /too much is being played/);
  });
});
