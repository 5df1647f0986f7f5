/** What descriptions say of audio, and what cameras write instead. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Track } from '../../../codecs/track.ts';
import { type SelectedMedia, selectMedias } from '../../../protocols/rtp/media-selection.ts';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';
import { hex } from '../../support/hex.ts';
import { AUDIO_TRACK } from '../../support/units.ts';

const VIDEO = 'm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n';

/** The audio that is taken beside a video, which always is. */
function audioOf(lines: readonly string[]): SelectedMedia | undefined {
  const sdp = [VIDEO, ...lines.map((line) => `${line}\r\n`)].join('');
  const { selected, leftOut } = selectMedias(parseSdp(`v=0\r\n${sdp}`));
  assert.equal(selected[0]?.kind, 'video');
  const audio = selected[1];
  assert.equal(leftOut.length, audio === undefined ? 1 : 0);
  return audio;
}

function trackOf(...lines: readonly string[]): Track | undefined {
  return audioOf(lines)?.open({ unit: () => false }).track;
}

/** `rtpmap` and `fmtp` of one audio media with a dynamic payload type. */
function dynamic(rtpmap: string, fmtp = ''): string[] {
  const lines = ['m=audio 0 RTP/AVP 97', `a=rtpmap:97 ${rtpmap}`];
  return fmtp === '' ? lines : [...lines, `a=fmtp:97 ${fmtp}`];
}

function aac(config: Uint8Array, sampleRate: number, channels: number): Track {
  return { kind: 'audio', codec: 'aac', config, sampleRate, channels };
}

describe('AAC (RFC 3640)', () => {
  const HBR = 'mode=AAC-hbr; sizeLength=13; indexLength=3; indexDeltaLength=3';

  test('as it should be', () => {
    assert.deepEqual(
      trackOf(...dynamic('MPEG4-GENERIC/48000/2', `${HBR}; config=1190`)),
      AUDIO_TRACK,
    );
  });

  for (const [name, fmtp] of [
    ['no config (some Dahua)', HBR],
    ['nothing but an rtpmap', ''],
    ['an empty config', `${HBR}; config=`],
    ['a config that is no hex', `${HBR}; config=zz90`],
    ['a config cut short', `${HBR}; config=11`],
    ['a config of zeros', `${HBR}; config=0000`],
    ['a config with a reserved rate', `${HBR}; config=1690`],
    ['0x before the config', `${HBR}; config=0x1190`],
  ] as const) {
    test(`${name}: AAC-LC as rtpmap says`, () => {
      assert.deepEqual(trackOf(...dynamic('mpeg4-generic/48000/2', fmtp)), AUDIO_TRACK);
    });
  }

  test('HIK Media Server V5.03.010 (gortsplib#658): fmtp of another payload type, no channels', () => {
    const track = trackOf(
      'm=audio 0 RTP/AVP 104',
      'a=rtpmap:104 MPEG4-GENERIC/16000',
      'a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408',
    );
    assert.deepEqual(track, aac(hex`1408`, 16_000, 1));
  });

  test('GALAYOU G6 (kerberos-io/agent#159): AAC Main', () => {
    const track = trackOf(...dynamic('MPEG4-GENERIC/16000/1', `${HBR}; config=0C08`));
    assert.deepEqual(track, aac(hex`0c08`, 16_000, 1));
  });

  test('HE-AAC: as it is heard, signalled in front, behind, or by the clock alone', () => {
    for (const config of ['2b118800', '131056e598', '1310']) {
      const track = trackOf(...dynamic('MPEG4-GENERIC/48000/2', `${HBR}; config=${config}`));
      assert.deepEqual(track, aac(hex`${config}`, 48_000, 2), config);
    }
  });

  test('auxiliary data in the headers is left out; so are eight channels without a config', () => {
    const fmtp = `${HBR}; config=1190; auxiliaryDataSizeLength=8`;
    assert.equal(audioOf(dynamic('mpeg4-generic/48000/2', fmtp)), undefined);
    assert.equal(audioOf(dynamic('mpeg4-generic/48000/8', HBR)), undefined);
  });
});

