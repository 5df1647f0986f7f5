import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseRequestedUrl } from '../../../protocols/rtsp/requested-url.ts';

const HOST = 'rtsp://10.0.0.1:8554';

describe('parseRequestedUrl', () => {
  const cases: readonly [url: string, name: string, track?: number | undefined, token?: string][] =
    [
      [`${HOST}/door`, 'door'],
      [`${HOST}/door/`, 'door'],
      [`${HOST}/live/door`, 'door'],
      [`${HOST}/live`, 'live'],
      [`${HOST}/live/door/trackID=1`, 'door', 1],
      [`${HOST}/door/trackid=0`, 'door', 0],
      [`${HOST}/door/trackID=1000`, 'door/trackID=1000'],
      [`${HOST}/door?token=s3cret`, 'door', undefined, 's3cret'],
      [`${HOST}/door?token=s%20t/trackID=1`, 'door', 1, 's t'],
      [`${HOST}/door/?token=a&b=c/`, 'door', undefined, 'a'],
      [`${HOST}/live/site%201/door`, 'site 1/door'],
      [`${HOST}/100%`, '100%'],
      ['rtsps://user:p@ss@host/door', 'door'],
      ['/live/door/trackID=0', 'door', 0],
      [`${HOST}`, ''],
      [`${HOST}/`, ''],
      ['*', ''],
      ['rtsp://[::1]:8554/door', 'door'],
    ];
  for (const [url, name, track, token] of cases) {
    test(url, () => {
      const got = parseRequestedUrl(url);
      assert.deepEqual(
        { name: got.name, track: got.track, token: got.token },
        { name, track, token },
      );
    });
  }

  test('the base is what the client asked, without track and user', () => {
    assert.equal(parseRequestedUrl('rtsp://u:p@h/door?a=b/trackID=1').base, 'rtsp://h/door?a=b');
    assert.equal(parseRequestedUrl('rtsp://h/door/').base, 'rtsp://h/door');
  });

  test('anything is a name or none', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseRequestedUrl(text).name === 'string'));
  });
});
