import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { registerSecret, registerUrlSecrets, scrub, scrubbedJson } from '../../gateway/secrets.ts';

registerSecret('hunter2');
registerSecret('hunter2-long');
registerSecret('a"b\\c+.*');
registerSecret('pass word/1');
registerSecret('abc');
registerSecret('4711');
registerSecret('front');
registerUrlSecrets('rtsp://admin:p%40ss%21word@10.0.0.1/');
registerUrlSecrets('rtsp://viewer:q@b:c#d/e?f@10.0.0.1:554/cam');

const cases: readonly (readonly [name: string, text: string, want: string])[] = [
  ['nothing to hide', 'rtsp://10.0.0.1:554/a?b=c', 'rtsp://10.0.0.1:554/a?b=c'],
  [
    'user-info of any scheme',
    'at rtsp://u:p@h/x and rtmp://u:p@h/y',
    'at rtsp://***@h/x and rtmp://***@h/y',
  ],
  ['a user alone', 'rtsp://token@h/', 'rtsp://***@h/'],
  ['an unescaped @ in the password', 'rtsp://u:p@ss@h/', 'rtsp://***@h/'],
  [
    'a password pasted as it is, with every delimiter (mediamtx#2069, go2rtc#602, frigate#4974)',
    'got "rtsp://admin:a@b:c#d/e?f@10.0.0.1:554/cam"',
    'got "rtsp://***@10.0.0.1:554/cam"',
  ],
  ['that password elsewhere', 'refused q@b:c#d/e?f', 'refused ***'],
  ['no user before the @ (where MPEG-TS comes)', 'udp://@239.1.1.1:5000', 'udp://@239.1.1.1:5000'],
  ['one URL behind another', 'rtsp://a:b@h/x,rtmp://c:d@i/y', 'rtsp://***@h/x,rtmp://***@i/y'],
  ['a URL without end', `rtsp://u:${'p'.repeat(5000)}@h/x`, 'rtsp://***@h/x'],
  ['an @ in the path is no user-info', 'rtsp://h/a@b', 'rtsp://h/a@b'],
  ['query parameters of cameras', '/v?user=admin&pwd=x1&n=1', '/v?user=admin&pwd=***&n=1'],
  ['a Reolink camera', 'http://c/flv?user=a&password=p@s', 'http://c/flv?user=a&password=***'],
  [
    'a Xiongmai camera, whose path has it',
    'rtsp://h/user=admin_password=tlJw_channel=1_stream=0.sdp',
    'rtsp://h/user=admin_password=***',
  ],
  [
    'signed stream names',
    'x?auth_key=1-2&wsSecret=3&sign=4',
    'x?auth_key=***&wsSecret=***&sign=***',
  ],
  ['a token at the end', 'rtmp://h/a?token=t', 'rtmp://h/a?token=***'],
  ['Basic credentials', 'Authorization: Basic YWRtaW46cGFzcw==', 'Authorization: Basic ***'],
  ['a known value', 'key=hunter2;', 'key=***;'],
  ['a known value that begins with another', 'hunter2-long', '***'],
  ['a known value twice', 'hunter2hunter2', '******'],
  ['within JSON', '{"x":"a\\"b\\\\c+.*"}', '{"x":"***"}'],
  ['within a URL', '/pass%20word%2F1', '/***'],
  ['decoded from a URL', 'p@ss!word', '***'],
  ['short values are left alone', 'abc', 'abc'],
];

/** frigate#1431, #6684; scrypted#2096; mediamtx PR#6158; HA#42904, #110891; openfollow#128 (in a bundle for support). */
describe('scrub', () => {
  for (const [name, text, want] of cases) {
    it(name, () => assert.equal(scrub(text), want));
  }
});

describe('scrubbedJson', () => {
  it('hides in any field what is hidden in a text', () => {
    const pieces = fc.constantFrom(
      ...[
        'a"b\\c+.*',
        'hunter2',
        'Basic YWRtaW46cGFzcw==',
        'Basic YWRtaW46eHl6',
        'Basic',
        'rtsp://u:p@h/',
        '?token=t',
        '\n',
        '\t',
        '"',
        '\\',
      ],
      ...[
        'n',
        't',
        'u',
        '4711',
        '&',
        '=',
        '@',
        ' ',
        'p@ss!word',
        'é',
        '\u2028',
        'pass word/1',
        'plain',
      ],
    );
    const text = fc.array(pieces, { maxLength: 6 }).map((some) => some.join(''));
    fc.assert(
      fc.property(text, text, (one, other) => {
        const { x, list } = JSON.parse(scrubbedJson({ x: one, list: [1, { y: other }] }));
        assert.equal(x, scrub(one));
        assert.deepEqual(list, [1, { y: scrub(other) }]);
      }),
      { numRuns: 2000 },
    );
  });

  it('masks texts and leaves numbers and public names as they are', () => {
    const value = {
      stream: 'front',
      streams: ['front', 'back'],
      height: 4711,
      reason: 'front said 4711',
      nested: [{ url: 'rtsp://u:p@h/' }],
      'rtsp://u:p@h/': null,
    };
    assert.deepEqual(JSON.parse(scrubbedJson(value)), {
      stream: 'front',
      streams: ['front', 'back'],
      height: 4711,
      reason: '*** said ***',
      nested: [{ url: 'rtsp://***@h/' }],
      'rtsp://***@h/': null,
    });
  });

  it('a URL under a public name is masked all the same', () => {
    assert.equal(scrubbedJson({ stream: 'rtsp://u:p@h/' }), '{"stream":"rtsp://***@h/"}');
  });
});
