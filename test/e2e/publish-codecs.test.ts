/**
 * Every codec to real masters, bit for bit: nginx-rtmp for what FLV 10.1 has, with ffmpeg as its player;
 * Node-Media-Server for enhanced RTMP.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import { type FlvTag, FlvTagType, flvTags } from '../../codecs/flv/tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import type { RtmpPublisherOptions } from '../../gateway/proxypublish/publisher.ts';
import type { CodedUnit } from '../support/compare-units.ts';
import { lineOfUnit, play } from '../support/ffprobe.ts';
import { flvUnits, sha256 } from '../support/flv-units.ts';
import { toHex } from '../support/hex.ts';
import { type Mp4MediaOptions, makeMp4Media } from '../support/mp4-media.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import { NodeMediaServer } from '../support/node-media-server.ts';
import { Publishing } from '../support/publishing.ts';
import { Lender, type TestMedia, type TestUnit } from '../support/test-media.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);

const SECONDS = 4;
/** How much faster than a camera the tests send. */
const SPEED = 6;
/** Where the stream's own clock stands when publishing begins: it is not 0 in real life. */
const CLOCK_MS = 5_000_000;

let nginx: NginxRtmp;
let mediaServer: NodeMediaServer;
const media = new Map<string, Promise<TestMedia>>();

before(async () => {
  nginx = await NginxRtmp.start();
  mediaServer = await NodeMediaServer.start();
});

after(async () => {
  await nginx[Symbol.asyncDispose]();
  await mediaServer[Symbol.asyncDispose]();
});

function made(options: Omit<Mp4MediaOptions, 'seconds'>): Promise<TestMedia> {
  const key = JSON.stringify(options);
  const known = media.get(key) ?? makeMp4Media({ seconds: SECONDS, ...options });
  media.set(key, known);
  return known;
}

/** Sends it all, paced, and unpublishes; what was left out. */
async function publish(
  { tracks, units }: TestMedia,
  options: Partial<RtmpPublisherOptions> & Pick<RtmpPublisherOptions, 'targetUri'>,
): Promise<readonly string[]> {
  const publishing = new Publishing(options, tracks);
  await publishing.accepted;
  const lender = new Lender();
  const startedAt = performance.now();
  const beginMs = units[0]!.dtsMs;
  for (const unit of units) {
    const aheadMs = (unit.dtsMs - beginMs) / SPEED - (performance.now() - startedAt);
    if (aheadMs > 5) await sleep(aheadMs);
    publishing.write(lender.lend(unit, CLOCK_MS));
  }
  publishing.sink?.stop();
  await until(() => publishing.publisher.stats.queueBytes === 0);
  await publishing.stop();
  return publishing.publisher.leftOut;
}

/** As the session carries them: from the first picture on, with its time as 0. */
function carried({ units }: TestMedia): { units: TestUnit[]; fromMs: number } {
  const fromMs = units.find(({ track }) => track.kind === 'video')?.dtsMs ?? 0;
  return { units: units.filter(({ dtsMs }) => dtsMs >= fromMs), fromMs };
}

/** All that was sent is in the FLV, and nothing else of these kinds. */
function assertCarried(material: TestMedia, flv: Uint8Array): void {
  const { units, fromMs } = carried(material);
  const sent = units.map(({ track, ptsMs, dtsMs, randomAccess, data }) => ({
    kind: track.kind,
    ptsUs: (ptsMs - fromMs) * 1000,
    dtsUs: (dtsMs - fromMs) * 1000,
    sha256: sha256(data),
    key: randomAccess,
  }));
  const seen = flvUnits(flv);
  for (const kind of ['video', 'audio'] as const) {
    const ofKind = (units: CodedUnit[]) => units.filter((unit) => unit.kind === kind);
    assert.deepEqual(ofKind(seen), ofKind(sent));
  }
}

/** The first five bytes of each sequence header. */
function headers(file: Uint8Array): string[] {
  const isHeader = ({ type, body }: FlvTag) =>
    (type === FlvTagType.video && parseVideoTagBody(body)?.content === 'config') ||
    (type === FlvTagType.audio && parseAudioTagBody(body)?.content === 'config');
  return [...flvTags(file)].filter(isHeader).map(({ body }) => toHex(body.subarray(0, 5)));
}

/** ffmpeg complains about nothing. */
async function assertDecodes(path: string): Promise<void> {
  const { stderr } = await run('ffmpeg', ['-v', 'warning', '-i', path, '-f', 'null', '-']);
  assert.equal(stderr, '');
}

