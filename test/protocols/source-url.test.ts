import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../codecs/errors.ts';
import { parseSourceUrl, redactUrl } from '../../protocols/source-url.ts';

describe('parseSourceUrl', () => {
  /** url, host, port, user, password */
  const cases: [string, string, [string, string, number, string?, string?]][] = [
    ['plain', 'rtsp://10.0.0.2/live', ['rtsp://10.0.0.2/live', '10.0.0.2', 554]],
    ['no path', 'rtsp://cam', ['rtsp://cam', 'cam', 554]],
    ['rtsps', 'rtsps://cam.local/x', ['rtsps://cam.local/x', 'cam.local', 322]],
    ['upper-case scheme', 'RTSP://cam:8554/x', ['rtsp://cam:8554/x', 'cam', 8554]],
    ['blanks around', ' rtsp://cam/x\n', ['rtsp://cam/x', 'cam', 554]],
    ['a blank in the path', 'rtsp://cam/a b', ['rtsp://cam/a%20b', 'cam', 554]],
    ['doubled scheme', 'rtsp://rtsp://u:p@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', 'p']],
    ['IPv6', 'rtsp://[fe80::1]:555/x', ['rtsp://[fe80::1]:555/x', 'fe80::1', 555]],
    [
      'IPv6 with a zone',
      'rtsp://[fe80::1%25eth0]/x',
      ['rtsp://[fe80::1%25eth0]/x', 'fe80::1%eth0', 554],
    ],
    ['IPv6 and user', 'rtsp://u:p@[::1]/x', ['rtsp://[::1]/x', '::1', 554, 'u', 'p']],
    ['user and password', 'rtsp://u:p@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', 'p']],
    ['user alone', 'rtsp://u@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', '']],
    ['user and colon', 'rtsp://u:@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', '']],
    ['empty user-info', 'rtsp://@cam/x', ['rtsp://cam/x', 'cam', 554]],
    ['empty user and password', 'rtsp://:@cam/x', ['rtsp://cam/x', 'cam', 554]],
    [
      'percent-encoded',
      'rtsp://a%40b:p%2F%C3%A9@cam/x',
      ['rtsp://cam/x', 'cam', 554, 'a@b', 'p/é'],
    ],
    ['a bare percent sign', 'rtsp://u:50%@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', '50%']],
    ['percent, not UTF-8', 'rtsp://u:%E9@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', '%E9']],
    /** mediamtx#2069; go2rtc#602, #1032; frigate#4974, PR#4259; VIGICam#80. */
    ['@ in the password', 'rtsp://u:p@ss@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', 'p@ss']],
    [': in the password', 'rtsp://u:a:b@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', 'a:b']],
    ['# in the password', 'rtsp://u:a#b@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', 'a#b']],
    ['/ in the password', 'rtsp://u:a/b@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', 'a/b']],
    ['? in the password', 'rtsp://u:a?b@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', 'a?b']],
    ['!^,[ in the password', 'rtsp://u:!^,[@cam/x', ['rtsp://cam/x', 'cam', 554, 'u', '!^,[']],
    [
      'a slash after digits in the password',
      'rtsp://admin:12/3@10.0.0.2/x',
      ['rtsp://10.0.0.2/x', '10.0.0.2', 554, 'admin', '12/3'],
    ],
    [
      'all of them in the password',
      'rtsp://admin:p@ss#1/2@10.0.0.2:554/live?x=1',
      ['rtsp://10.0.0.2:554/live?x=1', '10.0.0.2', 554, 'admin', 'p@ss#1/2'],
    ],
    [
      'raw password and @ in the query',
      'rtsp://u:a/b@10.0.0.2/x?m=a@b.com',
      ['rtsp://10.0.0.2/x?m=a@b.com', '10.0.0.2', 554, 'u', 'a/b'],
    ],
    ['@ in the path', 'rtsp://10.0.0.2/a@b.c', ['rtsp://10.0.0.2/a@b.c', '10.0.0.2', 554]],
    ['@ in the path, single name', 'rtsp://cam/a@b.c/x', ['rtsp://cam/a@b.c/x', 'cam', 554]],
    [
      '@ in the query, single name with the usual port',
      'rtsp://cam:554/x?m=a@10.0.0.3',
      ['rtsp://cam:554/x?m=a@10.0.0.3', 'cam', 554],
    ],
    [
      'user and @ in the path',
      'rtsp://u:p@10.0.0.2/a@10.0.0.3/x',
      ['rtsp://10.0.0.2/a@10.0.0.3/x', '10.0.0.2', 554, 'u', 'p'],
    ],
  ];
  for (const [name, text, [url, host, port, username, password = '']] of cases) {
    it(name, () => {
      assert.deepEqual(parseSourceUrl(text), {
        url,
        scheme: url.slice(0, url.indexOf(':')),
        host,
        port,
        credentials: username === undefined ? undefined : { username, password },
      });
    });
  }

  it('takes the schemes that it is told', () => {
    const ports = new Map([
      ['http', 80],
      ['https', 443],
    ]);
    const { url, port, credentials } = parseSourceUrl(
      'https://u:p@cam/flv?user=a&password=b',
      ports,
    );
    assert.deepEqual(
      [url, port, credentials],
      ['https://cam/flv?user=a&password=b', 443, { username: 'u', password: 'p' }],
    );
    assert.throws(() => parseSourceUrl('rtsp://cam/x', ports), /must with http:\/\/ or https:\/\//);
  });

  const refused: [string, string, RegExp][] = [
    ['nothing', '', /rtsp:\/\//],
    ['no scheme', 'cam/secret', /rtsp:\/\//],
    ['another scheme', 'http://u:secret@cam/x', /http:\/\//],
    ['no host', 'rtsp://', /host/],
    ['no host, a path', 'rtsp:///secret', /host/],
    ['user and no host', 'rtsp://u:secret@', /host/],
    ['user, no host, a path', 'rtsp://u:secret@/x', /host/],
    ['port 0', 'rtsp://u:secret@cam:0/x', /port/],
    ['port 65536', 'rtsp://cam:65536/x', /port/],
    ['a port that is none', 'rtsp://cam:secret/x', /host/],
    ['no port after the colon', 'rtsp://cam:/x', /host/],
    ['IPv6 without brackets', 'rtsp://fe80::1/x', /brackets/],
    ['not IPv6', 'rtsp://[fe80:1]/x', /host/],
    ['IPv4 in brackets', 'rtsp://[10.0.0.2]/x', /host/],
    ['an octet too large', 'rtsp://10.0.0.256/x', /host/],
    ['three octets', 'rtsp://10.0.2/x', /host/],
    ['a blank in the host', 'rtsp://c am/x', /host/],
    ['a line break in the path', 'rtsp://cam/x\r\nsecret: 1', /line break/],
    ['a line break in the password', 'rtsp://u:secret%0d%0a@cam/x', /control character/],
    ['a very long one', `rtsp://cam/${'secret'.repeat(1000)}`, /4096/],
  ];
  for (const [name, text, message] of refused) {
    it(`refuses ${name}, and does not tell the password`, () => {
      assert.throws(
        () => parseSourceUrl(text),
        (error) =>
          error instanceof ParseError &&
          message.test(error.message) &&
          !error.message.includes('secret'),
      );
    });
  }

  it('gives a URL that reads as itself, or a ParseError, for any text', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('rtsp://', 'u:p@', '10.0.0.2', ':554', '[::1]', '/', '?', '#', '@', ':', '%'),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.boolean(), (pieces, prefixed) => {
        const text = (prefixed ? 'rtsp://' : '') + pieces.join('');
        redactUrl(text);
        let parsed: ReturnType<typeof parseSourceUrl>;
        try {
          parsed = parseSourceUrl(text);
        } catch (error) {
          assert.ok(error instanceof ParseError, String(error));
          return;
        }
        assert.ok(parsed.port >= 1 && parsed.port <= 65_535);
        assert.doesNotMatch(parsed.url, /[\s\p{Cc}]/u);
        assert.ok(parsed.host !== '');
      }),
      { numRuns: 500 },
    );
  });

  it('finds any percent-encoded user and password again', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(name, name, (username, password) => {
        const userInfo = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
        const parsed = parseSourceUrl(`rtsp://${userInfo}@cam/x`);
        assert.deepEqual(parsed.credentials, { username, password });
        assert.equal(parsed.url, 'rtsp://cam/x');
      }),
    );
  });
});

