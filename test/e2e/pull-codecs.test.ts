/**
 * Every codec back from real servers, bit for bit: Node-Media-Server for enhanced RTMP, played by RTMP and over HTTP;
 * nginx-rtmp for H.265 with codec id 12. What they have was published by us (publish-codecs.test.ts).
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Track } from '../../codecs/track.ts';
import type { RtmpPublisherOptions } from '../../gateway/proxypublish/publisher.ts';
import { sha256 } from '../support/flv-units.ts';
import { toHex } from '../support/hex.ts';
import { type Mp4MediaOptions, makeMp4Media } from '../support/mp4-media.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import { NodeMediaServer } from '../support/node-media-server.ts';
import { Publishing } from '../support/publishing.ts';
import { SourceAttempt } from '../support/source-attempt.ts';
import { Lender, type TestMedia } from '../support/test-media.ts';

const SECONDS = 4;
/** How much faster than a camera the tests send. */
const SPEED = 4;
/** For what is still on its way through the other server. */
const PATIENCE_MS = 20_000;

let nginx: NginxRtmp;
let mediaServer: NodeMediaServer;

before(async () => {
  nginx = await NginxRtmp.start();
  mediaServer = await NodeMediaServer.start();
});

after(async () => {
  await nginx[Symbol.asyncDispose]();
  await mediaServer[Symbol.asyncDispose]();
});

interface Line {
  readonly track: { readonly kind: string };
  readonly data: Uint8Array;
  readonly ptsUs: number;
  readonly dtsUs: number;
}

/** Digests of one kind, with times since the first picture. */
function lines(units: readonly Line[], kind: string): string[] {
  const fromUs = units.find(({ track }) => track.kind === 'video')?.dtsUs ?? 0;
  return units
    .filter(({ track }) => track.kind === kind)
    .map(({ data, ptsUs, dtsUs }) => `${dtsUs - fromUs} ${ptsUs - fromUs} ${sha256(data)}`);
}

async function publish(publishing: Publishing, { units }: TestMedia): Promise<void> {
  await publishing.accepted;
  const lender = new Lender();
  const startedAt = performance.now();
  const beginMs = units[0]!.dtsMs;
  for (const unit of units) {
    const aheadMs = (unit.dtsMs - beginMs) / SPEED - (performance.now() - startedAt);
    if (aheadMs > 5) await sleep(aheadMs);
    publishing.write(lender.lend(unit));
  }
  publishing.sink?.stop();
}

/** The player is there before the publisher, so that nothing is missing. */
async function roundTrip(
  context: TestContext,
  made: Omit<Mp4MediaOptions, 'seconds'>,
  playUrl: string,
  options: Partial<RtmpPublisherOptions> & Pick<RtmpPublisherOptions, 'targetUri'>,
): Promise<void> {
  const media = await makeMp4Media({ seconds: SECONDS, ...made });
  const from = media.units.find(({ track }) => track.kind === 'video')?.dtsMs ?? 0;
  const sent = media.units
    .filter(({ dtsMs }) => dtsMs >= from)
    .map((unit) => ({ ...unit, ptsUs: unit.ptsMs * 1000, dtsUs: unit.dtsMs * 1000 }));
  const count = (kind: string) => sent.filter(({ track }) => track.kind === kind).length;
  const run = new SourceAttempt(context, playUrl);
  await sleep(500); // no event tells that the player is known to Node-Media-Server
  const publishing = new Publishing(options, media.tracks);
  await publish(publishing, media);
  await Promise.race([run.has(count('video'), count('audio')), sleep(PATIENCE_MS)]);
  await publishing.stop();
  for (const kind of ['video', 'audio']) {
    assert.deepEqual(lines(run.sink.units, kind), lines(sent, kind), kind);
  }
  assert.deepEqual(run.sink.tracks?.map(plain), media.tracks.map(plain));
  await run.stop();
}

/** Buffers and arrays alike. */
function plain(track: Track): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(track).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? toHex(value) : value,
    ]),
  );
}

for (const made of [
  { video: 'h265', audio: 'mp3', bFrames: 3 },
  { video: 'vp9', audio: 'pcmu' },
] as const) {
  for (const by of ['rtmp', 'http'] as const) {
    test(`${made.video} and ${made.audio} from Node-Media-Server by ${by}`, async (context) => {
      const targetStreamName = `${made.video}-${by}`;
      const options = {
        targetUri: mediaServer.url(),
        targetStreamName,
        videoCodecMode: 'enhanced',
      } as const;
      const url =
        by === 'rtmp'
          ? `${mediaServer.url()}/${targetStreamName}`
          : mediaServer.flvUrl(targetStreamName);
      await roundTrip(context, made, url, options);
    });
  }
}

test('H.265 with codec id 12 from nginx', async (context) => {
  const made = { video: 'h265', audio: 'pcma', bFrames: 3 } as const;
  const options = { targetUri: nginx.url(), targetStreamName: 'h265' };
  await roundTrip(context, made, `${nginx.url()}/h265`, options);
});