describe('AAC in LATM (RFC 6416)', () => {
  test('ffmpeg 5.1.9', () => {
    const fmtp = 'profile-level-id=41;cpresent=0;config=400023203fc0';
    assert.deepEqual(trackOf(...dynamic('MP4A-LATM/48000/2', fmtp)), AUDIO_TRACK);
  });

  test('GStreamer 1.22', () => {
    const track = trackOf(...dynamic('MP4A-LATM/44100', 'cpresent=0;config=40002410adca00'));
    assert.deepEqual(track, aac(hex`120856e500`, 44_100, 1));
  });

  for (const [name, fmtp] of [
    ['out of band and empty (mediamtx#3590)', 'profile-level-id=1709392648;cpresent=0;config='],
    ['out of band and missing', 'cpresent=0'],
    ['out of band and no hex', 'cpresent=0;config=zz'],
    ['an AudioSpecificConfig instead', 'cpresent=0;config=1408'],
    ['an AudioSpecificConfig instead, and no cpresent', 'config=1408'],
  ] as const) {
    test(`${name}: AAC-LC, 16 kHz, mono`, () => {
      assert.deepEqual(trackOf(...dynamic('MP4A-LATM/16000/1', fmtp)), aac(hex`1408`, 16_000, 1));
    });
  }

  test('fmtp under a payload type of its own (mediamtx#3590)', () => {
    const lines = ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 MP4A-LATM/16000/1'];
    const track = trackOf(...lines, 'a=fmtp:40 profile-level-id=1709392648;cpresent=0;config=');
    assert.deepEqual(track, aac(hex`1408`, 16_000, 1));
  });

  test('in band, stated or by default: the stream tells', () => {
    for (const fmtp of ['cpresent=1', 'profile-level-id=41', '']) {
      const lines = dynamic('MP4A-LATM/48000/2', fmtp);
      assert.notEqual(audioOf(lines), undefined, fmtp);
      assert.equal(trackOf(...lines), undefined, fmtp);
    }
  });

  test('in band and stated: known at once', () => {
    const fmtp = 'cpresent=1;config=400023203fc0';
    assert.deepEqual(trackOf(...dynamic('MP4A-LATM/48000/2', fmtp)), AUDIO_TRACK);
  });
});

describe('G.711', () => {
  for (const [name, lines, track] of [
    ['static type 0', ['m=audio 0 RTP/AVP 0'], ['pcmu', 8000, 1]],
    ['static type 8', ['m=audio 0 RTP/AVP 8'], ['pcma', 8000, 1]],
    ['a dynamic type, 16 kHz', dynamic('PCMA/16000'), ['pcma', 16_000, 1]],
    ['stereo', dynamic('pcmu/8000/2'), ['pcmu', 8000, 2]],
    [
      'a static type that means another one',
      ['m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMA/8000'],
      ['pcma', 8000, 1],
    ],
  ] as const) {
    test(name, () => {
      const [codec, sampleRate, channels] = track;
      assert.deepEqual(trackOf(...lines), { kind: 'audio', codec, sampleRate, channels });
    });
  }
});

describe('Opus (RFC 7587)', () => {
  for (const [name, rtpmap, fmtp, channels] of [
    ['mono', 'opus/48000/2', '', 1],
    ['stereo as ffmpeg and GStreamer write it', 'OPUS/48000/2', 'sprop-stereo=1', 2],
    ['Thingino, OpenIPC (go2rtc#1506)', 'OPUS/48000/1', 'sprop-stereo=0', 1],
    ['a clock of the encoder’s rate', 'opus/16000/1', '', 1],
  ] as const) {
    test(`${name}: the clock is 48 kHz`, () => {
      const audio = audioOf(dynamic(rtpmap, fmtp));
      assert.equal(audio?.format.clockRate, 48_000);
      const track = audio?.open({ unit: () => false }).track;
      assert.deepEqual(track?.kind === 'audio' && [track.sampleRate, track.channels], [
        48_000,
        channels,
      ]);
    });
  }
});

describe('audio whose frames tell what they are', () => {
  for (const [name, lines, clockRate] of [
    ['static type 14', ['m=audio 0 RTP/AVP 14'], 90_000],
    ['MPA on another clock', dynamic('MPA/44100'), 90_000],
    ['mpa-robust', dynamic('mpa-robust/90000'), 90_000],
    ['AC-3', dynamic('AC3/48000/2'), 48_000],
    ['E-AC-3', dynamic('eac3/44100'), 44_100],
  ] as const) {
    test(`${name} is taken before its track is known`, () => {
      const audio = audioOf(lines);
      assert.equal(audio?.format.clockRate, clockRate);
      assert.equal(audio.open({ unit: () => false }).track, undefined);
    });
  }
});

test('Dahua (gortsplib#479): twenty payload types on the way back to the camera, metadata between', () => {
  const types = '116 115 114 113 112 111 110 109 108 97 107 106 105 104 0 103 102 101 100 8';
  const lines = [
    'a=recvonly',
    'm=audio 0 RTP/AVP 8',
    'a=control:trackID=1',
    'a=rtpmap:8 PCMA/8000',
    'a=recvonly',
    'm=application 0 RTP/AVP 107',
    'a=control:trackID=4',
    'a=rtpmap:107 vnd.onvif.metadata/90000',
    'a=recvonly',
    `m=audio 0 RTP/AVP ${types}`,
    'a=control:trackID=5',
    'a=rtpmap:116 MPEG4-GENERIC/64000',
    'a=rtpmap:115 MPEG4-GENERIC/48000',
    'a=sendonly',
  ];
  const { selected, leftOut } = selectMedias(parseSdp([`v=0\r\n${VIDEO}`, ...lines].join('\r\n')));
  assert.deepEqual(
    selected.map(({ media, format }) => [media.kind, format.encoding]),
    [
      ['video', 'h264'],
      ['audio', 'pcma'],
    ],
  );
  assert.match(leftOut[0]?.reason ?? '', /way back/);
});
