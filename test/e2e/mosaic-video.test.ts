/** What the mosaic encoder writes, in the hands of ffmpeg: no complaint, and every sample as meant. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { BitWriter } from '../../codecs/bit-writer.ts';
import { writeBlock, writeChromaDc } from '../../codecs/h264/cavlc.ts';
import {
  CHROMA_STEP,
  LUMA_STEP,
  MAX_CHROMA_LEVEL,
  MAX_LUMA_LEVEL,
  Mosaic,
  type Plane,
} from '../../codecs/h264/mosaic.ts';
import { MosaicEncoder } from '../../codecs/h264/mosaic-encoder.ts';
import {
  type PictureFormat,
  serializePps,
  serializeSps,
} from '../../codecs/h264/parameter-set-writer.ts';
import { addEmulationPrevention } from '../../codecs/rbsp.ts';

const START_CODE = Uint8Array.of(0, 0, 0, 1);

interface Video {
  readonly annexB: Uint8Array;
  /** Planes of 4:2:0, one picture after another, cropped. */
  readonly samples: Buffer;
}

describe('pictures of the mosaic encoder', { concurrency: true }, () => {
  test('any levels anywhere: the extremes, cropping', async () => {
    const random = randomNumbers(1);
    // From almost nothing changed to everything, from flat to noise.
    const video = encode({ width: 150, height: 70, fps: 25 }, 120, 30, (mosaic, picture) => {
      const share = ((picture % 12) + 1) / 12;
      const spread = 2 ** (picture % 8);
      scatter(mosaic.luma, MAX_LUMA_LEVEL, { share, spread, random });
      scatter(mosaic.cb, MAX_CHROMA_LEVEL, { share: share / 2, spread, random });
      scatter(mosaic.cr, MAX_CHROMA_LEVEL, { share: share / 2, spread, random });
    });
    await assertDecodes(video);
  });

  test('black to white and back', async () => {
    const video = encode({ width: 64, height: 48, fps: 1 }, 20, 7, (mosaic, picture) => {
      const isWhite = picture % 2 === 1;
      mosaic.luma.levels.fill(isWhite ? MAX_LUMA_LEVEL : 0);
      mosaic.cb.levels.fill(isWhite ? 0 : MAX_CHROMA_LEVEL);
      mosaic.cr.levels.fill(picture % 3 === 0 ? 0 : MAX_CHROMA_LEVEL);
      for (const [at] of mosaic.luma.levels.entries()) {
        if ((at + picture) % 3 === 0) mosaic.luma.levels[at] = MAX_LUMA_LEVEL - (at % 2) * 63;
      }
    });
    await assertDecodes(video);
  });

  test('all codes of the tables, those too that a mosaic has no use for', async () => {
    await assertDecodes(encodeCoefficients(4000, randomNumbers(3)));
  });

  test('the longest GOP: frame numbers come round', async () => {
    const random = randomNumbers(2);
    const video = encode({ width: 32, height: 32, fps: 25 }, 600, 600, (mosaic) => {
      scatter(mosaic.luma, MAX_LUMA_LEVEL, { share: 0.02, spread: 64, random });
    });
    await assertDecodes(video);
  });
});

function encode(
  format: PictureFormat,
  pictures: number,
  gop: number,
  paint: (mosaic: Mosaic, picture: number) => void,
): Video {
  const encoder = new MosaicEncoder(format);
  const mosaic = new Mosaic(Math.ceil(format.width / 16), Math.ceil(format.height / 16));
  const { sps, pps } = encoder.track;
  const annexB: Uint8Array[] = [START_CODE, sps, START_CODE, pps];
  const samples: Uint8Array[] = [];
  for (let picture = 0; picture < pictures; picture += 1) {
    paint(mosaic, picture);
    annexB.push(START_CODE, encoder.encode(mosaic, picture % gop === 0));
    const { width, height } = format;
    samples.push(
      planeSamples(mosaic.luma, LUMA_STEP, width, height),
      planeSamples(mosaic.cb, CHROMA_STEP, width / 2, height / 2),
      planeSamples(mosaic.cr, CHROMA_STEP, width / 2, height / 2),
    );
  }
  return { annexB: Buffer.concat(annexB), samples: Buffer.concat(samples) };
}

