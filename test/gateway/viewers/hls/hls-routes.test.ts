import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { concat } from '../../../../codecs/bytes.ts';
import { boxes } from '../../../../codecs/mp4/boxes.ts';
import { HttpServer } from '../../../../gateway/http/http-server.ts';
import { Hub } from '../../../../gateway/hub/hub.ts';
import { hlsRoutes } from '../../../../gateway/viewers/hls/hls-routes.ts';
import { HlsStreams } from '../../../../gateway/viewers/hls/hls-streams.ts';
import { readMediaPlaylist } from '../../../support/hls-playlist.ts';
import { collectingLog } from '../../../support/reporting.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  G711_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../../support/units.ts';
import { until } from '../../../support/until.ts';

const { log } = collectingLog();
const hub = new Hub(0, () => performance.now());
const streams = new HlsStreams({
  hub,
  maxBytes: 64e6,
  log,
  now: () => performance.now(),
  wallClock: Date.now,
});
const server = new HttpServer({
  listen: '127.0.0.1:0',
  limits: { viewers: 100, viewersPerAddress: 100 },
  admin: undefined,
  play: undefined,
  cors: [],
  routes: hlsRoutes(streams),
  log,
});

before(() => server.start());
after(async () => {
  streams.stop();
  await server.stop();
});

/** A source that sends pictures when it is told to: five a second, a keyframe each second. */
class Source {
  readonly name: string;
  pictureBytes = 40;
  #n = 0;

  constructor(name: string) {
    this.name = name;
    hub.open(name).start([VIDEO_TRACK, AUDIO_TRACK]);
  }

