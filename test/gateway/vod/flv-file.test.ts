import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { concat } from '../../../codecs/bytes.ts';
import { EcmaArray, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { audioTagForm } from '../../../codecs/flv/audio-tag.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import {
  FlvTagType,
  flvFileHeader,
  writeFlvPreviousTagSize,
  writeFlvTagHeader,
} from '../../../codecs/flv/tag.ts';
import {
  videoHeaderLength,
  videoTagForm,
  writeVideoHeader,
} from '../../../codecs/flv/video-tag.ts';
import type { Track } from '../../../codecs/track.ts';
import type { VodFile } from '../../../gateway/vod/vod-file.ts';
import { VodLibrary } from '../../../gateway/vod/vod-library.ts';
import { AUDIO_TRACK, HEVC_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { cameraUnits, readLines, unitLine } from '../../support/vod-units.ts';

let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-flv-'));
});

after(async () => {
  await rm(dir, { recursive: true });
});

function tag(type: number, timestampMs: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const bytes = new Uint8Array(11 + body.length + 4);
  writeFlvTagHeader(bytes, 0, type, body.length, timestampMs);
  bytes.set(body, 11);
  writeFlvPreviousTagSize(bytes, 11 + body.length, body.length);
  return bytes;
}

function config(track: Track, timestampMs = 0): Uint8Array {
  const type = track.kind === 'video' ? FlvTagType.video : FlvTagType.audio;
  return tag(type, timestampMs, sequenceHeader(track, 'enhanced')!);
}

function unitTag({ track, dtsUs, ptsUs, randomAccess, data }: AccessUnit): Uint8Array {
  if (track.kind === 'audio') {
    return tag(FlvTagType.audio, dtsUs / 1000, audioTagForm(track)!.frameHeader, data);
  }
  const form = videoTagForm(track.codec, 'enhanced');
  const compositionTimeMs = (ptsUs - dtsUs) / 1000;
  const header = new Uint8Array(videoHeaderLength(form, compositionTimeMs));
  writeVideoHeader(header, 0, form, randomAccess, compositionTimeMs);
  return tag(FlvTagType.video, dtsUs / 1000, header, data);
}

const HEAD = [flvFileHeader(true, true), config(VIDEO_TRACK), config(AUDIO_TRACK)] as const;
/** 4 s, keyframes 400 ms apart, the first at an hour: as encoders of live streams have it. */
const FROM_US = 3_600_000_000;
const UNITS = [...cameraUnits(100, { fromUs: FROM_US })];
const LINES = UNITS.map((unit) => unitLine(unit, FROM_US));
const TAGS = UNITS.map(unitTag);

async function open(...parts: readonly Uint8Array[]): Promise<VodFile> {
  await writeFile(join(dir, 'x.flv'), concat(...parts));
  return await new VodLibrary([dir]).open('flv:x');
}

async function checkSeeks(file: VodFile): Promise<void> {
  for (const ms of [0, 2000, 399, 400, 3999, 1234, 1234, 10, 1_000_000]) {
    const want = Math.min(Math.floor(ms / 400), 9) * 400;
    assert.equal(await file.seek(ms), want, `seek to ${ms}`);
    const from = LINES.findIndex((line) => line.startsWith(`video dts=${want} `));
    assert.deepEqual(await readLines(file, 30), LINES.slice(from, from + 30), `from ${ms}`);
  }
}

function metadata(keyframes: { times: number[]; filepositions: number[] }, duration = 4) {
  return tag(18, 0, serializeAmf0('onMetaData', new EcmaArray({ duration, keyframes })));
}

/** With the places of its keyframes, `shift` bytes beside where they are. */
function indexed(shift = 0): Uint8Array[] {
  const times = UNITS.filter(isKey).map(({ dtsUs }) => dtsUs / 1e6);
  const empty = metadata({ times, filepositions: times.map(() => 0) });
  let at = HEAD[0].length + empty.length + HEAD[1].length + HEAD[2].length;
  const filepositions: number[] = [];
  for (const [index, unit] of UNITS.entries()) {
    if (isKey(unit)) filepositions.push(at + shift);
    at += TAGS[index]!.length;
  }
  return [HEAD[0], metadata({ times, filepositions }), HEAD[1], HEAD[2], ...TAGS];
}

