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
  const secure = playUrls(URLS, {
    page: { protocol: 'https:', host: 'box.example' },
    isLocal: true,
  });
  assert.deepEqual(
    secure.map(({ kind, url }) => `${kind} ${url}`),
    [
      'hls https://box.example/live/cam/index.m3u8',
      'wsFlv wss://box.example/live/cam.flv',
      'rtmp rtmp://10.0.0.5:1935/live/cam',
      'novel srt://10.0.0.5:9000',
    ],
  );
  const plain = playUrls(
    { hls: 'https://10.0.0.5/live/x' },
    { page: { protocol: 'http:', host: 'box:81' }, isLocal: true },
  );
  assert.equal(plain[0]?.url, 'http://box:81/live/x');
});

const FLEET = { page: { protocol: 'https:', host: 'central.example' }, isLocal: false };

test('the fleet: as the gateway says, behind what the central side has', () => {
  const central = 'https://central.example/live/shop-1-cam.flv';
  const urls = playUrls(URLS, { ...FLEET, central });
  assert.deepEqual(
    urls.map(({ url }) => url),
    [central, URLS.hls, URLS.wsFlv, URLS.rtmp, URLS.novel],
  );
});

test('what is on the box alone leads nowhere from elsewhere', () => {
  const lonely = {
    flv: 'http://127.0.0.1:8081/live/yard.flv',
    hls: 'https://localhost/live/yard/index.m3u8',
    rtsp: 'rtsp://[::1]:8554/yard',
    rtmp: 'rtmp://127.0.0.1',
  };
  assert.deepEqual(playUrls(lonely, FLEET), []);
  const urls = playUrls({ ...lonely, rtmp: 'rtmp://127.example/live' }, FLEET);
  assert.deepEqual(urls, [{ kind: 'rtmp', url: 'rtmp://127.example/live' }]);
  for (const host of ['127.0.0.1:8080', 'localhost', '[::1]:8080']) {
    assert.equal(playUrls(lonely, { ...FLEET, page: { protocol: 'http:', host } }).length, 4);
  }
  const page = { protocol: 'https:', host: 'box.example' };
  assert.deepEqual(
    playUrls(lonely, { page, isLocal: true }).map(({ url }) => url),
    ['https://box.example/live/yard/index.m3u8', 'https://box.example/live/yard.flv'],
  );
});