  send(seconds: number): void {
    for (const end = this.#n + seconds * 5; this.#n < end; this.#n += 1) {
      const dtsUs = this.#n * 200_000;
      hub.open(this.name).write(
        videoUnit({
          dtsUs,
          randomAccess: this.#n % 5 === 0,
          fill: this.#n,
          byteLength: this.pictureBytes,
        }),
      );
      hub.open(this.name).write(audioUnit({ dtsUs, fill: this.#n }));
    }
  }

  url(file: string): string {
    return `http://127.0.0.1:${server.port}/live/${this.name}/${file}`;
  }

  /** Whoever asks first begins the segmenter: what is sent then is what it gets. */
  async begun(seconds = 3.6): Promise<void> {
    const first = this.playlist();
    await until(() => isBegun(this.name));
    this.send(seconds);
    await first;
  }

  async playlist(query = '') {
    const response = await fetch(this.url(`media.m3u8${query}`));
    assert.equal(response.status, 200, await response.clone().text());
    return readMediaPlaylist(await response.text());
  }
}

function isBegun(name: string): boolean {
  return streams.open(name, 'test')?.segmenter.isOnline === true;
}

async function bytesOf(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'video/mp4');
  return new Uint8Array(await response.arrayBuffer());
}

const statusOf = async (url: string) => (await fetch(url)).status;

describe('HLS over HTTP', () => {
  test('the first request waits for the first segment; then there is all that the playlists name', async () => {
    const source = new Source('one');
    const first = fetch(source.url('index.m3u8'));
    await until(() => isBegun('one'));
    source.send(3.4);
    const response = await first;
    assert.equal(response.headers.get('content-type'), 'application/vnd.apple.mpegurl');
    assert.match(await response.text(), /CODECS="avc1.42c01e,mp4a.40.2".*\nmedia\.m3u8\n$/);

    const playlist = await source.playlist();
    const init = await bytesOf(source.url(playlist.segments[0]!.map));
    assert.deepEqual(
      [...boxes(init)].map(({ type }) => type),
      ['ftyp', 'moov'],
    );
    const [segment] = playlist.segments;
    const parts = await Promise.all(segment!.parts.map(({ uri }) => bytesOf(source.url(uri))));
    const whole = await bytesOf(source.url(segment!.uri!));
    assert.deepEqual(concat(...parts), whole);
    assert.deepEqual(
      [...boxes(parts[0]!)].map(({ type }) => type),
      ['moof', 'mdat'],
    );
    const head = await fetch(source.url(segment!.uri!), { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), `${whole.length}`);
  });

  test('who takes a segment byte by byte does not keep it for ever', async (context) => {
    const source = new Source('large');
    source.pictureBytes = 2_000_000;
    await source.begun();
    const { segments } = await source.playlist();
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const asked = request(source.url(segments[0]!.uri!)).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const gone = once(response, 'error');
    context.mock.timers.tick(60_000);
    response.resume();
    await gone;
    assert.ok(!response.complete);
  });

  test('a name as people write it', async () => {
    const source = new Source('front-door');
    await source.begun();
    assert.equal(
      await statusOf(source.url('index.m3u8').replace('front-door', 'Front%20Door')),
      200,
    );
  });

  test('the token goes on to every URI', async () => {
    const source = new Source('two');
    await source.begun();
    const index = await (await fetch(source.url('index.m3u8?token=a%2Bb%22&x=1'))).text();
    assert.match(index, /\nmedia\.m3u8\?token=a%2Bb%22\n/);
    const { segments, preloadHint } = await source.playlist('?token=a%2Bb%22');
    const uris = segments.flatMap(({ uri, map, parts }) => [
      uri,
      map,
      ...parts.map((part) => part.uri),
    ]);
    for (const uri of [...uris, preloadHint]) {
      assert.match(uri ?? '?token=a%2Bb%22', /\?token=a%2Bb%22$/);
    }
    assert.equal(await statusOf(source.url(segments[0]!.map)), 200);
  });

  test('behind a token every URI of the playlists opens as it stands', async () => {
    const source = new Source('locked');
    const guarded = new HttpServer({
      listen: '127.0.0.1:0',
      limits: { viewers: 100, viewersPerAddress: 100 },
      admin: undefined,
      play: { token: 'a+b&c' },
      cors: [],
      routes: hlsRoutes(streams),
      log,
    });
    await guarded.start();
    await source.begun();
    const at = (file: string) => `http://127.0.0.1:${guarded.port}/live/locked/${file}`;
    assert.equal(await statusOf(at('index.m3u8')), 401);
    const index = await (await fetch(at('index.m3u8?token=a%2Bb%26c'))).text();
    const [, media = ''] = /\n(media.*)\n/.exec(index) ?? [];
    const { segments } = readMediaPlaylist(await (await fetch(at(media))).text());
    const { map, uri = '', parts } = segments[0]!;
    for (const file of [map, uri, parts[0]!.uri]) assert.equal(await statusOf(at(file)), 200, file);
    assert.equal(await statusOf(at(uri.split('?')[0]!)), 401);
    await guarded.stop();
  });

  test('a reload waits for the part that it names', async () => {
    const source = new Source('three');
    await source.begun();
    const { segments } = await source.playlist();
    const open = segments.at(-1)!;
    const wanted = `?_HLS_msn=${open.number}&_HLS_part=${open.parts.length}`;
    let isAnswered = false;
    const waiting = source.playlist(wanted).then((playlist) => {
      isAnswered = true;
      return playlist;
    });
    source.send(0.2);
    await source.playlist();
    assert.equal(isAnswered, false);
    source.send(0.4);
    assert.ok((await waiting).segments.at(-1)!.parts.length > open.parts.length);
  });

  test('a reload without part waits for the whole segment; of what is past it is answered at once', async () => {
    const source = new Source('four');
    await source.begun();
    const { segments } = await source.playlist();
    const open = segments.at(-1)!;
    const waiting = source.playlist(`?_HLS_msn=${open.number}`);
    source.send(2);
    const now = (await waiting).segments.find(({ number }) => number === open.number);
    assert.notEqual(now?.uri, undefined);
    await source.playlist(`?_HLS_msn=${segments[0]!.number}&_HLS_part=99`);
  });

  test('who asks as Chromium does, and knows the newest segment already, waits for the next one', async () => {
    const source = new Source('twelve');
    await source.begun();
    const asChromium = () =>
      fetch(source.url('media.m3u8'), { headers: { range: 'bytes=0-', 'user-agent': 'Chromium' } });
    const newest = async (response: Response) =>
      readMediaPlaylist(await response.text()).segments.findLast(({ uri }) => uri !== undefined)!
        .number;
    const known = await newest(await asChromium());
    let isAnswered = false;
    const waiting = asChromium().then((response) => {
      isAnswered = true;
      return newest(response);
    });
    source.send(0.6);
    // Others are answered meanwhile.
    await source.playlist();
    await source.playlist();
    assert.equal(isAnswered, false);
    source.send(2);
    assert.equal(await waiting, known + 1);
  });

  test('the part that is hinted at is waited for; when its segment ends without it there is none', async () => {
    const source = new Source('five');
    await source.begun(3);
    const { preloadHint } = await source.playlist();
    const waiting = bytesOf(source.url(preloadHint));
    source.send(0.6);
    assert.equal([...boxes(await waiting)][0]!.type, 'moof');
    const next = (await source.playlist()).preloadHint;
    const never = fetch(source.url(next));
    await untilWaiting(source.url('media.m3u8'));
    hub.open('five').stop();
    // What was begun of it is its last part.
    assert.equal((await never).status, 200);
    const after = (await source.playlist()).preloadHint;
    assert.match(after, /-0\.m4s$/);
  });

  test('what makes no sense, and what is not there', async () => {
    const source = new Source('six');
    await source.begun();
    const { segments } = await source.playlist();
    const last = segments.at(-1)!.number;
    for (const [file, status] of [
      [`media.m3u8?_HLS_msn=${last + 2}`, 400],
      ['media.m3u8?_HLS_part=1', 400],
      ['media.m3u8?_HLS_msn=x', 400],
      [`media.m3u8?_HLS_msn=${last}&_HLS_part=-1`, 400],
      ['segment-1.m4s', 404],
      [`segment-${last}.m4s`, 404],
      [`part-${last}-99.m4s`, 404],
      ['part-1-1.m4s', 404],
      ['init-99.mp4', 404],
      ['segment-.m4s', 404],
      ['other.m3u8', 404],
    ] as const) {
      assert.equal(await statusOf(source.url(file)), status, file);
    }
    assert.equal(await statusOf(source.url('index.m3u8').replace('six', 'nobody')), 404);
  });

  test('a stream whose source is away is not there; when it goes while the first segment is awaited, it says so', async () => {
    const source = new Source('seven');
    const waiting = statusOf(source.url('index.m3u8'));
    await until(() => isBegun('seven'));
    hub.open('seven').stop();
    assert.equal(await waiting, 503);
  });

  test('while the source is away, and until it sends again, nobody begins with what is old', async () => {
    const source = new Source('ten');
    await source.begun();
    hub.open('ten').stop();
    assert.equal(await statusOf(source.url('index.m3u8')), 404);
    assert.equal(await statusOf(source.url('media.m3u8')), 200);
    hub.open('ten').start([VIDEO_TRACK, AUDIO_TRACK]);
    let isAnswered = false;
    const waiting = statusOf(source.url('index.m3u8')).finally(() => {
      isAnswered = true;
    });
    await untilWaiting(source.url('media.m3u8'));
    assert.equal(isAnswered, false);
    source.send(2);
    assert.equal(await waiting, 200);
  });

  test('viewers are counted on the stream', async () => {
    const source = new Source('eleven');
    await source.begun();
    await fetch(source.url('media.m3u8'), { headers: { 'user-agent': 'another' } });
    // The third is this test, which looks on.
    assert.equal(hub.get('eleven')!.viewers, 3);
  });

  test('G.711 alone: what is wrong, in words', async () => {
    const source = new Source('eight');
    const stream = hub.open('eight');
    stream.stop();
    stream.start([G711_TRACK]);
    const waiting = fetch(source.url('index.m3u8'));
    await until(() => isBegun('eight'));
    stream.write(audioUnit({ track: G711_TRACK, dtsUs: 0 }));
    const response = await waiting;
    assert.equal(response.status, 415);
    assert.match(await response.text(), /HLS cannot carry.*G\.711 A-law/);
  });

  test('whoever hangs up while waiting leaves nothing behind', async () => {
    const source = new Source('nine');
    const asked = request(source.url('index.m3u8'));
    asked.on('error', () => undefined);
    asked.end();
    await until(() => isBegun('nine'));
    asked.destroy();
    source.send(3.4);
    assert.equal(await statusOf(source.url('index.m3u8')), 200);
  });
});

/** A request that was sent before this one on another connection has been taken. */
async function untilWaiting(url: string): Promise<void> {
  await statusOf(url);
  await statusOf(url);
}
