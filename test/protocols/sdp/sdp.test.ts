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
          port: 0,
          protocol: 'rtp/avp',
          address: '0.0.0.0',
          sources: [],
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
          port: 0,
          protocol: 'rtp/avp',
          address: '0.0.0.0',
          sources: [],
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

describe('where media is sent', () => {
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ['as the RFC has it', 'c=IN IP4 239.1.1.1/16', '239.1.1.1'],
    ['with a count', 'c=IN IP4 239.1.1.1/16/3', '239.1.1.1'],
    ['IPv6', 'c=IN IP6 ff3e::1/3', 'ff3e::1'],
    ['a name', 'c=IN IP4 cam.example', 'cam.example'],
    ['IPV4 (mediamtx#2128)', 'c=IN IPV4 10.10.10.10', '10.10.10.10'],
    ['without a type (gortsplib PR#1025)', 'c=IN 192.168.4.27', '192.168.4.27'],
    ['twice its own letter (gortsplib)', 'c=IN c=IN IP4 10.0.0.2', '10.0.0.2'],
    ['nothing behind IN (Uniview, mediamtx#5033)', 'c=IN', undefined],
    ['nothing behind IN and a blank (go2rtc#1663)', 'c=IN ', undefined],
    ['nothing (Sony SNC-WR630, mediamtx#85)', 'c=', undefined],
  ];
  for (const [name, line, want] of rows) {
    it(name, () => {
      const { medias } = parseSdp(`v=0\r\n${line}\r\nm=video 5000/2 RTP/AVP 96\r\n`);
      assert.equal(medias[0]?.address, want);
      assert.equal(medias[0]?.port, 5000);
    });
  }

  it('a media’s own goes before the session’s; a filter is the session’s where it has none', () => {
    const { medias } = parseSdp(
      [
        'c=IN IP4 239.1.1.1/8',
        'a=source-filter: incl IN IP4 * 10.0.0.7',
        'm=video 5000 RTP/AVP 96',
        'm=audio 70000 RTP/SAVP 97',
        'c=IN IP4 239.1.1.2/8',
        'a=source-filter:incl IN IP4 239.1.1.2 10.0.0.8 enc.example.com 10.0.0.9',
        'm=audio 5004 RTP/AVP 97',
        'a=source-filter: excl IN IP4 * 10.0.0.9',
      ].join('\n'),
    );
    assert.deepEqual(
      medias.map(({ address, port, protocol, sources }) => [address, port, protocol, sources]),
      [
        ['239.1.1.1', 5000, 'rtp/avp', ['10.0.0.7']],
        ['239.1.1.2', 0, 'rtp/savp', ['10.0.0.8', '10.0.0.9']],
        ['239.1.1.1', 5004, 'rtp/avp', ['10.0.0.7']],
      ],
    );
  });
});

