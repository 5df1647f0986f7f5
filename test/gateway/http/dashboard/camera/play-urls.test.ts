import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playUrls } from '../../../../../gateway/http/dashboard/camera/play-urls.ts';

const URLS = {
  rtmp: 'rtmp://10.0.0.5:1935/live/cam',
  wsFlv: 'ws://10.0.0.5:8080/live/cam.flv',
  novel: 'srt://10.0.0.5:9000',
  hls: 'http://10.0.0.5:8080/live/cam/index.m3u8',
};

test('the local view: what goes over HTTP is where the page is', () => {
  const secure = playUrls(URLS, { protocol: 'https:', host: 'box.example' });
  assert.deepEqual(
    secure.map(({ kind, url }) => `${kind} ${url}`),
    [
      'hls https://box.example/live/cam/index.m3u8',
      'wsFlv wss://box.example/live/cam.flv',
      'rtmp rtmp://10.0.0.5:1935/live/cam',
      'novel srt://10.0.0.5:9000',
    ],
  );
  const plain = playUrls({ hls: 'https://10.0.0.5/live/x' }, { protocol: 'http:', host: 'box:81' });
  assert.equal(plain[0]?.url, 'http://box:81/live/x');
});

test('the fleet: as the gateway says', () => {
  const urls = playUrls(URLS, undefined).map(({ url }) => url);
  assert.deepEqual(urls, [URLS.hls, URLS.wsFlv, URLS.rtmp, URLS.novel]);
});
