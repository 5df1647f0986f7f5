import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { selectMedias } from '../../../protocols/rtp/media-selection.ts';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';
import { MAIN } from '../../codecs/h265/streams.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';

const SETS = [VIDEO_TRACK.sps, VIDEO_TRACK.pps]
  .map((set) => Buffer.from(set).toString('base64'))
  .join(',');

const H264 = `m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=${SETS}\r\na=control:v\r\n`;
const AAC =
  'm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\na=fmtp:97 mode=AAC-hbr; config=1190; sizeLength=13; indexLength=3; indexDeltaLength=3\r\na=control:a\r\n';
const PCMU = 'm=audio 0 RTP/AVP 0\r\na=control:g711\r\n';
const G726 = 'm=audio 0 RTP/AVP 99\r\na=rtpmap:99 G726-32/8000\r\na=control:g726\r\n';
const OPUS = 'm=audio 0 RTP/AVP 98\r\na=rtpmap:98 opus/48000/2\r\na=control:opus\r\n';
const H265 = 'm=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\na=control:h265\r\n';
const MPEG_4 = 'm=video 0 RTP/AVP 99\r\na=rtpmap:99 MP4V-ES/90000\r\na=control:mpeg4\r\n';
const METADATA =
  'm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:meta\r\n';

function select(sdp: string): { selected: string[]; leftOut: string[] } {
  const { selected, leftOut } = selectMedias(parseSdp(`v=0\r\n${sdp}`));
  return {
    selected: selected.map(({ kind, media }) => `${kind} ${media.control}`),
    leftOut: leftOut.map(({ kind, codec }) => `${kind} ${codec}`),
  };
}

function tracks(sdp: string): unknown[] {
  const { selected } = selectMedias(parseSdp(`v=0\r\n${sdp}`));
  return selected.map(({ open }) => open({ unit: () => false }).track);
}

const cases = [
  { name: 'H.264 and AAC', sdp: H264 + AAC, selected: ['video v', 'audio a'], leftOut: [] },
  { name: 'audio first', sdp: AAC + H264, selected: ['audio a', 'video v'], leftOut: [] },
  { name: 'H.264 alone', sdp: H264, selected: ['video v'], leftOut: [] },
  { name: 'AAC alone', sdp: AAC, selected: ['audio a'], leftOut: [] },
  {
    name: 'audio that is not carried: video goes on',
    sdp: H264 + G726,
    selected: ['video v'],
    leftOut: ['audio g726-32'],
  },
  {
    name: 'audio that is encrypted: video goes on',
    sdp: H264 + AAC.replace('RTP/AVP', 'RTP/SAVP'),
    selected: ['video v'],
    leftOut: ['audio mpeg4-generic'],
  },
  {
    name: 'H.265 in front of H.264: the first that can be carried',
    sdp: H265 + H264,
    selected: ['video h265'],
    leftOut: ['video h264'],
  },
  {
    name: 'H.264 in front of H.265',
    sdp: H264 + H265,
    selected: ['video v'],
    leftOut: ['video h265'],
  },
  {
    name: 'MPEG-4 in front of H.265',
    sdp: MPEG_4 + H265,
    selected: ['video h265'],
    leftOut: ['video mp4v-es'],
  },
  { name: 'metadata', sdp: H264 + METADATA, selected: ['video v'], leftOut: [] },
  {
    name: 'a second video',
    sdp: H264 + H264.replace('control:v', 'control:v2'),
    selected: ['video v'],
    leftOut: ['video h264'],
  },
  {
    name: 'a back channel of the same codec (ONVIF)',
    sdp: `${H264}a=recvonly\r\n${PCMU}a=recvonly\r\n${AAC}a=sendonly\r\n`,
    selected: ['video v', 'audio g711'],
    leftOut: ['audio mpeg4-generic'],
  },
  {
    name: 'several audios: the one that every master takes',
    sdp: OPUS + PCMU + H264 + AAC,
    selected: ['video v', 'audio a'],
    leftOut: ['audio opus', 'audio pcmu'],
  },
  {
    name: 'sendonly on everything, as RFC 8866 means it',
    sdp: `${H264}a=sendonly\r\n${AAC}a=sendonly\r\n`,
    selected: ['video v', 'audio a'],
    leftOut: [],
  },
  {
    name: 'several payload types, the usable one last',
    sdp: `m=video 0 RTP/AVP 26 98 96\r\na=rtpmap:96 H264/90000\r\na=rtpmap:98 H265/90000\r\na=control:v\r\n`,
    selected: ['video v'],
    leftOut: [],
  },
] as const;

