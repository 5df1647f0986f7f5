/**
 * Live streams over HTTP from the whole gateway: ffmpeg publishes over RTMP; ffprobe, a WebSocket client and many plain
 * sockets watch. The units arrive bit by bit as they were published.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { adtsHeaderOf, setAdtsFrameBytes } from '../../codecs/aac/adts.ts';
import { concat } from '../../codecs/bytes.ts';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import { FlvTagType, flvTags } from '../../codecs/flv/tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import { parseDecoderConfigurationRecord } from '../../codecs/h264/decoder-configuration-record.ts';
import { nalUnits } from '../../codecs/nal-units.ts';
import { assertSameUnits, type CodedUnit, type SeenUnit } from '../support/compare-units.ts';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { flvUnits } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { hex } from '../support/hex.ts';
import { until } from '../support/until.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';

const run = promisify(execFile);

const MEDIA_SECONDS = 40;
const AAC = ['-c:a', 'aac', '-ac', '2'];
const TEST_MS = 90_000;
const PATIENCE_MS = 45_000;
const MAX_VIEWERS = 150;
const JPEG = concat(hex`ffd8ffe0`, new Uint8Array(60_000).fill(0x4a), hex`ffd9`);

let media: MediaFolder;
let flv: Uint8Array;
let camera: VirtualOnvif;
let gateway: GatewayProcess;
let sender: FfmpegSender;

before(async () => {
  media = await MediaFolder.make();
  const file = await media.makeFlv('media.flv', MEDIA_SECONDS, AAC);
  flv = await readFile(file);
  camera = await VirtualOnvif.start({
    rtspUrl: `rtsp://127.0.0.1:${await freePort()}/main`,
    auth: 'both',
    snapshot: JPEG,
  });
  const rtmpPort = await freePort();
  gateway = await GatewayProcess.start(
    `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
acceptors:
  - { protocol: rtmp, listen: "127.0.0.1:${rtmpPort}" }
streams:
  yard: { source: "onvif://127.0.0.1:${camera.port}", username: admin, password: secret }
`,
    { http: `limits: { viewers: ${MAX_VIEWERS} }` },
  );
  sender = new FfmpegSender(file, ['-f', 'flv', `rtmp://127.0.0.1:${rtmpPort}/live/cam`]);
  const isOnline = async () => (await fetch(urlOf('cam.flv'), { method: 'HEAD' })).ok;
  await gateway.until('the stream is there', isOnline, PATIENCE_MS);
});

after(async () => {
  await sender?.[Symbol.asyncDispose]();
  await gateway?.stop();
  await camera?.close();
  await media?.[Symbol.asyncDispose]();
});

const urlOf = (name: string) => `${gateway.url}/live/${name}`;

/** What ffprobe reads in about five seconds; it warns of every gap. */
async function probe(url: string): Promise<{ units: SeenUnit[]; warnings: string }> {
  const { stdout, stderr } = await run(
    'ffprobe',
    [
      ...['-v', 'warning', '-read_intervals', '%+5', '-show_packets'],
      ...['-show_data_hash', 'SHA256', '-of', 'json', url],
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const { packets } = JSON.parse(stdout) as { packets: Record<string, string>[] };
  const units = packets.map((packet) => ({
    kind: packet['codec_type'] as 'video' | 'audio',
    ptsUs: Math.round(Number(packet['pts_time']) * 1e6),
    dtsUs: Math.round(Number(packet['dts_time']) * 1e6),
    sha256: packet['data_hash']!.replace('SHA256:', ''),
  }));
  return { units, warnings: stderr };
}

/** The published units as a transport stream has them: start codes, a delimiter, parameter sets; ADTS. */
function asInTransportStream(): CodedUnit[] {
  const START = hex`00000001`;
  let sets: readonly Uint8Array[] = [];
  let adts: Uint8Array = new Uint8Array(0);
  const units: CodedUnit[] = [];
  const add = (
    kind: 'video' | 'audio',
    ms: number,
    delayMs: number,
    key: boolean,
    data: Uint8Array,
  ) => {
    const sha256 = createHash('sha256').update(data).digest('hex');
    units.push({ kind, dtsUs: ms * 1000, ptsUs: (ms + delayMs) * 1000, key, sha256 });
  };
  for (const { type, timestampMs, body } of flvTags(flv)) {
    if (type === FlvTagType.video) {
      const tag = parseVideoTagBody(body);
      if (tag?.content === 'config') {
        const { sps, pps } = parseDecoderConfigurationRecord(tag.data);
        sets = [...sps, ...pps];
      } else if (tag?.content === 'frame') {
        const parts = [hex`09f0`, ...(tag.keyframe ? sets : []), ...nalUnits(tag.data)];
        const data = concat(...parts.flatMap((nalUnit) => [START, nalUnit]));
        add('video', timestampMs, tag.compositionTimeMs, tag.keyframe, data);
      }
    } else if (type === FlvTagType.audio) {
      const tag = parseAudioTagBody(body);
      if (tag?.content === 'config') adts = adtsHeaderOf(tag.data)!;
      else if (tag?.content === 'frame') {
        setAdtsFrameBytes(adts, adts.length + tag.data.length);
        add('audio', timestampMs, 0, true, concat(adts, tag.data));
      }
    }
  }
  return units;
}

function viewer(path: string): { socket: Socket; head: Promise<string> } {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const head = once(socket, 'data').then(([chunk]) => String(chunk).split('\r\n')[0] ?? '');
  return { socket, head };
}

describe('live streams over HTTP', { concurrency: true, timeout: TEST_MS }, () => {
  test('HTTP-FLV: ffprobe reads what was published', async () => {
    const { units, warnings } = await probe(urlOf('cam.flv'));
    const { video, audio } = assertSameUnits(flvUnits(flv), units, { fewest: 200 });
    assert.ok(video > 60 && audio > 60, `${video} pictures, ${audio} sounds`);
    assert.equal(warnings, '');
  });

  test('HTTP-TS: ffprobe reads what was published', async () => {
    const { units, warnings } = await probe(urlOf('cam.ts'));
    const { video, audio } = assertSameUnits(asInTransportStream(), units, { fewest: 200 });
    assert.ok(video > 60 && audio > 60, `${video} pictures, ${audio} sounds`);
    assert.equal(warnings, '');
  });

  test('WebSocket-FLV: the same', async () => {
    const socket = new WebSocket(urlOf('cam.flv').replace('http', 'ws'));
    const messages: Buffer[] = [];
    socket.on('message', (data) => messages.push(data as Buffer));
    await once(socket, 'open');
    const seen = () => flvUnits(Buffer.concat(messages));
    await until(() => messages.length > 0 && seen().length > 200, PATIENCE_MS);
    const closed = once(socket, 'close');
    socket.close(1000);
    assert.equal((await closed)[0], 1000);
    assertSameUnits(flvUnits(flv), seen(), { fewest: 200 });
  });

  test('the snapshot of an ONVIF camera, one request for all who ask at once', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => fetch(urlOf('yard.jpg'))));
    for (const answer of answers) {
      assert.equal(answer.status, 200, gateway.log.slice(-2_000));
      assert.equal(answer.headers.get('content-type'), 'image/jpeg');
      assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), JPEG);
    }
    assert.equal(camera.snapshots, 1);
    assert.equal(camera.refusals, 0);
    const none = await fetch(urlOf('cam.jpg'));
    assert.equal(none.status, 404);
    assert.match(await none.text(), /no snapshot/);
  });

  test('what cannot be played is told in words', async () => {
    assert.equal((await fetch(urlOf('nobody.flv'))).status, 404);
    const offline = await fetch(urlOf('yard.ts'));
    assert.equal(offline.status, 503);
    assert.match(await offline.text(), /no source at the moment/);
  });
});