describe('redactUrl', () => {
  const cases: [string, string, string][] = [
    ['nothing to hide', 'rtsp://cam/x?channel=1', 'rtsp://cam/x?channel=1'],
    ['user-info', 'rtsp://u:p@cam:554/x', 'rtsp://cam:554/x'],
    ['a raw password', 'rtsp://admin:p@ss#1/2@10.0.0.2:554/x', 'rtsp://10.0.0.2:554/x'],
    ['another scheme', 'rtmp://u:p@cam/app', 'rtmp://cam/app'],
    ['no scheme', 'u:p@cam/x', 'cam/x'],
    ['doubled scheme', 'rtsp://rtsp://u:p@cam/x', 'rtsp://rtsp://cam/x'],
    ['no valid host', 'rtsp://u:p@a!b@c!d/x', 'rtsp://c!d/x'],
    [
      'secrets in the query',
      'rtsp://cam/x?user=u&password=p&Pwd=p&pass=p&token=p&apikey=p&client_secret=p&channel=1',
      'rtsp://cam/x?user=u&password=***&Pwd=***&pass=***&token=***&apikey=***&client_secret=***&channel=1',
    ],
    ['a secret with = and /', 'rtsp://cam/x?password=a/b=c&y=1', 'rtsp://cam/x?password=***&y=1'],
    [
      'a secret in the path',
      'rtsp://cam/user=u&password=p&y=1',
      'rtsp://cam/user=u&password=***&y=1',
    ],
    ['joined by underscores', 'rtsp://cam/user=u_password=p_y=1', 'rtsp://cam/user=u_password=***'],
    [
      'a Reolink camera',
      'http://10.0.0.2/flv?port=1935&app=bcs&stream=channel0_main.bcs&user=admin&password=p@ss',
      'http://10.0.0.2/flv?port=1935&app=bcs&stream=channel0_main.bcs&user=admin&password=***',
    ],
    [
      'a signed stream name',
      'rtmp://cdn/live/cam?auth_key=1-2&sign=abc&wsSecret=x&design=1',
      'rtmp://cdn/live/cam?auth_key=***&sign=***&wsSecret=***&design=1',
    ],
    ['a folder called keys', 'rtsp://cam/keys/x?a=1', 'rtsp://cam/keys/x?a=1'],
    ['a very long one', `rtsp://u:${'p'.repeat(5000)}@cam/x`, '***'],
    ['nothing', '', ''],
  ];
  for (const [name, text, want] of cases) {
    it(name, () => assert.equal(redactUrl(text), want));
  }
});
