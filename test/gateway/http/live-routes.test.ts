import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, afterEach, before, describe, it, mock } from 'node:test';
import { WebSocket } from 'ws';
import { FlvTagType, flvTags } from '../../../codecs/flv/tag.ts';
import type { Track } from '../../../codecs/track.ts';
import { HttpServer } from '../../../gateway/http/http-server.ts';
import { LiveRoutes } from '../../../gateway/http/live-routes.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import { BacklogBudget } from '../../../gateway/viewers/backlog-budget.ts';
import { TsDemuxer } from '../../../protocols/mpegts/demuxer.ts';
import { hex } from '../../support/hex.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { collectingLog } from '../../support/reporting.ts';
import { avcc } from '../../support/rtp-packets.ts';
import { AUDIO_TRACK, audioUnit, G711_TRACK, VIDEO_TRACK } from '../../support/units.ts';

const KEY = avcc(hex`09f0`, VIDEO_TRACK.sps, VIDEO_TRACK.pps, hex`658884aabbcc`);
const slice = (n: number) => avcc(hex`09f0`, hex`419a ${n.toString(16).padStart(2, '0')} 77`);

describe('live streams over HTTP', () => {
  const hub = new Hub(0, () => 0);
  const live = new LiveRoutes(hub, { now: () => performance.now(), budget: new BacklogBudget() });
  const server = new HttpServer({
    listen: '127.0.0.1:0',
    limits: { viewers: 100, viewersPerAddress: 100 },
    admin: undefined,
    play: undefined,
    cors: [],
    routes: live.routes,
    log: collectingLog().log,
  });
  before(() => server.start());
  after(() => server.stop());
  afterEach(() => {
    for (const { name } of [...hub.streams]) hub.remove(name);
  });

  function online(name: string, tracks: readonly Track[] = [VIDEO_TRACK, AUDIO_TRACK]) {
    const stream = hub.open(name);
    stream.start(tracks);
    let n = 0;
    return {
      stream,
      /** Pictures with a sound each; every fifth is a keyframe. */
      write: (count: number) => {
        for (let last = n + count; n < last; n += 1) {
          const data = n % 5 === 0 ? KEY : slice(n);
          const [dtsUs, randomAccess] = [n * 40_000, n % 5 === 0];
          const unit = { track: VIDEO_TRACK, dtsUs, ptsUs: dtsUs, randomAccess, data, kept: false };
          stream.write(unit);
          stream.write(audioUnit({ dtsUs: n * 40_000, fill: n }));
        }
      },
    };
  }

  async function get(path: string, method = 'GET'): Promise<IncomingMessage> {
    const asked = request({ port: server.port!, host: '127.0.0.1', path, method, agent: false });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    return response;
  }

  async function text(response: IncomingMessage): Promise<string> {
    let all = '';
    for await (const chunk of response) all += chunk;
    return all;
  }

  /** Bytes until there is enough of them. */
  async function readUntil(response: IncomingMessage, isEnough: (bytes: Buffer) => boolean) {
    let bytes = Buffer.alloc(0);
    for await (const chunk of response) {
      bytes = Buffer.concat([bytes, chunk as Buffer]);
      if (isEnough(bytes)) return bytes;
    }
    assert.fail(`it ended after ${bytes.length} bytes`);
  }

  /** undefined while the last tag is not whole. */
  function wholeTags(bytes: Uint8Array) {
    try {
      return [...flvTags(bytes)];
    } catch {
      return undefined;
    }
  }

  it('HTTP-FLV: the file header, what the tracks are, then units from a keyframe on', async () => {
    const { stream, write } = online('front-door');
    const response = await get('/live/Front%20Door.flv');
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['content-type'], 'video/x-flv');
    assert.equal(response.headers['transfer-encoding'], undefined);
    assert.equal(stream.viewers, 1);
    write(6);
    const bytes = await readUntil(response, (all) => (wholeTags(all)?.length ?? 0) >= 3 + 10);
    assert.equal(bytes[4], 5, 'picture and sound');
    const tags = wholeTags(bytes)!;
    assert.deepEqual(
      tags.slice(0, 4).map(({ type }) => type),
      [FlvTagType.scriptData, FlvTagType.video, FlvTagType.audio, FlvTagType.video],
    );
  });

  it('who joins late begins with the GOP, and who leaves is gone', async () => {
    const { stream, write } = online('cam');
    const first = await get('/live/cam.flv');
    write(8);
    await readUntil(first, (all) => (wholeTags(all)?.length ?? 0) >= 3 + 10);
    const second = await get('/live/cam.flv');
    const bytes = await readUntil(second, (all) => (wholeTags(all)?.length ?? 0) >= 3 + 3);
    const picture = wholeTags(bytes)!.find(({ timestampMs }) => timestampMs > 0);
    assert.equal(picture?.timestampMs, 200, 'the sixth picture is a keyframe');
    // Leaving the loop of `readUntil` has closed both.
    while (stream.viewers > 0) await new Promise(setImmediate);
  });

  it('HTTP-TS: the same units', async () => {
    const { write } = online('cam');
    const response = await get('/live/cam.ts');
    assert.equal(response.headers['content-type'], 'video/mp2t');
    write(6);
    const sink = new RecordingSink();
    const demuxer = new TsDemuxer({ sink, now: () => 0, program: undefined });
    for await (const chunk of response) {
      demuxer.push(chunk, 0, chunk.length);
      if (sink.video.length >= 5) break;
    }
    assert.deepEqual(
      sink.video.slice(0, 5).map(({ data }) => data),
      [KEY, ...[1, 2, 3, 4].map(slice)],
    );
    assert.deepEqual(sink.audio[1]?.data, new Uint8Array(10).fill(1));
  });

  it('WebSocket-FLV: messages of whole tags, shared by all', async () => {
    const { stream, write } = online('cam');
    const sockets = [1, 2].map(() => new WebSocket(`ws://127.0.0.1:${server.port!}/live/cam.flv`));
    const messages = sockets.map((socket) => {
      const got: Buffer[] = [];
      socket.on('message', (data) => got.push(data as Buffer));
      return got;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    while (stream.viewers < 2) await new Promise(setImmediate);
    write(6);
    while (messages.some((got) => got.length < 4 + 10)) await new Promise(setImmediate);
    assert.deepEqual(messages[0], messages[1]);
    const [header, ...rest] = messages[0]!;
    for (const message of rest)
      assert.equal(wholeTags(Buffer.concat([header!, message]))?.length, 1);
    const closed = sockets.map((socket) => once(socket, 'close'));
    for (const socket of sockets) socket.close();
    await Promise.all(closed);
    while (stream.viewers > 0) await new Promise(setImmediate);
  });

  it('a WebSocket that is told lies, or too much, is closed, and no one else', async () => {
    const { stream, write } = online('cam');
    const other = await get('/live/cam.flv');
    const socket = new WebSocket(`ws://127.0.0.1:${server.port!}/live/cam.flv`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.send(Buffer.alloc(5_000));
    assert.equal((await closed)[0], 1009);
    while (stream.viewers > 1) await new Promise(setImmediate);
    write(6);
    await readUntil(other, (all) => (wholeTags(all)?.length ?? 0) >= 5);
  });

  it('HEAD: what it would be, without a viewer', async () => {
    const { stream } = online('cam');
    const response = await get('/live/cam.ts', 'HEAD');
    assert.equal(response.headers['content-type'], 'video/mp2t');
    assert.equal(await text(response), '');
    assert.equal(stream.viewers, 0);
  });

  const refused = [
    ['no such stream', '/live/nobody.flv', 404, /"not-found".*no stream of that name/],
    ['a name of nothing', '/live/%2e%2e.flv', 404, /"not-found"/],
    ['a stream without a source', '/live/idle.ts', 503, /"offline"/],
    ['codecs without a form', '/live/phone.ts', 406, /MPEG-TS has no form for G\.711 A-law/],
  ] as const;
  for (const [name, path, status, words] of refused) {
    it(`${name}: ${status}, over WebSocket, too`, async () => {
      hub.open('idle');
      online('phone', [{ ...G711_TRACK, sampleRate: 16_000 }]);
      const response = await get(path);
      assert.equal(response.statusCode, status);
      assert.match(await text(response), words);
      const socket = new WebSocket(`ws://127.0.0.1:${server.port!}${path.replace('.ts', '.flv')}`);
      const [error] = await once(socket, 'error');
      assert.match(String(error), new RegExp(`Unexpected server response: ${status}`));
    });
  }

  it('a source that is away for 15 s ends it; one that comes back goes on', async () => {
    const { stream, write } = online('cam');
    const response = await get('/live/cam.flv');
    const socket = new WebSocket(`ws://127.0.0.1:${server.port!}/live/cam.flv`);
    await once(socket, 'open');
    while (stream.viewers < 2) await new Promise(setImmediate);
    write(2);
    const ended = once(response.resume(), 'end');
    const closed = once(socket, 'close');
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      stream.stop();
      mock.timers.tick(14_000);
      stream.start([VIDEO_TRACK]);
      mock.timers.tick(60_000);
      assert.equal(stream.viewers, 2);
      stream.stop();
      mock.timers.tick(15_000);
    } finally {
      mock.timers.reset();
    }
    await ended;
    assert.equal((await closed)[0], 1001);
  });
});