test('as many viewers as may be, some that never read: others are told, and /healthz answers', {
  timeout: TEST_MS,
}, async () => {
  const first = viewer('/live/cam.flv');
  assert.match(await first.head, /200 OK/);
  const more = Array.from({ length: MAX_VIEWERS }, (_, index) =>
    viewer(index % 2 === 0 ? '/live/cam.ts' : '/live/cam.flv'),
  );
  const heads = await Promise.all(more.map(({ head }) => head));
  const served = more.filter((_, index) => heads[index]?.includes('200 OK'));
  const refused = heads.filter((head) => head.includes('503'));
  assert.equal(served.length + refused.length, MAX_VIEWERS, heads.join());
  assert.ok(refused.length > 0 && served.length === MAX_VIEWERS - 1, `${served.length} served`);

  const [deaf, ...readers] = served.map(({ socket }) => socket);
  for (const socket of readers) socket.resume();
  deaf!.pause();
  const sinceMs = performance.now();
  const health = await fetch(`${gateway.url}/healthz`);
  assert.equal(health.status, 200);
  assert.ok(performance.now() - sinceMs < 5_000);
  const before = readers.map(({ bytesRead }) => bytesRead);
  await until(
    () => readers.every(({ bytesRead }, index) => bytesRead > (before[index] ?? 0) + 20_000),
    PATIENCE_MS,
  );
  for (const { socket } of [first, ...more]) socket.destroy();
  await gateway.until('there is room again', async () => {
    const { socket, head } = viewer('/live/cam.ts');
    const isServed = (await head).includes('200 OK');
    socket.destroy();
    return isServed;
  });
});

test('listening for others asks for a login: made at the first start, shown once', async () => {
  const http = 'cors: ["https://page.example"], play: { token: watch-me }';
  const mqtt = `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }\n`;
  await using open = await GatewayProcess.start(mqtt, { host: '0.0.0.0', http });
  const [, password = ''] = /shown this once: admin (\S+)\n/.exec(open.log) ?? [];
  assert.match(password, /^\S{20}$/, open.log);
  assert.equal(open.log.split(password).length, 2, 'nowhere else in the log');

  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    await fetch(`${open.url}${path}`, { method, headers });
  const login = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` };
  assert.equal((await ask('/healthz')).status, 200);
  assert.equal((await ask('/api/v1/streams')).status, 401);
  assert.equal((await ask('/api/v1/streams', login)).status, 200);
  assert.equal((await ask('/live/none.flv')).status, 401);
  assert.equal((await ask('/live/none.flv?token=guess')).status, 401);
  assert.equal((await ask('/live/none.flv?token=watch-me')).status, 404);

  const origin = 'https://page.example';
  const preflight = { origin, 'access-control-request-method': 'GET' };
  const allowed = await ask('/live/none.flv', preflight, 'OPTIONS');
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-origin'), origin);
  const read = await ask('/live/none.flv?token=watch-me', { origin });
  assert.equal(read.headers.get('access-control-allow-origin'), origin);

  await open.kill();
  await open.startAgain();
  assert.equal(open.log.split('shown this once').length, 2);
  assert.equal((await ask('/api/v1/streams', login)).status, 200);
});
