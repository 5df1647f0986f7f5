/** The publisher against the RTMP servers of Debian: nginx with its RTMP module, and ffmpeg. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProtocolError } from '../../codecs/errors.ts';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import { type FlvTag, FlvTagType, flvTags } from '../../codecs/flv/tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import { lineOfUnit, play } from '../support/ffprobe.ts';
import { freePort } from '../support/free-port.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import { Publishing } from '../support/publishing.ts';
import { Lender, makeTestMedia, type TestMedia, type TestUnit } from '../support/test-media.ts';
import { until } from '../support/until.ts';

const SECONDS = 12;
/** How much faster than a camera the test sends. */
const SPEED = 6;
/** Where the stream's own clock stands when publishing begins: it is not 0 in real life. */
const CLOCK_MS = 5_000_000;

/** One file for all that follows; each is a few MB. */
let plain: TestMedia;
let reordered: TestMedia;
let nginx: NginxRtmp;

before(async () => {
  plain = await makeTestMedia({ seconds: SECONDS });
  reordered = await makeTestMedia({ seconds: SECONDS, bFrames: 3 });
  nginx = await NginxRtmp.start();
});

after(async () => {
  await nginx[Symbol.asyncDispose]();
});

/** Pictures and audio from the first keyframe on, as a session carries them. */
function carried(media: TestMedia): { units: TestUnit[]; fromMs: number } {
  const first = media.units.findIndex((unit) => unit.track.kind === 'video' && unit.randomAccess);
  const fromMs = media.units[first]!.dtsMs;
  return { units: media.units.slice(first).filter((unit) => unit.dtsMs >= fromMs), fromMs };
}

function want(media: TestMedia, kind: 'video' | 'audio'): string[] {
  const { units, fromMs } = carried(media);
  return units.filter((unit) => unit.track.kind === kind).map((unit) => lineOfUnit(unit, fromMs));
}

/** In the order of the file, paced. Audio of the last 100 ms leaves when the source stops. */
async function send(publishing: Publishing, media: TestMedia): Promise<void> {
  const lender = new Lender();
  const startedAt = performance.now();
  const beginMs = media.units[0]!.dtsMs;
  for (const unit of media.units) {
    const aheadMs = (unit.dtsMs - beginMs) / SPEED - (performance.now() - startedAt);
    if (aheadMs > 5) await sleep(aheadMs);
    publishing.write(lender.lend(unit, CLOCK_MS));
  }
  publishing.sink?.stop();
}

for (const [name, media] of [
  ['without B-frames', () => plain],
  ['with B-frames', () => reordered],
] as const) {
  test(`nginx plays what was published ${name}: same bytes, same times`, async () => {
    const targetStreamName = name.replaceAll(' ', '-');
    const playing = play(nginx.url(`live/${targetStreamName}`));
    await nginx.logged(`play: name='${targetStreamName}'`);
    const publishing = new Publishing({ targetUri: nginx.url(), targetStreamName }, media().tracks);
    await publishing.accepted;
    await send(publishing, media());
    await publishing.stop();
    const packets = await playing.packets;
    for (const kind of ['video', 'audio'] as const) {
      const got = packets.filter((line) => line.startsWith(kind));
      assert.deepEqual(got, want(media(), kind));
    }
  });

  test(`nginx records what was published ${name}: same bytes, same times`, async () => {
    const streamName = `record-${name.replaceAll(' ', '-')}`;
    const publishing = new Publishing(
      { targetUri: nginx.url('record'), targetStreamName: streamName, targetStreamType: 'record' },
      media().tracks,
    );
    await publishing.accepted;
    await send(publishing, media());
    await publishing.stop();
    const tags = [...flvTags(await nginx.recorded(streamName))];
    const { units, fromMs } = carried(media());
    for (const kind of ['video', 'audio'] as const) {
      const got = tags.flatMap((tag) => unitLine(tag, kind));
      const expected = units.filter((unit) => unit.track.kind === kind);
      assert.deepEqual(
        got,
        expected.map(({ ptsMs, dtsMs, data }) => line(ptsMs - fromMs, dtsMs - fromMs, data)),
      );
    }
  });
}

function unitLine({ type, timestampMs, body }: FlvTag, kind: 'video' | 'audio'): string[] {
  if (type !== (kind === 'video' ? FlvTagType.video : FlvTagType.audio) || body[1] !== 1) return [];
  if (kind === 'audio') return [line(timestampMs, timestampMs, parseAudioTagBody(body)!.data)];
  const { compositionTimeMs, data } = parseVideoTagBody(body)!;
  return [line(timestampMs + compositionTimeMs, timestampMs, data)];
}

function line(ptsMs: number, dtsMs: number, data: Uint8Array): string {
  return `pts=${ptsMs} dts=${dtsMs} ${Buffer.from(data).toString('base64')}`;
}

