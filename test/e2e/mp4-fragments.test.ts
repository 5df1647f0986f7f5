/** Fragmented MP4 as ffprobe reads it: every codec, every unit bit by bit at its time; and as ffmpeg decodes it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { FragmentWriter } from '../../codecs/mp4/fragment-writer.ts';
import { serializeInitSegment } from '../../codecs/mp4/init-segment.ts';
import { trackForm } from '../../codecs/mp4/track-form.ts';
import { lineOfUnit, play } from '../support/ffprobe.ts';
import { makeMp4Media } from '../support/mp4-media.ts';
import { makeTestMedia, type TestMedia, type TestUnit } from '../support/test-media.ts';

const run = promisify(execFile);
const FRAGMENT_UNITS = 17;

const CASES: readonly (readonly [name: string, make: () => Promise<TestMedia>])[] = [
  ['H.264 with B-frames, AAC', () => makeTestMedia({ seconds: 2, bFrames: 2 })],
  ['H.264, MP3', () => makeMp4Media({ seconds: 2, video: 'h264', audio: 'mp3' })],
  [
    'H.265 with B-frames, AC-3',
    () => makeMp4Media({ seconds: 2, video: 'h265', audio: 'ac3', bFrames: 2 }),
  ],
  ['VP9, Opus', () => makeMp4Media({ seconds: 2, video: 'vp9', audio: 'opus' })],
  ['H.264, E-AC-3', () => makeMp4Media({ seconds: 2, video: 'h264', audio: 'eac3' })],
];

describe('fragmented MP4', { concurrency: true }, () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-fmp4-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [index, [name, make]] of CASES.entries()) {
    test(name, { timeout: 60_000 }, async () => {
      const media = await make();
      const file = join(folder, `${index}.mp4`);
      await writeFile(file, Buffer.concat(fragmentedFile(media)));
      const fromMs = firstMs(media);
      const seen = (await play(file).packets).map(withoutRounding);
      const sent = media.units.map((unit) => withoutRounding(lineOfUnit(unit, fromMs)));
      assert.deepEqual(byKind(seen), byKind(sent));
      const { stderr } = await run('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'null', '-']);
      assert.equal(stderr, '');
    });
  }
});

function fragmentedFile({ tracks, units }: TestMedia): Uint8Array[] {
  const forms = tracks.map(
    (track) => trackForm(track, units.find((unit) => unit.track === track)?.data)!,
  );
  const writer = new FragmentWriter(forms, firstMs({ tracks, units }) * 1000);
  const pieces = [serializeInitSegment(forms)];
  for (const [index, unit] of units.entries()) {
    writer.push(accessUnit(unit));
    const next = units[index + 1];
    if (index % FRAGMENT_UNITS === 0 && next?.track.kind === 'video') {
      pieces.push(...(writer.finish(next.dtsMs * 1000)?.pieces ?? []));
    }
  }
  return [...pieces, ...(writer.finish()?.pieces ?? [])];
}

/** Encoders of sound begin before 0: with what a decoder needs to get going. */
function firstMs({ units }: TestMedia): number {
  return Math.min(...units.map(({ dtsMs }) => dtsMs));
}

function accessUnit({ track, ptsMs, dtsMs, randomAccess, data }: TestUnit): AccessUnit {
  return { track, ptsUs: ptsMs * 1000, dtsUs: dtsMs * 1000, randomAccess, data, kept: false };
}

/** The test media has whole milliseconds, sound in a file has samples: one more or less is the same time. */
function withoutRounding(line: string): string {
  return line.replace(/=(-?\d+)/g, (_, time) => `≈${Math.round((Number(time) + 1) / 4)}`);
}

function byKind(lines: readonly string[]): string[] {
  return lines.toSorted((a, b) => Number(a.startsWith('audio')) - Number(b.startsWith('audio')));
}
