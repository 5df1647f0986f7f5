import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Track } from '../../../codecs/track.ts';
import { emptyStats } from '../../../drivers/driver.ts';
import { findings, type ProbeFacts } from '../../../gateway/probe/findings.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';

const VIDEO = {
  units: 250,
  bytes: 5_000_000,
  fps: 25,
  keyframes: 5,
  longestGopMs: 2_000,
  bFrames: 0,
  reorderMs: 0,
  trackChanges: 0,
};
const MEASURED = {
  tracks: [VIDEO_TRACK, AUDIO_TRACK] as readonly Track[],
  firstUnitMs: 300,
  mediaMs: 10_000,
  video: VIDEO,
  audio: { units: 400, bytes: 80_000 },
  clockPercent: 0.1,
};
const NOTHING = {
  ...MEASURED,
  tracks: [],
  firstUnitMs: undefined,
  video: undefined,
  audio: undefined,
};
const STATS = { ...emptyStats(), receivedPackets: 5_000, transport: 'udp' as const };
const WELL: ProbeFacts = {
  measured: MEASURED,
  stats: STATS,
  notes: [],
  cause: undefined,
  statedFps: 25,
};
const H265: Track = {
  kind: 'video',
  codec: 'h265',
  vps: VIDEO_TRACK.sps,
  sps: VIDEO_TRACK.sps,
  pps: VIDEO_TRACK.pps,
};
const pcma: Track = { kind: 'audio', codec: 'pcma', sampleRate: 8000, channels: 1 };
const opus: Track = {
  kind: 'audio',
  codec: 'opus',
  config: new Uint8Array(19),
  sampleRate: 48_000,
  channels: 2,
};

const video = (change: Partial<typeof VIDEO> | { longestGopMs: undefined }) => ({
  ...WELL,
  measured: { ...MEASURED, video: { ...VIDEO, ...change } },
});
const tracks = (...all: Track[]) => ({ ...WELL, measured: { ...MEASURED, tracks: all } });

const cases: readonly [string, ProbeFacts, string, RegExp][] = [
  [
    'a failure is its cause',
    {
      ...WELL,
      measured: NOTHING,
      cause: { code: 'auth', reason: 'refused the login', patience: 'login' },
    },
    'problem auth',
    /refused the login/,
  ],
  [
    'an end after pictures is a warning',
    { ...WELL, cause: { code: 'ended', reason: 'it ended', patience: 'normal' } },
    'warning ended',
    /it ended/,
  ],
  [
    'no keyframe',
    { ...WELL, measured: NOTHING, stats: { ...STATS, awaits: 'keyframe' } },
    'problem no-keyframe',
    /GOP/,
  ],
  [
    'no parameter sets',
    { ...WELL, measured: NOTHING, stats: { ...STATS, awaits: 'parameter-sets' } },
    'problem parameter-sets',
    /SPS, PPS/,
  ],
  ['H.265', tracks(H265, AUDIO_TRACK), 'warning enhanced-video', /enhanced RTMP.*12.*H\.264/],
  ['G.711', tracks(VIDEO_TRACK, pcma), 'warning unusual-audio', /AAC/],
  ['Opus', tracks(VIDEO_TRACK, opus), 'warning enhanced-audio', /Opus.*AAC/],
  ['a long GOP', video({ longestGopMs: 12_000 }), 'warning long-gop', /every 12\.0 s/],
  [
    'one keyframe only',
    video({ longestGopMs: undefined }),
    'warning long-gop',
    /more than 10\.0 s/,
  ],
  ['B-frames', video({ bFrames: 100, reorderMs: 80 }), 'hint b-frames', /80 ms/],
  [
    'packet loss over UDP',
    { ...WELL, stats: { ...STATS, lostPackets: 50, damagedUnits: 9 } },
    'warning packet-loss',
    /1\.0 %.*9 pictures.*transport: tcp/,
  ],
  [
    'a slow clock, as the driver measured it',
    { ...WELL, stats: { ...STATS, clockPercent: -16 } },
    'warning clock',
    /16\.0 % slow/,
  ],
  [
    'a fast clock',
    { ...WELL, measured: { ...MEASURED, clockPercent: 19 } },
    'warning clock',
    /19\.0 % fast/,
  ],
  ['fewer pictures than stated', video({ fps: 15 }), 'hint low-fps', /15 pictures.*25 are stated/],
  [
    'changing parameter sets',
    video({ trackChanges: 3 }),
    'warning changing-parameter-sets',
    /3 times/,
  ],
  [
    'no audio track',
    { ...WELL, measured: { ...MEASURED, tracks: [VIDEO_TRACK], audio: undefined } },
    'hint no-audio',
    /audio: silence/,
  ],
  [
    'announced audio that does not come',
    { ...WELL, measured: { ...MEASURED, audio: undefined } },
    'hint no-audio',
    /microphone/,
  ],
  ['what the driver noted', { ...WELL, notes: ['Left out: audio G726.'] }, 'hint note', /G726/],
];

for (const [name, facts, expected, words] of cases) {
  test(`${name}: ${expected}, and nothing else`, () => {
    const found = findings(facts);
    assert.deepEqual(
      found.map(({ weight, code }) => `${weight} ${code}`),
      [expected],
    );
    assert.match(found[0]?.words ?? '', words);
  });
}

test('all is well: nothing is found', () => {
  assert.deepEqual(findings(WELL), []);
});

test('the gravest come first', () => {
  const facts = { ...video({ bFrames: 3, longestGopMs: 9_000 }), notes: ['a note'] };
  assert.deepEqual(
    findings(facts).map(({ weight }) => weight),
    ['warning', 'hint', 'hint'],
  );
});

test('silence is not taken for a missing keyframe', () => {
  const facts = { ...WELL, measured: NOTHING, stats: emptyStats() };
  assert.deepEqual(findings(facts), []);
});