/** Pictures of one macroblock each with any coefficients, and what H.264 §8.5.10 to §8.5.12 make of them at a quantiser of 16. */
function encodeCoefficients(pictures: number, random: () => number): Video {
  const format = { width: 16, height: 16, fps: 25 };
  const annexB: Uint8Array[] = [START_CODE, serializeSps(format), START_CODE, serializePps(16)];
  const samples: Uint8Array[] = [];
  const writer = new BitWriter();
  for (let picture = 0; picture < pictures; picture += 1) {
    const luma = sparse(16, picture % 17, random);
    const cb = sparse(4, picture % 5, random);
    const cr = sparse(4, Math.floor(random() * 5), random);
    // As in test/codecs/h264/mosaic-encoder.test.ts: an IDR slice with a macroblock I_16x16_2_1_0.
    writer
      .clear()
      .ue(0)
      .ue(7)
      .ue(0)
      .u(8, 0)
      .ue(picture % 2)
      .u(2, 0)
      .se(0)
      .ue(1);
    writer.ue(7).ue(0).se(0);
    writeBlock(writer, luma);
    writeChromaDc(writer, cb);
    writeChromaDc(writer, cr);
    annexB.push(START_CODE, addEmulationPrevention(0x65, writer.trailingBits().bytes()));
    samples.push(
      blockSamples(luma, 4, (f) => (f + 2) >> 2),
      blockSamples(cb, 2, (f) => (f + 1) >> 1),
      blockSamples(cr, 2, (f) => (f + 1) >> 1),
    );
  }
  return { annexB: Buffer.concat(annexB), samples: Buffer.concat(samples) };
}

function sparse(length: number, count: number, random: () => number): Int16Array {
  const levels = new Int16Array(length);
  const places = [...levels.keys()].sort(() => random() - 0.5).slice(0, count);
  for (const place of places) {
    const size = random() < 0.6 ? 1 : 1 + Math.floor(random() ** 4 * 300);
    levels[place] = random() < 0.5 ? -size : size;
  }
  return levels;
}

const SIGNS = [
  [1, 1, 1, 1],
  [1, 1, -1, -1],
  [1, -1, -1, 1],
  [1, -1, 1, -1],
];
const SCAN = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

/** Each of 4 × 4 or 2 × 2 blocks is flat: 128 and what the transform makes of the coefficients. */
function blockSamples(
  levels: Int16Array,
  size: 4 | 2,
  residual: (f: number) => number,
): Uint8Array {
  const samples = new Uint8Array(size * size * 16);
  for (let at = 0; at < samples.length; at += 1) {
    const y = Math.floor(at / (size * 4) / 4);
    const x = Math.floor((at % (size * 4)) / 4);
    let f = 0;
    for (const [index, level] of levels.entries()) {
      const place = size === 4 ? SCAN[index]! : index;
      const row = Math.floor(place / size);
      const column = place % size;
      const sign = (a: number, b: number) =>
        size === 4 ? SIGNS[a]![b]! : a === 1 && b === 1 ? -1 : 1;
      f += level * sign(row, y) * sign(column, x);
    }
    samples[at] = Math.min(255, Math.max(0, 128 + residual(f)));
  }
  return samples;
}

function planeSamples(plane: Plane, step: number, width: number, height: number): Uint8Array {
  const samples = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      samples[y * width + x] = plane.levels[(y >> 2) * plane.stride + (x >> 2)]! * step;
    }
  }
  return samples;
}

/** A `share` of the levels move by less than `spread`. */
function scatter(
  { levels }: Plane,
  max: number,
  by: { readonly share: number; readonly spread: number; readonly random: () => number },
): void {
  for (const [at, level] of levels.entries()) {
    if (by.random() >= by.share) continue;
    const moved = level + Math.round((by.random() * 2 - 1) * by.spread);
    levels[at] = Math.min(max, Math.max(0, moved));
  }
}

async function assertDecodes({ annexB, samples }: Video): Promise<void> {
  const strict = ['-v', 'warning', '-xerror', '-err_detect', 'explode'];
  const raw = ['-f', 'rawvideo', '-fps_mode', 'passthrough', '-'];
  const ffmpeg = spawn('ffmpeg', [...strict, '-f', 'h264', '-i', '-', ...raw]);
  const decoded: Buffer[] = [];
  let complaints = '';
  ffmpeg.stdout.on('data', (chunk: Buffer) => decoded.push(chunk));
  ffmpeg.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk;
  });
  ffmpeg.stdin.on('error', () => undefined);
  ffmpeg.stdin.end(annexB);
  const [code] = await once(ffmpeg, 'close');
  assert.equal(complaints, '');
  assert.equal(code, 0);
  assertSame(Buffer.concat(decoded), samples);
}

function assertSame(got: Buffer, wanted: Buffer): void {
  assert.equal(got.length, wanted.length);
  if (got.equals(wanted)) return;
  const at = wanted.findIndex((sample, index) => sample !== got[index]);
  assert.fail(`sample ${at} is ${got[at]}, meant was ${wanted[at]}`);
}

/** The same in every run: xorshift. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
