import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';

const WELL_FORMED = [
  'v=0',
  'o=- 1 1 IN IP4 10.0.0.2',
  's=Session',
  'c=IN IP4 0.0.0.0',
  't=0 0',
  'a=control:*',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 packetization-mode=1;profile-level-id=64001F;sprop-parameter-sets=Z2QAH6w=,aO48gA==',
  'a=control:trackID=0',
  'a=recvonly',
  'm=audio 0 RTP/AVP 97',
  'a=rtpmap:97 MPEG4-GENERIC/48000/2',
  'a=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;config=1190',
  'a=control:trackID=1',
];

/** Of every `m=`, what it would be played as: `kind payloadType encoding/clockRate/channels parameters`. */
function summary(lines: readonly string[]): string[] {
  return parseSdp(lines.join('\r\n')).medias.map(({ kind, formats }) =>
    [
      kind,
      ...[...formats.values()].map((format) =>
        [
          format.payloadType,
          [format.encoding, format.clockRate, ...(format.channels ? [format.channels] : [])].join(
            '/',
          ),
          ...[...format.parameters].map(([key, value]) => `${key}=${value}`),
        ].join(' '),
      ),
    ].join(' | '),
  );
}

describe('parseSdp', () => {
  for (const [name, end] of [
    ['CR LF', '\r\n'],
    ['LF', '\n'],
    ['CR', '\r'],
    ['empty lines', '\r\n\r\n'],
    ['blanks at both ends', '  \r\n \t'],
    ['a zero byte at the end', '\0\r\n'],
  ] as const) {
    it(`reads a description whose lines end in ${name}`, () => {
      const { control, medias } = parseSdp(WELL_FORMED.join(end) + end);
      assert.equal(control, '*');
      assert.deepEqual(medias, [
        {
          kind: 'video',
          payloadTypes: [96],
          control: 'trackID=0',
          direction: 'recvonly',
          formats: new Map([
            [
              96,
              {
                payloadType: 96,
                encoding: 'h264',
                clockRate: 90_000,
                channels: undefined,
                parameters: new Map([
                  ['packetization-mode', '1'],
                  ['profile-level-id', '64001F'],
                  ['sprop-parameter-sets', 'Z2QAH6w=,aO48gA=='],
                ]),
              },
            ],
          ]),
        },
        {
          kind: 'audio',
          payloadTypes: [97],
          control: 'trackID=1',
          direction: undefined,
          formats: new Map([
            [
              97,
              {
                payloadType: 97,
                encoding: 'mpeg4-generic',
                clockRate: 48_000,
                channels: 2,
                parameters: new Map([
                  ['streamtype', '5'],
                  ['mode', 'AAC-hbr'],
                  ['sizelength', '13'],
                  ['indexlength', '3'],
                  ['config', '1190'],
                ]),
              },
            ],
          ]),
        },
      ]);
    });
  }

  for (const line of [
    's=another',
    's=',
    's',
    'c=IN',
    'c=',
    'c=IN IPV4 10.0.0.2',
    'k=clear:secret',
    'r=7d 1h 0 25h',
    'z=2882844526 -1h',
    'x=unknown',
    '=',
    'a=',
    'a=:',
    'a=rtpmap:',
    'a=rtpmap:96',
    'a=rtpmap:x H265/90000',
    'a=rtpmap:128 H265/90000',
    'a=fmtp:',
    'a=fmtp:96',
    'a=fmtp:96 ',
    'a=fmtp:-1 x=1',
    'a=control:',
    'not SDP at all',
    '\u{1F3A5}',
  ]) {
    it(`passes over ${JSON.stringify(line)}`, () => {
      const disturbed = WELL_FORMED.flatMap((good) => [line, good, line]).join('\r\n');
      assert.deepEqual(parseSdp(disturbed), parseSdp(WELL_FORMED.join('\r\n')));
    });
  }

  const formatCases: { name: string; lines: string[]; want: string[] }[] = [
    {
      name: 'several payload types on one m=',
      lines: ['m=video 0 RTP/AVP 96 97', 'a=rtpmap:96 H264/90000', 'a=rtpmap:97 H265/90000'],
      want: ['video | 96 h264/90000 | 97 h265/90000'],
    },
    {
      name: 'fmtp before rtpmap',
      lines: ['m=video 0 RTP/AVP 96', 'a=fmtp:96 a=1', 'a=rtpmap:96 H264/90000'],
      want: ['video | 96 h264/90000 a=1'],
    },
    {
      name: 'fmtp below another m=',
      lines: [
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 H264/90000',
        'm=audio 0 RTP/AVP 8',
        'a=fmtp:96 a=1',
      ],
      want: ['video | 96 h264/90000 a=1', 'audio | 8 pcma/8000/1'],
    },
    {
      name: 'fmtp above the first m=',
      lines: ['a=fmtp:96 a=1', 'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000'],
      want: ['video | 96 h264/90000 a=1'],
    },
    {
      name: 'fmtp for a payload type nobody has',
      lines: ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=fmtp:98 a=1'],
      want: ['video | 96 h264/90000 a=1'],
    },
    {
      name: 'fmtp for a payload type nobody has, besides the right one',
      lines: ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=fmtp:98 a=1', 'a=fmtp:96 b=2'],
      want: ['video | 96 h264/90000 b=2'],
    },
    {
      name: 'fmtp for a payload type nobody has, and two it could be of',
      lines: [
        'm=video 0 RTP/AVP 96 97',
        'a=rtpmap:96 H264/90000',
        'a=rtpmap:97 H265/90000',
        'a=fmtp:98 a=1',
      ],
      want: ['video | 96 h264/90000 | 97 h265/90000'],
    },
    {
      name: 'fmtp in two lines',
      lines: ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264', 'a=fmtp:96 a=1;b=', 'a=fmtp:96 a=2;b=3'],
      want: ['video | 96 h264/90000 a=1 b=3'],
    },
    {
      name: 'fmtp with blanks everywhere',
      lines: ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264', 'a=fmtp: 96   A = 1 ;  b=2;;  c=3 ; '],
      want: ['video | 96 h264/90000 a=1 b=2 c=3'],
    },
    {
      name: 'fmtp without semicolons',
      lines: [
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 H264',
        'a=fmtp:96 a=1 packetization-mode=1  c=3',
      ],
      want: ['video | 96 h264/90000 a=1 packetization-mode=1 c=3'],
    },
    {
      name: 'fmtp with a blank inside base64',
      lines: ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264', 'a=fmtp:96 s=Z2QAH6w=, aO48gA==;b=2'],
      want: ['video | 96 h264/90000 s=Z2QAH6w=, aO48gA== b=2'],
    },
    {
      name: 'fmtp that has no keys',
      lines: ['m=audio 0 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'],
      want: ['audio | 101 telephone-event/8000 0-15='],
    },
    {
      name: 'static payload types',
      lines: [
        'm=audio 0 RTP/AVP 0 8 14',
        'm=video 0 RTP/AVP 26',
        'm=video 0 RTP/AVP 33',
        'm=audio 0 RTP/AVP 10',
      ],
      want: [
        'audio | 0 pcmu/8000/1 | 8 pcma/8000/1 | 14 mpa/90000',
        'video | 26 jpeg/90000',
        'video | 33 mp2t/90000',
        'audio | 10 l16/44100/2',
      ],
    },
    {
      name: 'a static payload type used for something else',
      lines: ['m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMA/16000/1'],
      want: ['audio | 0 pcma/16000/1'],
    },
    {
      name: 'no clock rate',
      lines: [
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 H264',
        'm=audio 0 RTP/AVP 97',
        'a=rtpmap:97 L16/',
        'm=application 0 RTP/AVP 107',
        'a=rtpmap:107 vnd.onvif.metadata/0',
        'm=audio 0 RTP/AVP 14',
        'a=rtpmap:14 MPA',
      ],
      want: [
        'video | 96 h264/90000',
        'audio | 97 l16/8000',
        'application | 107 vnd.onvif.metadata/90000',
        'audio | 14 mpa/90000',
      ],
    },
    {
      name: 'blanks in rtpmap',
      lines: ['m=audio 0 RTP/AVP 97', 'a=rtpmap: 97  MPEG4-GENERIC / 16000 / 1'],
      want: ['audio | 97 mpeg4-generic/16000/1'],
    },
    {
      name: 'two rtpmaps for one payload type: the first',
      lines: ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=rtpmap:96 H265/90000'],
      want: ['video | 96 h264/90000'],
    },
    {
      name: 'no payload type on m=',
      lines: ['m=video 0 RTP/AVP', 'a=rtpmap:96 H264/90000', 'a=fmtp:96 a=1'],
      want: ['video | 96 h264/90000 a=1'],
    },
    {
      name: 'upper case',
      lines: ['M=VIDEO 0 RTP/AVP 96', 'A=RTPMAP:96 H264/90000', 'A=FMTP:96 A=B'],
      want: ['video | 96 h264/90000 a=B'],
    },
    {
      name: 'a dynamic payload type without rtpmap',
      lines: ['m=video 0 RTP/AVP 96', 'a=fmtp:96 a=1'],
      want: ['video'],
    },
    {
      name: 'm= with nothing, which keeps what follows off the video',
      lines: ['m=video 0 RTP/AVP 26', 'm=', 'a=rtpmap:99 X/1'],
      want: ['video | 26 jpeg/90000', ' | 99 x/1'],
    },
  ];
  for (const { name, lines, want } of formatCases) {
    it(`formats: ${name}`, () => assert.deepEqual(summary(lines), want));
  }

  it('gives the session’s direction to those that have none', () => {
    const lines = ['a=recvonly', 'm=video 0 RTP/AVP 26', 'm=audio 0 RTP/AVP 0', 'a=sendonly'];
    assert.deepEqual(
      parseSdp(lines.join('\n')).medias.map((media) => media.direction),
      ['recvonly', 'sendonly'],
    );
  });

  it('lists payload types once and as m= has them', () => {
    const [media] = parseSdp('m=video 0/2 RTP/AVP 97 96 * 200 97\na=rtpmap:98 H264/90000').medias;
    assert.deepEqual(media?.payloadTypes, [97, 96]);
    assert.deepEqual([...(media?.formats.keys() ?? [])], [98]);
  });

  it('keeps an absolute control whole', () => {
    const [media] = parseSdp('m=video 0 RTP/AVP 26\na=control:rtsp://h:554/x?a=b').medias;
    assert.equal(media?.control, 'rtsp://h:554/x?a=b');
  });

  it('stops at 256 medias', () => {
    const { medias } = parseSdp('m=video 0 RTP/AVP 26\n'.repeat(300));
    assert.equal(medias.length, 256);
  });

  it('stops at 64 formats of a media', () => {
    const numbers = Array.from({ length: 128 }, (_, index) => index);
    const maps = numbers.map((number) => `a=rtpmap:${number} X/1`).join('\n');
    const listed = parseSdp(`m=video 0 RTP/AVP ${numbers.join(' ')}\n${maps}`).medias[0];
    assert.equal(listed?.payloadTypes.length, 64);
    assert.equal(listed?.formats.size, 64);
    assert.equal(parseSdp(`m=video 0 RTP/AVP\n${maps}`).medias[0]?.formats.size, 64);
  });

  it('stops at 64 parameters of a format', () => {
    const pieces = Array.from({ length: 100 }, (_, index) => `k${index}=1`).join(';');
    const media = parseSdp(`m=video 0 RTP/AVP 26\na=fmtp:26 ${pieces}`).medias[0];
    assert.equal(media?.formats.get(26)?.parameters.size, 64);
  });

  it('stops at 10 000 lines', () => {
    const media = 'm=video 0 RTP/AVP 26';
    assert.equal(parseSdp(`${'x=\n'.repeat(9_999)}${media}`).medias.length, 1);
    assert.equal(parseSdp(`${'x=\n'.repeat(10_000)}${media}`).medias.length, 0);
  });

  it('reads any text without an exception', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ...WELL_FORMED,
        'm=',
        'a=',
        'rtpmap:',
        'fmtp:',
        '96',
        ' ',
        ';',
        '=',
        '\r',
        '\n',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const { medias } = parseSdp(pieces.join(''));
        for (const { formats } of medias) {
          for (const [payloadType, format] of formats) {
            assert.equal(format.payloadType, payloadType);
            assert.ok(format.clockRate > 0 && format.encoding !== '');
          }
        }
      }),
    );
  });
});
