import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlayUrls, type PlayUrlsContext } from '../../gateway/play-urls.ts';
import { Board } from '../../gateway/report/board.ts';
import { streamStatus } from '../support/reporting.ts';

function urlsWith(context: Partial<PlayUrlsContext>): PlayUrls {
  const urls = new PlayUrls({
    http: { listen: '0.0.0.0:8080' },
    acceptors: [],
    httpPort: () => 8080,
    hasSnapshot: () => false,
    address: () => '10.0.0.5',
    ...context,
  });
  urls.refresh(new Board());
  return urls;
}

const acceptor = (
  protocol: PlayUrlsContext['acceptors'][number]['protocol'],
  listen: string,
  apps = ['live'],
) => ({ protocol, listen, apps });

describe('PlayUrls', () => {
  it('nothing listens: there are none', () => {
    const urls = urlsWith({ httpPort: () => undefined });
    assert.deepEqual(urls.ofStream('front'), {});
    assert.deepEqual(urls.ofBox(), {});
  });

  it('over HTTP, and a snapshot only where there is one', () => {
    const live = '10.0.0.5:8080/live/front';
    const expected = {
      page: `http://${live}`,
      hls: `http://${live}/index.m3u8`,
      flv: `http://${live}.flv`,
      wsFlv: `ws://${live}.flv`,
      ts: `http://${live}.ts`,
    };
    assert.deepEqual(urlsWith({}).ofStream('front'), expected);
    const urls = urlsWith({ hasSnapshot: (name) => name === 'front' });
    assert.deepEqual(urls.ofStream('front'), { ...expected, snapshot: `http://${live}.jpg` });
    assert.equal(urls.ofStream('yard')['snapshot'], undefined);
  });

  it('with a certificate; on the port that it really has; on loopback', () => {
    const http = { listen: '127.0.0.1:0', certFile: 'a.pem' };
    const urls = urlsWith({ http, httpPort: () => 4443 });
    assert.equal(urls.ofStream('front')['wsFlv'], 'wss://127.0.0.1:4443/live/front.flv');
    assert.deepEqual(urls.ofBox(), {
      http: 'https://127.0.0.1:4443',
      mqttWs: 'wss://127.0.0.1:4443/mqtt',
    });
  });

  it('of acceptors that play, the first of each protocol, with an application that is answered', () => {
    const acceptors = [
      acceptor('rtmp', '127.0.0.1:1935', ['*']),
      acceptor('rtmp', '0.0.0.0:1936'),
      acceptor('rtmps', '[::]:443', ['my app', 'live']),
      acceptor('rtmpt', '10.1.1.1:80'),
      acceptor('liveflv', '0.0.0.0:6666'),
      acceptor('mpegts-udp', '239.1.1.1:9999'),
      acceptor('rtsp', '[::1]:8554'),
    ];
    const urls = urlsWith({ acceptors, httpPort: () => undefined });
    assert.deepEqual(urls.ofStream('front'), {
      rtmp: 'rtmp://127.0.0.1:1935/live/front',
      rtmps: 'rtmps://10.0.0.5:443/my%20app/front',
      rtmpt: 'rtmpt://10.1.1.1:80/live/front',
      rtsp: 'rtsp://[::1]:8554/front',
    });
    assert.deepEqual(urls.ofBox(), {
      rtmp: 'rtmp://127.0.0.1:1935/live',
      rtmps: 'rtmps://10.0.0.5:443/my%20app',
      rtmpt: 'rtmpt://10.1.1.1:80/live',
      rtsp: 'rtsp://[::1]:8554',
    });
  });

  it('a port that nobody can know beforehand is not told', () => {
    const acceptors = [acceptor('rtsp', '0.0.0.0:0')];
    assert.deepEqual(urlsWith({ acceptors, httpPort: () => undefined }).ofStream('front'), {});
  });

  it('the box gets another address: each stream is told anew, once', () => {
    const board = new Board();
    let address: string | undefined;
    const urls = new PlayUrls({
      http: { listen: '[::]:80' },
      acceptors: [],
      httpPort: () => 80,
      hasSnapshot: () => false,
      address: () => address,
    });
    board.urlsOf = (name) => urls.ofStream(name);
    board.setStreamStatus('front', streamStatus());
    board.setStreamInfo('front', { source: 'rtsp://10.0.0.2/', tracks: [] });
    assert.deepEqual(board.streams.get('front')?.info?.urls, {});
    const told: (string | undefined)[] = [];
    board.on('stream', ({ info }) => told.push(info?.urls['page']));
    urls.refresh(board);
    address = 'fd00::5';
    urls.refresh(board);
    urls.refresh(board);
    assert.deepEqual(told, ['http://127.0.0.1:80/live/front', 'http://[fd00::5]:80/live/front']);
  });
});
