import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createContext, Script } from 'node:vm';
import { HttpServer } from '../../../../gateway/http/http-server.ts';
import { playerPageRoute } from '../../../../gateway/viewers/hls/player-page.ts';
import { PLAYER_SCRIPT } from '../../../../gateway/viewers/hls/player-script.ts';
import { mediaPlaylist } from '../../../../gateway/viewers/hls/playlists.ts';
import { Segmenter } from '../../../../gateway/viewers/hls/segmenter.ts';
import { readMediaPlaylist } from '../../../support/hls-playlist.ts';
import { collectingLog } from '../../../support/reporting.ts';
import { VIDEO_TRACK, videoUnit } from '../../../support/units.ts';

const server = new HttpServer({
  listen: '127.0.0.1:0',
  limits: { viewers: 100, viewersPerAddress: 100 },
  admin: undefined,
  play: undefined,
  cors: [],
  routes: [playerPageRoute],
  log: collectingLog().log,
});

before(() => server.start());
after(() => server.stop());

const page = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);

test('the script is one that can be read', () => {
  new Script(PLAYER_SCRIPT);
  assert.doesNotMatch(PLAYER_SCRIPT, /<\/script/i);
});

/** The script in a browser in which nothing ever comes. */
function loaded(): PlayerFunctions {
  const element = { addEventListener: () => undefined, canPlayType: () => '', dataset: {} };
  const browser = createContext({
    document: { querySelector: () => element },
    location: { pathname: '/live/cam', search: '' },
    navigator: { vendor: '' },
    fetch: () => new Promise(() => undefined),
    performance,
    URLSearchParams,
    AbortController,
    setInterval: () => 0,
    clearInterval: () => undefined,
    setTimeout: () => 0,
  });
  new Script(PLAYER_SCRIPT).runInContext(browser);
  return browser as unknown as PlayerFunctions;
}

interface Piece {
  readonly uri: string;
  readonly map: string;
  readonly generation: number;
  readonly independent: boolean;
}

interface Playlist {
  readonly pieces: readonly Piece[];
  readonly holdBackS: number;
  readonly next: string;
}

interface PlayerFunctions {
  readonly readMedia: (text: string) => Playlist;
  readonly startOf: (playlist: Playlist) => number;
}

/** Twelve seconds of pictures, five a second, a keyframe each second; then as much from a source that returned. */
function playlistTexts(): [before: string, after: string] {
  const segmenter = new Segmenter(7, Date.now, { changed: () => undefined });
  const send = (seconds: number) => {
    segmenter.start([VIDEO_TRACK]);
    for (let n = 0; n <= seconds * 5; n += 1) {
      segmenter.write(videoUnit({ dtsUs: n * 200_000, randomAccess: n % 5 === 0 }));
    }
  };
  send(11.4);
  const before = mediaPlaylist(segmenter, '');
  segmenter.stop();
  send(0.4);
  return [before, mediaPlaylist(segmenter, '')];
}

test('it reads our playlists: whole segments, then parts, and what to ask for next', () => {
  const [text] = playlistTexts();
  const { pieces, holdBackS, next } = loaded().readMedia(text);
  const { segments, partHoldBack } = readMediaPlaylist(text);
  assert.equal(holdBackS, partHoldBack);
  assert.deepEqual(
    Array.from(pieces, ({ uri }) => uri),
    segments.flatMap(({ parts, uri }) =>
      parts.length > 0 ? parts.map((part) => part.uri) : [uri],
    ),
  );
  assert.ok(pieces.every(({ map, generation }) => map === 'init-0.mp4' && generation === 0));
  const open = segments.at(-1)!;
  assert.equal(next, `_HLS_msn=${open.number}&_HLS_part=${open.parts.length}`);
});

test('it begins with a keyframe, at least the hold-back behind the end, but not before a discontinuity', () => {
  const { readMedia, startOf } = loaded();
  const [before, after] = playlistTexts().map((text) => readMedia(text));
  const start = startOf(before!);
  assert.equal(before!.pieces[start]!.independent, true);
  // Parts of 0.4 s: four are 1.35 s.
  assert.ok(start <= before!.pieces.length - 4);
  assert.equal(after!.pieces[startOf(after!)]!.generation, 1);
  assert.equal(startOf(after!), after!.pieces.length - 1);
});

test('the page runs its own script and style and nothing else', async () => {
  const response = await page('/live/cam');
  const text = await response.text();
  const policy = response.headers.get('content-security-policy') ?? '';
  for (const [tag, directive] of [
    ['script', 'script-src'],
    ['style', 'style-src'],
  ] as const) {
    const [, content = ''] = new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(text) ?? [];
    const hash = createHash('sha256').update(content).digest('base64');
    assert.ok(policy.includes(`${directive} 'sha256-${hash}'`));
  }
  assert.match(policy, /^default-src 'none';/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.doesNotMatch(text, /(?:src|href)=/);
});

test('other paths below /live are not the page', async () => {
  for (const path of ['/live/', '/live/cam.flv', '/live/cam/x', '/live/cam/index.m3u8']) {
    assert.equal((await page(path)).status, 404, path);
  }
  assert.equal((await page('/live/Front%20Door/')).status, 200);
});