function isKey({ track, randomAccess }: AccessUnit): boolean {
  return track.kind === 'video' && randomAccess;
}

describe('a FLV file', () => {
  it('is read to the bit, its times from its own beginning on', async () => {
    const file = await open(...HEAD, ...TAGS);
    assert.deepEqual(
      file.tracks.map(({ codec }) => codec),
      ['h264', 'aac'],
    );
    assert.equal(file.durationMs, 3980);
    assert.deepEqual(await readLines(file), LINES);
    await file.close();
  });

  it('without an index is sought from tag to tag', async () => {
    const file = await open(...HEAD, ...TAGS);
    await checkSeeks(file);
    await file.close();
  });

  it('with an index is sought with it', async () => {
    const file = await open(...indexed());
    await checkSeeks(file);
    await file.close();
  });

  it('whose sound begins behind the first picture, as in our recordings, is sought with its sound', async () => {
    const [head, index, videoConfig, audioConfig, ...units] = indexed();
    const [key, ...others] = units;
    const parts = [head!, index!, videoConfig!, key!, audioConfig!, ...others];
    // The first keyframe lies before the configuration of the sound now; the others where they were.
    const file = await open(...parts);
    await checkSeeks(file);
    await file.close();
    const sought = await open(...parts);
    assert.equal(await sought.seek(2000), 2000);
    const from = LINES.findIndex((line) => line.startsWith('video dts=2000 '));
    assert.deepEqual(await readLines(sought, 30), LINES.slice(from, from + 30));
    await sought.close();
  });

  for (const shift of [1, -1, 700]) {
    it(`with an index that is wrong by ${shift} bytes is sought without it`, async () => {
      const file = await open(...indexed(shift));
      await checkSeeks(file);
      await file.close();
    });
  }

  it('ends where it is torn, and where it is damaged', async () => {
    const torn = TAGS.at(-1)!.subarray(0, 20);
    for (const rest of [torn, new Uint8Array(40).fill(0xff)]) {
      const file = await open(...HEAD, ...TAGS.slice(0, 99), rest);
      assert.equal(file.durationMs, 49 * 40);
      assert.deepEqual(await readLines(file), LINES.slice(0, 99));
      assert.equal(await file.seek(1_000_000), 1600);
      await file.close();
    }
  });

  it('that is shorter than the demuxer waits for the other track plays', async () => {
    const video = [...cameraUnits(3, { audio: undefined })];
    const file = await open(flvFileHeader(true, true), config(VIDEO_TRACK), ...video.map(unitTag));
    assert.equal(file.tracks.length, 1);
    assert.deepEqual(
      await readLines(file),
      video.map((unit) => unitLine(unit)),
    );
    await file.close();
  });

  it('of sound alone is sought by the second', async () => {
    const sound = [...cameraUnits(100)].filter(({ track }) => track.kind === 'audio');
    const file = await open(flvFileHeader(false, true), config(AUDIO_TRACK), ...sound.map(unitTag));
    assert.equal(await file.seek(2500), 2000);
    assert.equal((await file.read())?.dtsUs, 2_000_000);
    await file.close();
  });

  it('of H.265 is read as well', async () => {
    const units = [...cameraUnits(30, { video: HEVC_TRACK })];
    const file = await open(HEAD[0], config(HEVC_TRACK), HEAD[2], ...units.map(unitTag));
    assert.deepEqual(
      await readLines(file),
      units.map((unit) => unitLine(unit)),
    );
    assert.equal(await file.seek(900), 800);
    await file.close();
  });

  it('with nothing in it that can be played is refused', async () => {
    await assert.rejects(open(HEAD[0]), /nothing in it can be played/);
    await assert.rejects(open(HEAD[0], tag(9, 0, Uint8Array.of(0x12, 0, 0))), /Sorenson H.263/);
  });
});
