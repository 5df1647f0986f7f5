import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import type { VodFile } from '../../../gateway/vod/vod-file.ts';
import { VodLibrary } from '../../../gateway/vod/vod-library.ts';
import { MP3_FRAMES } from '../../codecs/mpeg-audio/mp3-fixture.ts';
import { hex } from '../../support/hex.ts';
import { readLines } from '../../support/vod-units.ts';

/** 576 samples at 22.05 kHz. */
const FRAME_US = (576 * 1e6) / 22_050;
const FRAMES = Array.from({ length: 12 }, () => MP3_FRAMES).flat();
const SOUND = concat(...FRAMES);
const ID3 = concat(hex`494433 0400 00 00000203`, new Uint8Array(259).fill(0xff));
/** A silent frame of 78 bytes that says how many follow. */
const INFO = concat(
  hex`fff330c4`,
  new Uint8Array(9),
  hex`496e666f 00000001 000000c0`,
  new Uint8Array(78 - 25),
);

let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-mp3-'));
});

after(async () => {
  await rm(dir, { recursive: true });
});

async function open(...parts: readonly Uint8Array[]): Promise<VodFile> {
  await writeFile(join(dir, 'x.mp3'), concat(...parts));
  return await new VodLibrary([dir]).open('mp3:x');
}

async function hashes(file: VodFile): Promise<string[]> {
  return (await readLines(file)).map((line) => line.split(' ').at(-1)!);
}

describe('a MP3 file', () => {
  const beginnings = [
    { name: 'begins with sound', parts: [] },
    { name: 'begins with ID3', parts: [ID3] },
    { name: 'begins with two tags', parts: [ID3, ID3] },
    { name: 'begins with a frame that only tells', parts: [ID3, INFO] },
    { name: 'begins with padding behind its tag', parts: [ID3, new Uint8Array(70_000)] },
    { name: 'begins with damage that looks like a frame', parts: [hex`fff330c4 00112233`] },
  ];
  for (const { name, parts } of beginnings) {
    it(`that ${name}: every frame, with exact times`, async () => {
      const file = await open(...parts, SOUND);
      assert.deepEqual(file.tracks, [
        { kind: 'audio', codec: 'mp3', sampleRate: 22_050, channels: 1 },
      ]);
      assert.ok(
        Math.abs(file.durationMs - (FRAMES.length * FRAME_US) / 1000) < 60,
        `${file.durationMs}`,
      );
      for (const [index, frame] of FRAMES.entries()) {
        const unit = await file.read();
        assert.equal(unit?.ptsUs, Math.round(index * FRAME_US));
        assert.deepEqual(unit.data, frame);
      }
      assert.equal(await file.read(), undefined);
      await file.close();
    });
  }

  it('ends before a tag of version 1, and before a torn frame', async () => {
    const tag = concat(hex`544147`, new Uint8Array(125).fill(0x20));
    const plain = await hashes(await open(SOUND));
    assert.deepEqual(await hashes(await open(SOUND, tag)), plain);
    assert.deepEqual(await hashes(await open(SOUND, FRAMES[0]!.subarray(0, 50))), plain);
  });

  it('is gone on with behind damage', async () => {
    const file = await open(SOUND, new Uint8Array(3000).fill(0xff), SOUND);
    assert.equal((await hashes(file)).length, 2 * FRAMES.length);
  });

  it('is sought by time, forwards and back, with the times that reading on has', async () => {
    const file = await open(ID3, INFO, SOUND);
    const all = await readLines(file);
    for (const ms of [0, 3000, 100, 4999, 2500, 2500, 0, 1_000_000]) {
      const at = await file.seek(ms);
      const index = Math.round((at * 1000) / FRAME_US);
      assert.ok(at <= ms && (ms - at < 27 || index === FRAMES.length - 1), `${ms} → ${at}`);
      assert.deepEqual(await readLines(file, 5), all.slice(index, index + 5));
    }
    await file.close();
  });

  it('that has no sound is refused in words', async () => {
    await assert.rejects(
      open(ID3, new Uint8Array(100)),
      /no frame of MPEG audio layer III is in it/,
    );
    await assert.rejects(open(INFO), /no frame of sound/);
    await assert.rejects(open(), /no frame/);
  });
});
