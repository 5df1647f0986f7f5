import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  opusTrack,
  serializeOpusIdentificationHeader,
} from '../../../codecs/opus/identification-header.ts';
import type { Track } from '../../../codecs/track.ts';
import { offeredTracks } from '../../../protocols/rtp/packetize/offered-medias.ts';
import { isSameFormat } from '../../../protocols/rtp/packetize/payload-formats.ts';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';
import { serializeSdp } from '../../../protocols/sdp/serialize-sdp.ts';
import { hex } from '../../support/hex.ts';
import {
  AUDIO_TRACK,
  G711_TRACK,
  HEVC_TRACK,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
} from '../../support/units.ts';

function sdpOf(tracks: readonly Track[], name = 'door', address = '10.0.0.1'): string {
  const medias = offeredTracks(tracks).map(({ media }) => media);
  return serializeSdp({ name, version: 7, address, medias });
}

/** `m=` lines and what belongs to them. */
function mediaLines(tracks: readonly Track[]): string[] {
  const lines = sdpOf(tracks).split('\r\n');
  return lines
    .slice(lines.findIndex((line) => line.startsWith('m=')))
    .filter((line) => line !== '');
}

describe('serializeSdp', () => {
  test('a whole description', () => {
    assert.equal(
      sdpOf([AUDIO_TRACK, VIDEO_TRACK]),
      [
        'v=0',
        'o=- 7 7 IN IP4 10.0.0.1',
        's=door',
        'c=IN IP4 0.0.0.0',
        't=0 0',
        'a=control:*',
        'a=range:npt=now-',
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 H264/90000',
        'a=fmtp:96 packetization-mode=1;profile-level-id=42c01e;sprop-parameter-sets=Z0LAHtkAoD2hAAADAAEAAAMAMg8WLkg=,aMuDyyA=',
        'a=control:trackID=0',
        'm=audio 0 RTP/AVP 97',
        'a=rtpmap:97 MPEG4-GENERIC/48000/2',
        'a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190',
        'a=control:trackID=1',
        '',
      ].join('\r\n'),
    );
  });

  test('IPv6, and a name that would break a line', () => {
    const sdp = sdpOf([G711_TRACK], 'a\r\nb', 'fe80::1');
    assert.match(sdp, /^o=- 7 7 IN IP6 fe80::1\r$/m);
    assert.match(sdp, /^c=IN IP6 ::\r$/m);
    assert.match(sdp, /^s=a b\r$/m);
  });

  const cases: readonly [name: string, track: Track, lines: readonly string[]][] = [
    ['G.711 has a static type', G711_TRACK, ['m=audio 0 RTP/AVP 8', 'a=rtpmap:8 PCMA/8000']],
    [
      'µ-law at another rate has not',
      { ...G711_TRACK, codec: 'pcmu', sampleRate: 16_000, channels: 2 },
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 PCMU/16000/2'],
    ],
    [
      'MP3',
      { kind: 'audio', codec: 'mp3', sampleRate: 44_100, channels: 2 },
      ['m=audio 0 RTP/AVP 14', 'a=rtpmap:14 MPA/90000'],
    ],
    [
      'Opus',
      opusTrack(serializeOpusIdentificationHeader(1)),
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 opus/48000/2', 'a=fmtp:97 sprop-stereo=0'],
    ],
    [
      'E-AC-3',
      { kind: 'audio', codec: 'eac3', sampleRate: 48_000, channels: 6 },
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 eac3/48000/6'],
    ],
  ];
  for (const [name, track, lines] of cases) {
    test(name, () => {
      assert.deepEqual(mediaLines([track]), [...lines, 'a=control:trackID=1']);
    });
  }

  test('our own reader finds what was written', () => {
    const { control, medias } = parseSdp(sdpOf([HEVC_TRACK, AUDIO_TRACK]));
    assert.equal(control, '*');
    const [video, audio] = medias.map(({ formats, payloadTypes }) => formats.get(payloadTypes[0]!));
    assert.equal(video?.encoding, 'h265');
    assert.equal(
      video?.parameters.get('sprop-sps'),
      Buffer.from(HEVC_TRACK.sps).toString('base64'),
    );
    assert.equal(audio?.parameters.get('config'), '1190');
  });

  test('one of each kind, and what RTP does not carry is left out', () => {
    const av1 = { kind: 'video', codec: 'av1', config: hex`81` } as const;
    assert.deepEqual(
      offeredTracks([av1, OTHER_VIDEO_TRACK, VIDEO_TRACK]).map(({ track }) => track),
      [OTHER_VIDEO_TRACK],
    );
    assert.deepEqual(offeredTracks([av1]), []);
    const surround = { ...opusTrack(serializeOpusIdentificationHeader(2)), channels: 6 };
    assert.deepEqual(offeredTracks([surround]), []);
  });
});

describe('isSameFormat', () => {
  const cases: readonly [told: Track, now: Track, want: boolean][] = [
    [VIDEO_TRACK, OTHER_VIDEO_TRACK, true],
    [VIDEO_TRACK, HEVC_TRACK, false],
    [AUDIO_TRACK, { ...AUDIO_TRACK }, true],
    [AUDIO_TRACK, { ...AUDIO_TRACK, config: hex`1188` }, false],
    [AUDIO_TRACK, G711_TRACK, false],
    [VIDEO_TRACK, { kind: 'video', codec: 'vp9', config: hex`` }, false],
  ];
  for (const [told, now, want] of cases) {
    test(`${told.codec}, then ${now.codec}: ${want}`, () => {
      assert.equal(isSameFormat(told, now), want);
    });
  }
});