for (const { name, sdp, selected, leftOut } of cases) {
  test(`selects from ${name}`, () => {
    assert.deepEqual(select(sdp), { selected, leftOut });
  });
}

test('the tracks are known from the SDP', () => {
  assert.deepEqual(tracks(H264 + AAC), [VIDEO_TRACK, AUDIO_TRACK]);
});

test('without sprop-parameter-sets the track waits for the stream', () => {
  assert.deepEqual(tracks(H264.replace(/a=fmtp.*\r\n/, '')), [undefined]);
});

test('sprop-parameter-sets with start codes', () => {
  const code = Uint8Array.of(0, 0, 0, 1);
  const sets = [VIDEO_TRACK.sps, VIDEO_TRACK.pps]
    .map((set) => Buffer.concat([code, set]).toString('base64'))
    .join(',');
  assert.deepEqual(tracks(H264.replace(SETS, sets)), [VIDEO_TRACK]);
});

/** YGTek (gortsplib#402). */
test('sprop-parameter-sets that are none', () => {
  for (const sets of ['', ',', 'AAAA', '!!!', 'Zw==,aA==']) {
    assert.deepEqual(tracks(H264.replace(SETS, sets)), [undefined], sets);
  }
});

test('what is left out is named in words, with what to do', () => {
  const reasons = selectMedias(parseSdp(`v=0\r\n${H264}${G726}${PCMU}${OPUS}`)).leftOut;
  assert.deepEqual(reasons, [
    {
      kind: 'audio',
      codec: 'g726-32',
      reason: "G.726 is not carried. Set the camera's audio encoder to AAC",
    },
    { kind: 'audio', codec: 'opus', reason: 'another one is taken' },
  ]);
  for (const [encoding, name] of [
    ['L16/44100/2', 'Uncompressed PCM'],
    ['G722/8000', 'G.722'],
    ['speex/16000', 'Speex'],
    ['telephone-event/8000', 'this codec'],
  ] as const) {
    const sdp = `v=0\r\n${H264}${G726.replace('G726-32/8000', encoding)}`;
    assert.match(selectMedias(parseSdp(sdp)).leftOut[0]?.reason ?? '', new RegExp(`^${name} is`));
  }
});

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const H265_FMTP = `a=fmtp:98 sprop-vps=${base64(MAIN.vps)}; sprop-sps=${base64(MAIN.sps)}; sprop-pps=${base64(MAIN.pps)}\r\n`;

test('H.265: the track is known from the SDP', () => {
  assert.deepEqual(tracks(H265 + H265_FMTP), [MAIN]);
  // A second PPS is of no use to a track, but does no harm.
  const two = H265_FMTP.replace('sprop-pps=', `sprop-pps=${base64(MAIN.pps)},`);
  assert.deepEqual(tracks(H265 + two), [MAIN]);
});

test('H.265 whose description lacks a set, or has a malformed one, waits for the stream', () => {
  for (const [name, fmtp] of [
    ['none (Hikvision, go2rtc#99)', ''],
    ['no VPS', H265_FMTP.replace(/sprop-vps=[^;]*; /, '')],
    ['empty ones', 'a=fmtp:98 sprop-vps=; sprop-sps=; sprop-pps=\r\n'],
    ['a SPS cut short', H265_FMTP.replace(/(sprop-sps=.{20})[^;]*/, '$1')],
    [
      'a PPS in the place of the SPS',
      H265_FMTP.replace(/sprop-sps=[^;]*/, 'sprop-sps=RAHBcrRiQA=='),
    ],
    ['no Base64', H265_FMTP.replace(/sprop-sps=[^;]*/, 'sprop-sps=???')],
  ] as const) {
    assert.deepEqual(tracks(H265 + fmtp), [undefined], name);
  }
});

test('nothing usable: the error names what there is, and what to do', () => {
  assert.throws(
    () => select(MPEG_4 + G726),
    (error: unknown) =>
      error instanceof UnsupportedError &&
      /mp4v-es.*g726.*H\.264 and H\.265.*Set the camera/s.test(error.message),
  );
  assert.throws(() => select(METADATA), UnsupportedError);
  assert.throws(() => select(''), UnsupportedError);
});

test('what a camera says it has is told in a few words, however much it is', () => {
  const named = `m=audio 0 RTP/AVP 99 100 101 102 103\r\na=rtpmap:99 ${'x'.repeat(5000)}/8000\r\n`;
  const { leftOut } = selectMedias(parseSdp(`v=0\r\n${H264}${named.repeat(200)}`));
  assert.ok(leftOut.length <= 16);
  assert.ok(leftOut.every(({ codec }) => codec.length < 200));
});
