import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  isMulticastAddress,
  parseRtpInfo,
  parseSession,
  parseTransport,
  serializeTransport,
} from '../../../protocols/rtsp/transport.ts';
import { cpuMs } from '../../support/cpu-ms.ts';

test('asks for TCP, UDP and multicast', () => {
  assert.equal(serializeTransport({ lower: 'multicast' }), 'RTP/AVP;multicast');
  assert.equal(
    serializeTransport({ lower: 'tcp', channel: 2 }),
    'RTP/AVP/TCP;unicast;interleaved=2-3',
  );
  assert.equal(
    serializeTransport({ lower: 'udp', port: 5000 }),
    'RTP/AVP;unicast;client_port=5000-5001',
  );
});

const transports = [
  ['RTP/AVP/TCP;unicast;interleaved=0-1', { lower: 'tcp', channel: 0, rtcpChannel: 1 }],
  ['RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=1A2B', { lower: 'tcp', channel: 2, rtcpChannel: 3 }],
  ['RTP/AVP/TCP; unicast; interleaved = 4 - 5', { lower: 'tcp', channel: 4, rtcpChannel: 5 }],
  ['rtp/avp/tcp;interleaved=6', { lower: 'tcp', channel: 6, rtcpChannel: 7 }],
  ['RTP/AVP/TCP;unicast', { lower: 'tcp' }],
  ['RTP/AVP;unicast;interleaved=0-1', { lower: 'tcp', channel: 0, rtcpChannel: 1 }],
  ['RTP/AVP/TCP;interleaved=300-301', { lower: 'tcp' }],
  ['RTP/AVP/TCP;interleaved=x', { lower: 'tcp' }],
  [
    'RTP/AVP/UDP;unicast;client_port=5000-5001;server_port=6000-6001;source=10.0.0.9',
    { lower: 'udp', serverPort: 6000, serverRtcpPort: 6001, source: '10.0.0.9' },
  ],
  ['RTP/AVP;unicast;server_port=6000', { lower: 'udp', serverPort: 6000, serverRtcpPort: 6001 }],
  [
    'RTP/AVP;server_port=6000-6001,RTP/AVP/TCP',
    { lower: 'udp', serverPort: 6000, serverRtcpPort: 6001 },
  ],
  ['RTP/AVP;server_port=99999-0;source=', { lower: 'udp' }],
  ['RTP/AVP;unicast;server_port=0-0', { lower: 'udp' }],
  ['RTP/AVP;unicast;server_port=6000-0', { lower: 'udp', serverPort: 6000 }],
  [
    'RTP/AVP;multicast;destination=239.1.1.1;source=10.0.0.9;port=5000-5001;ttl=16',
    {
      lower: 'multicast',
      port: 5000,
      rtcpPort: 5001,
      destination: '239.1.1.1',
      source: '10.0.0.9',
    },
  ],
  ['RTP/AVP;multicast', { lower: 'multicast' }],
  ['RTP/AVP/UDP;MULTICAST;port=5000', { lower: 'multicast', port: 5000, rtcpPort: 5001 }],
  [
    'RTP/AVP;destination=232.1.1.1;port=5000-5003',
    { lower: 'multicast', port: 5000, rtcpPort: 5003, destination: '232.1.1.1' },
  ],
  [
    'RTP/AVP;unicast;destination=10.0.0.5;client_port=5000-5001;server_port=6000-6001',
    { lower: 'udp', serverPort: 6000, serverRtcpPort: 6001, destination: '10.0.0.5' },
  ],
  ['', { lower: 'udp' }],
] as const;

for (const [text, want] of transports) {
  test(`reads the transport ${JSON.stringify(text)}`, () => {
    const got = Object.entries(parseTransport(text)).filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(got), want);
  });
}

const sessions = [
  ['12345678', '12345678', 60_000],
  ['abc;timeout=30', 'abc', 30_000],
  ['  abc  ;  timeout = 30 ', 'abc', 30_000],
  ['abc; Timeout=30s', 'abc', 30_000],
  ['abc;timeout="30"', 'abc', 30_000],
  ['abc;timeout=0', 'abc', 60_000],
  ['abc;timeout=', 'abc', 60_000],
  ['abc;timeout=-5', 'abc', 60_000],
  ['abc;timeout=1', 'abc', 4000],
  ['abc;timeout=999999999', 'abc', 3_600_000],
  ['a$b-c_d.e+f;foo;timeout=10', 'a$b-c_d.e+f', 10_000],
] as const;

for (const [text, id, timeoutMs] of sessions) {
  test(`reads the session ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseSession(text), { id, timeoutMs });
  });
}

const rtpInfos = [
  [
    'url=rtsp://h/s/track1;seq=1;rtptime=2,url=rtsp://h/s/track2;seq=3;rtptime=4',
    [
      ['rtsp://h/s/track1', 1, 2],
      ['rtsp://h/s/track2', 3, 4],
    ],
  ],
  ['url=trackID=0;seq=7;rtptime=0', [['trackID=0', 7, 0]]],
  ['url=rtsp://h/s?a=1,2;b=3;seq=1;rtptime=2', [['rtsp://h/s?a=1,2;b=3', 1, 2]]],
  ['url="rtsp://h/s" ; rtptime = 5 ; seq = 6', [['rtsp://h/s', 6, 5]]],
  ['url=a;seq=70000;rtptime=4294967296', [['a', undefined, undefined]]],
  ['url=a', [['a', undefined, undefined]]],
  ['seq=1;rtptime=2', []],
  ['', []],
] as const;

for (const [text, want] of rtpInfos) {
  test(`reads RTP-Info ${JSON.stringify(text)}`, () => {
    assert.deepEqual(
      parseRtpInfo(text).map(({ url, seq, rtpTimestamp }) => [url, seq, rtpTimestamp]),
      want,
    );
  });
}

test('runs of blanks and quotes in RTP-Info cost no time', () => {
  for (const filler of [' ', '"', ',']) {
    const costMs = (length: number) => {
      const text = `url=a${filler.repeat(length)}x`;
      const sinceMs = cpuMs();
      for (let n = 0; n < 4; n += 1) parseRtpInfo(text);
      return cpuMs() - sinceMs;
    };
    costMs(1000);
    const small = costMs(1600);
    const large = costMs(16_000);
    assert.ok(large < 30 * small + 30, `${large} ms, and ${small} ms for a tenth of it`);
  }
});

test('any text is read without an exception', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseTransport(text);
      parseSession(text);
      parseRtpInfo(text);
    }),
  );
});

test('tells groups from addresses', () => {
  const groups = ['224.0.0.1', '239.255.255.255', '232.1.2.3', 'ff02::1', 'FF3e::1:2'];
  const others = [
    '223.1.1.1',
    '240.0.0.1',
    '10.0.0.1',
    'fe80::1',
    '224.0.0',
    'ff02',
    '',
    undefined,
  ];
  for (const group of groups) assert.ok(isMulticastAddress(group), group);
  for (const other of others) assert.ok(!isMulticastAddress(other), other);
});