test('ffmpeg as the master (-listen 1): same bytes, same times', async () => {
  const port = await freePort();
  const master = play(`rtmp://127.0.0.1:${port}/live/cam`, '-listen', '1');
  const targetUri = `rtmp://127.0.0.1:${port}/live`;
  let publishing = new Publishing({ targetUri }, reordered.tracks);
  // It listens some time after it was started, and takes one connection only.
  for (let tries = 0; tries < 100; tries += 1) {
    const isAccepted = await publishing.accepted.then(
      () => true,
      () => false,
    );
    if (isAccepted) break;
    const error = await publishing.ended;
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED', String(error));
    await sleep(100);
    publishing = new Publishing({ targetUri }, reordered.tracks);
  }
  await send(publishing, reordered);
  await publishing.stop();
  const packets = await master.packets;
  for (const kind of ['video', 'audio'] as const) {
    const got = packets.filter((packet) => packet.startsWith(kind));
    assert.deepEqual(got, want(reordered, kind));
  }
});

describe('what nginx refuses', () => {
  const codeOf = async (options: { targetUri: string; targetStreamName?: string }) => {
    const error = await new Publishing(options, plain.tracks).ended;
    assert.ok(error instanceof ProtocolError, String(error));
    return error.code;
  };

  test('an application that takes nobody', async () => {
    assert.equal(await codeOf({ targetUri: nginx.url('denied') }), 'RTMP_CLOSED_DURING_PUBLISH');
  });

  test('an application that does not exist', async () => {
    assert.equal(await codeOf({ targetUri: nginx.url('nonsense') }), 'RTMP_CONNECT_REJECTED');
  });

  test('a name that is taken; free again as soon as its publisher has stopped', async () => {
    const targetUri = nginx.url();
    const holder = new Publishing({ targetUri, targetStreamName: 'held' }, plain.tracks);
    await holder.accepted;
    assert.equal(await codeOf({ targetUri, targetStreamName: 'held' }), 'RTMP_NAME_TAKEN');
    await holder.stop();
    const next = new Publishing({ targetUri, targetStreamName: 'held' }, plain.tracks);
    await next.accepted;
    await next.stop();
  });
});

test('nginx killed while publishing ends the session; the next attempt finds it again', async () => {
  await using master = await NginxRtmp.start();
  const publishing = new Publishing({ targetUri: master.url() }, plain.tracks);
  await publishing.accepted;
  const firstPicture = plain.units.find((unit) => unit.track.kind === 'video')!;
  publishing.write(new Lender().lend(firstPicture));
  await master.kill();
  const error = await publishing.ended;
  assert.ok(error instanceof ProtocolError && error.code === 'RTMP_CLOSED', String(error));
  const refused = await new Publishing({ targetUri: master.url() }, plain.tracks).ended;
  assert.equal((refused as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  await master.start();
  const again = new Publishing({ targetUri: master.url() }, plain.tracks);
  await again.accepted;
  await again.stop();
});

test('nginx frozen: GOPs are dropped in bounded memory, and all is well when it is back', async () => {
  await using master = await NginxRtmp.start();
  const queueMaxBytes = 512 * 1024;
  const targetUri = master.url('record');
  const publishing = new Publishing({ targetUri, queueMaxBytes }, plain.tracks);
  await publishing.accepted;
  const lender = new Lender();
  const pictures = plain.units.filter((unit) => unit.track.kind === 'video');
  const sendRound = async (round: number) => {
    for (const [index, unit] of pictures.entries()) {
      publishing.write(lender.lend(unit, round * SECONDS * 1000));
      assert.ok(publishing.publisher.stats.queueBytes <= queueMaxBytes);
      if (index % 25 === 0) await sleep(1);
    }
  };
  await sendRound(0);
  await until(() => publishing.publisher.stats.queueBytes === 0);
  master.freeze();
  let round = 1;
  for (; publishing.publisher.stats.droppedGops < 3; round += 1) {
    assert.ok(round < 40, 'the kernel takes too much for this test');
    await sendRound(round);
  }
  master.thaw();
  await until(() => publishing.publisher.stats.queueBytes === 0);
  await sendRound(round);
  await until(() => publishing.publisher.stats.queueBytes === 0);
  await publishing.stop();
  const recorded = [...flvTags(await master.recorded('cam'))].filter(
    ({ type, body }) => type === FlvTagType.video && body[1] === 1,
  );
  const offered = (round + 1) * pictures.length;
  assert.equal(recorded.length, offered - publishing.publisher.stats.droppedUnits);
  for (const [index, { timestampMs, body }] of recorded.entries()) {
    const previousMs = recorded[index - 1]?.timestampMs ?? Number.NaN;
    const isWhole = timestampMs === previousMs + 40 || parseVideoTagBody(body)?.keyframe;
    assert.ok(isWhole, `picture at ${timestampMs} ms behind one at ${previousMs} ms`);
  }
});