/** What cameras were reported to send, shortened to what made other readers refuse it. */
describe('descriptions that others refuse', () => {
  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'Uniview IPC2122LB, IPC2A4L (mediamtx#5008, #5033; gortsplib#618): empty o= and c=',
      [
        'v=0',
        'o=- 1001 1 IN ',
        's=VCP IPC Realtime stream',
        'm=video 0 RTP/AVP 105',
        'c=IN ',
        'a=control:rtsp://10.0.0.2/media/video1/video',
        'a=rtpmap:105 H264/90000',
        'a=fmtp:105 profile-level-id=640032; packetization-mode=1',
        'm=application 0 RTP/AVP 107',
        'c=IN ',
        'a=rtpmap:107 vnd.onvif.metadata/90000',
        'a=fmtp:107 DecoderTag=h3c-v3 RTCP=0',
      ],
      [
        'video | 105 h264/90000 profile-level-id=640032 packetization-mode=1',
        'application | 107 vnd.onvif.metadata/90000 decodertag=h3c-v3 rtcp=0',
      ],
    ],
    [
      'a streaming server (mediamtx#2128): IPV4',
      ['v=0', 'o=- 1 1 IN IPV4 10.10.10.10', 'c=IN IPV4 10.10.10.10', 'm=video 0 RTP/AVP 26'],
      ['video | 26 jpeg/90000'],
    ],
    [
      'a Hikvision recorder (gortsplib#658, mediamtx#3669): fmtp of another payload type',
      [
        'v=0',
        's=HIK Media Server V5.03.010',
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 H264/90000',
        'a=fmtp:96 profile-level-id=4D0014;packetization-mode=0',
        'm=audio 0 RTP/AVP 104',
        'a=rtpmap:104 MPEG4-GENERIC/16000',
        'a=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;config=1408',
        'a=Media_header:MEDIAINFO=494D4B48;',
      ],
      [
        'video | 96 h264/90000 profile-level-id=4D0014 packetization-mode=0',
        'audio | 104 mpeg4-generic/16000 streamtype=5 mode=AAC-hbr sizelength=13 config=1408',
      ],
    ],
    [
      'Dahua (gortsplib#479): a back channel of many payload types, without configs',
      [
        'v=0',
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 H264/90000',
        'm=audio 0 RTP/AVP 116 115 97 0 8',
        'a=rtpmap:116 MPEG4-GENERIC/64000',
        'a=rtpmap:115 MPEG4-GENERIC/48000',
        'a=rtpmap:97 G726-32/8000',
        'a=sendonly',
      ],
      [
        'video | 96 h264/90000',
        'audio | 116 mpeg4-generic/64000 | 115 mpeg4-generic/48000 | 97 g726-32/8000 | 0 pcmu/8000/1 | 8 pcma/8000/1',
      ],
    ],
    [
      'TP-Link, Mercury (go2rtc#708): a media type and a format of their own, four numbers in o=',
      [
        'v=0',
        'o=- 14665860 31787219 1 IN IP4 10.0.0.94',
        's=Session streamed by "MERCURY RTSP Server"',
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 H264/90000',
        'm=application/MERCURY 0 RTP/AVP smart/1/90000',
        'a=rtpmap:95 MERCURY/90000',
      ],
      ['video | 96 h264/90000', 'application/mercury | 95 mercury/90000'],
    ],
    [
      'Vicon (go2rtc#1278, #1426): a media type nobody knows',
      ['v=0', 'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'm=vana 0 RTP/AVP 98'],
      ['video | 96 h264/90000', 'vana'],
    ],
    [
      'several s= (go2rtc)',
      ['v=0', 's=one', 's=two', 'm=video 0 RTP/AVP 96', 's=three', 'a=rtpmap:96 H264/90000'],
      ['video | 96 h264/90000'],
    ],
    [
      'no session at all (go2rtc#679, #2245)',
      ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=control:trackID=0'],
      ['video | 96 h264/90000'],
    ],
    [
      'Y-CAM, Axis 221 (mediamtx#2555, #2708): numbers in o= that are none',
      ['v=0', 'o=- -8959200248001175080 1698143674.978737 IN IP4 10.0.0.2', 'm=video 0 RTP/AVP 96'],
      ['video'],
    ],
    [
      'two payload types on an m= line (gortsplib#65)',
      ['m=video 0 RTP/AVP 98 96', 'a=rtpmap:98 H265/90000', 'a=rtpmap:96 H264/90000'],
      ['video | 98 h265/90000 | 96 h264/90000'],
    ],
    [
      'double blanks in fmtp, k= (crtmpserver refused them)',
      [
        'v=0',
        'k=clear:x',
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96  H264/90000',
        'a=fmtp:96  packetization-mode=1;  profile-level-id=42001f',
      ],
      ['video | 96 h264/90000 packetization-mode=1 profile-level-id=42001f'],
    ],
  ];
  for (const [name, lines, want] of rows) it(name, () => assert.deepEqual(summary(lines), want));
});