describe('nginx-rtmp', () => {
  for (const audio of ['pcma', 'pcmu', 'mp3'] as const) {
    test(`${audio}: ffmpeg plays it, same bytes, same times`, async () => {
      const material = await made({ video: 'h264', audio });
      const playing = play(nginx.url(`live/${audio}`));
      await nginx.logged(`play: name='${audio}'`);
      await publish(material, { targetUri: nginx.url(), targetStreamName: audio });
      const packets = await playing.packets;
      const { units, fromMs } = carried(material);
      for (const kind of ['video', 'audio'] as const) {
        const wanted = units.filter(({ track }) => track.kind === kind);
        assert.deepEqual(
          packets.filter((line) => line.startsWith(kind)),
          wanted.map((unit) => lineOfUnit(unit, fromMs)),
        );
      }
    });
  }

  test('H.265 with B-frames: codec id 12, for nginx lists no FourCC; recorded as it was sent', async () => {
    const material = await made({ video: 'h265', audio: 'pcma', bFrames: 3 });
    await publish(material, { targetUri: nginx.url('record'), targetStreamName: 'h265' });
    const file = await nginx.recorded('h265');
    assertCarried(material, file);
    assert.deepEqual(headers(file), ['1c00000000']);
  });

  test('H.265 as enhanced RTMP, on demand: nginx takes it and drops every picture without a word', async () => {
    const material = await made({ video: 'h265', audio: 'pcma', bFrames: 3 });
    const targetUri = nginx.url('record');
    const options = {
      targetUri,
      targetStreamName: 'enhanced',
      videoCodecMode: 'enhanced',
    } as const;
    await publish(material, options);
    const kinds = new Set(flvUnits(await nginx.recorded('enhanced')).map(({ kind }) => kind));
    assert.deepEqual([...kinds], ['audio']);
  });

  test('silence in place of G.711: ffmpeg decodes it, and it is as long as the video', async () => {
    const material = await made({ video: 'h264', audio: 'pcma' });
    const leftOut = await publish(material, {
      targetUri: nginx.url('record'),
      targetStreamName: 'silence',
      audio: 'silence',
    });
    assert.match(leftOut.join(), /^audio G\.711 A-law \(silence in its place/);
    const file = await nginx.recorded('silence');
    const sounds = flvUnits(file).filter(({ kind }) => kind === 'audio');
    assert.ok(Math.abs(sounds.length - (SECONDS * 44_100) / 1024) < 3, `${sounds.length} frames`);
    for (const [index, { ptsUs }] of sounds.entries()) {
      assert.equal(ptsUs, Math.round((index * 1024 * 1000) / 44_100) * 1000);
    }
    await assertDecodes(join(nginx.folder, 'silence.flv'));
  });

  test('AC-3: left out and said so, for nginx lists no FourCC; the video goes on', async () => {
    const material = await made({ video: 'h264', audio: 'ac3' });
    const options = { targetUri: nginx.url('record'), targetStreamName: 'ac3' };
    assert.match((await publish(material, options)).join(), /^audio AC-3/);
    assertCarried(
      { ...material, units: material.units.filter(({ track }) => track.kind === 'video') },
      await nginx.recorded('ac3'),
    );
  });
});

describe('Node-Media-Server, read back over HTTP-FLV', () => {
  for (const options of [
    { video: 'h265', audio: 'mp3', bFrames: 3 },
    { video: 'vp9', audio: 'pcmu' },
  ] as const) {
    test(`${options.video} as enhanced RTMP and ${options.audio}: same bytes, same times`, async () => {
      const material = await made(options);
      const player = await mediaServer.play(options.video);
      await publish(material, {
        targetUri: mediaServer.url(),
        targetStreamName: options.video,
        videoCodecMode: 'enhanced',
      });
      const file = await player.got(carried(material).units.length);
      assertCarried(material, file);
      assert.deepEqual(headers(file), [options.video === 'h265' ? '9068766331' : '9076703039']);
    });
  }

  test('who joins late gets the header of H.265 and begins with it', async () => {
    const material = await made({ video: 'h265', audio: 'mp3', bFrames: 3 });
    const publishing = new Publishing(
      { targetUri: mediaServer.url(), targetStreamName: 'late', videoCodecMode: 'enhanced' },
      material.tracks,
    );
    await publishing.accepted;
    const lender = new Lender();
    for (const unit of material.units.slice(0, 50)) publishing.write(lender.lend(unit));
    await until(() => publishing.publisher.stats.unitsSent === 50);
    const player = await mediaServer.play('late');
    for (const unit of material.units.slice(50, 100)) publishing.write(lender.lend(unit));
    publishing.sink?.stop();
    assert.equal(headers(await player.got(50))[0], '9068766331');
    await publishing.stop();
  });
});
