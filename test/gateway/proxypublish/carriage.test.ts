import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FourCc } from '../../../codecs/flv/four-cc.ts';
import type { Track } from '../../../codecs/track.ts';
import {
  type Accepted,
  type Carriage,
  type CarriageWish,
  type Learnt,
  learnFromEnd,
  NOTHING_LEARNT,
  offeredFourCcs,
  planCarriage,
  type SessionAge,
} from '../../../gateway/proxypublish/carriage.ts';

const AUTO: CarriageWish = { videoCodecMode: 'auto', audio: 'passthrough' };
const OTHER_CAMERA = 'Choose H.264 in the settings of the camera, or another of its profiles';

function track(codec: string, sampleRate = 8_000): Track {
  const kind = ['h264', 'h265', 'av1', 'vp9'].includes(codec) ? 'video' : 'audio';
  return { kind, codec, sampleRate, channels: 1 } as Track;
}

function tracks(codecs: string): Track[] {
  return codecs.split('+').map((codec) => track(codec));
}

function taking(...fourCcs: (FourCc | '*')[]): Accepted {
  return { has: (fourCc) => fourCcs.includes('*') || fourCcs.includes(fourCc) };
}

function brief({ tracks, hevcForm, isSilent, leftOut, refusal }: Carriage): string {
  if (refusal !== undefined) return `refused: ${refusal}`;
  const sent = tracks.map(({ codec }) => (codec === 'h265' ? `h265 ${hevcForm}` : codec));
  const all = isSilent ? [...sent, 'silence'] : sent;
  return [all.join(' + '), ...leftOut].join('; ');
}

describe('the plan', () => {
  for (const [name, codecs, wish, accepted, want] of [
    ['H.264 and AAC', 'h264+aac', {}, taking(), 'h264 + aac'],
    ['H.265, listed', 'h265', {}, taking('hvc1'), 'h265 enhanced'],
    ['H.265, anything taken', 'h265', {}, taking('*'), 'h265 enhanced'],
    ['H.265, not listed', 'h265', {}, taking(), 'h265 legacy12'],
    ['H.265, enhanced demanded', 'h265', { videoCodecMode: 'enhanced' }, taking(), 'h265 enhanced'],
    [
      'H.265, legacy12 demanded',
      'h265',
      { videoCodecMode: 'legacy12' },
      taking('*'),
      'h265 legacy12',
    ],
    [
      'H.265 refused',
      'h265+aac',
      { videoCodecMode: 'refuse' },
      taking('*'),
      `refused: H.265 is not sent to it (videoCodecMode: refuse). ${OTHER_CAMERA}, or set videoCodecMode to auto.`,
    ],
    [
      'H.264 where others are refused',
      'h264+aac',
      { videoCodecMode: 'refuse' },
      taking(),
      'h264 + aac',
    ],
    ['AV1, not listed: tried all the same', 'av1', {}, taking(), 'av1'],
    [
      'AV1 with legacy12',
      'av1',
      { videoCodecMode: 'legacy12' },
      taking('*'),
      `refused: AV1 has no form but enhanced RTMP, and videoCodecMode is legacy12. ${OTHER_CAMERA}, or set videoCodecMode to enhanced.`,
    ],
    [
      'VP9 refused',
      'vp9',
      { videoCodecMode: 'refuse' },
      taking('*'),
      `refused: VP9 is not sent to it (videoCodecMode: refuse). ${OTHER_CAMERA}, or set videoCodecMode to auto.`,
    ],
    ['Opus, listed', 'h264+opus', {}, taking('Opus'), 'h264 + opus'],
    [
      'Opus, not listed',
      'h264+opus',
      {},
      taking('hvc1'),
      'h264; audio Opus (the master does not say that it takes it)',
    ],
    ['AC-3, before connect is answered', 'h264+ac3', {}, undefined, 'h264 + ac3'],
    [
      'E-AC-3, not listed',
      'h264+eac3',
      {},
      taking(),
      'h264; audio E-AC-3 (the master does not say that it takes it)',
    ],
    ['MP3', 'h264+mp3', {}, taking(), 'h264 + mp3'],
    ['G.711', 'h264+pcma', {}, taking(), 'h264 + pcma'],
    ['audio dropped', 'h264+aac', { audio: 'drop' }, taking(), 'h264; audio AAC (as configured)'],
    [
      'silence for G.711',
      'h264+pcmu',
      { audio: 'silence' },
      taking(),
      'h264 + silence; audio G.711 µ-law (silence in its place, as configured)',
    ],
    [
      'silence for a camera without audio',
      'h264',
      { audio: 'silence' },
      taking(),
      'h264 + silence',
    ],
    [
      'nothing but audio, and that is left out',
      'opus',
      {},
      taking(),
      'refused: nothing of the stream is left: audio Opus (the master does not say that it takes it).',
    ],
    [
      'nothing but audio, and silence',
      'opus',
      { audio: 'silence' },
      taking(),
      'silence; audio Opus (silence in its place, as configured)',
    ],
  ] as const) {
    test(name, () => {
      const carriage = planCarriage(tracks(codecs), { ...AUTO, ...wish }, accepted, NOTHING_LEARNT);
      assert.equal(brief(carriage), want);
    });
  }

  test('G.711 of 16 kHz', () => {
    const carriage = planCarriage(
      [track('h264'), track('pcma', 16_000)],
      AUTO,
      taking(),
      NOTHING_LEARNT,
    );
    assert.equal(
      brief(carriage),
      'h264; audio G.711 A-law (RTMP has no form for it with 16000 Hz and 1 channels)',
    );
  });

  test('what was learnt of other codecs is nothing', () => {
    const learnt: Learnt = {
      codecs: 'h265+pcma',
      refusedHevcForms: ['legacy12'],
      isAudioRefused: true,
      audioTrust: 0,
      isProven: false,
    };
    const plan = (codecs: string) => brief(planCarriage(tracks(codecs), AUTO, taking(), learnt));
    const why = 'audio G.711 A-law (the master ended the session when it came)';
    assert.equal(plan('h265+pcma'), `h265 enhanced; ${why}`);
    assert.equal(plan('h265+pcmu'), 'h265 legacy12 + pcmu');
    assert.equal(plan('h264+pcma'), 'h264 + pcma');
  });
});

describe('the offer', () => {
  for (const [codecs, wish, want] of [
    ['h264+aac', {}, ''],
    ['h265+pcma', {}, 'hvc1'],
    ['h265+opus', {}, 'hvc1 Opus'],
    ['av1+ac3', { audio: 'drop' }, 'av01'],
    ['vp9+eac3', { audio: 'silence' }, 'vp09'],
    ['h265+aac', { videoCodecMode: 'legacy12' }, ''],
    ['h265+aac', { videoCodecMode: 'refuse' }, ''],
  ] as const) {
    test(`${codecs} ${JSON.stringify(wish)}: ${want === '' ? 'nothing' : want}`, () => {
      assert.equal(offeredFourCcs(tracks(codecs), { ...AUTO, ...wish }).join(' '), want);
    });
  }

  test('while the camera is away: all that it may come back with', () => {
    assert.equal(offeredFourCcs([], AUTO).join(' '), 'hvc1 av01 vp09 Opus ac-3 ec-3');
  });
});

const EARLY: SessionAge = { videoMs: 900, audioMs: 800 };
const NO_AUDIO: SessionAge = { videoMs: 900, audioMs: undefined };
const LATE_AUDIO: SessionAge = { videoMs: 60_000, audioMs: 100 };
const STOOD: SessionAge = { videoMs: 60_000, audioMs: 59_900 };

/** Sessions one after another, each ended by the master: what was sent, and what was made of its end. */
function story(
  codecs: string,
  ages: readonly SessionAge[],
  wish: CarriageWish = AUTO,
  accepted: Accepted = taking(),
): string[] {
  let learnt = NOTHING_LEARNT;
  return ages.map((age) => {
    const carriage = planCarriage(tracks(codecs), wish, accepted, learnt);
    const lesson = learnFromEnd(carriage, wish, accepted, learnt, age);
    learnt = lesson.learnt;
    const { verdict } = lesson;
    const outcome = verdict === undefined ? '-' : verdict.isFinal ? 'final' : 'other way';
    return `${brief(carriage).replace(/; .*/, '')}: ${outcome}`;
  });
}

/** H.265: ngx#1723, go2rtc#888, Ant-Media-Server#6585, mediamtx#1613, MiBeeNvr#433; G.711: mediamtx#2857, restreamer#68, vdk#72. */
describe('what the end of a session shows', () => {
  for (const [name, codecs, ages, want] of [
    ['H.264 and AAC: nothing', 'h264+aac', [EARLY, EARLY], ['h264 + aac: -', 'h264 + aac: -']],
    [
      'G.711 that the master hangs up on',
      'h264+pcma',
      [EARLY, STOOD, EARLY],
      ['h264 + pcma: other way', 'h264: -', 'h264: -'],
    ],
    [
      'MP3 that comes late',
      'h264+mp3',
      [LATE_AUDIO, NO_AUDIO],
      ['h264 + mp3: other way', 'h264: -'],
    ],
    [
      'it was not the audio',
      'h264+pcma',
      [EARLY, NO_AUDIO, EARLY],
      ['h264 + pcma: other way', 'h264: -', 'h264 + pcma: -'],
    ],
    [
      'H.265 in the wrong form',
      'h265',
      [NO_AUDIO, STOOD, NO_AUDIO],
      ['h265 legacy12: other way', 'h265 enhanced: -', 'h265 enhanced: -'],
    ],
    [
      'H.265 in no form; then all over again',
      'h265',
      [NO_AUDIO, NO_AUDIO, NO_AUDIO],
      ['h265 legacy12: other way', 'h265 enhanced: final', 'h265 legacy12: other way'],
    ],
    [
      'H.265 and G.711: every way there is',
      'h265+pcma',
      [EARLY, NO_AUDIO, EARLY, NO_AUDIO, EARLY],
      [
        'h265 legacy12 + pcma: other way',
        'h265 legacy12: other way',
        'h265 enhanced + pcma: other way',
        'h265 enhanced: final',
        'h265 legacy12 + pcma: other way',
      ],
    ],
    ['AV1', 'av1+aac', [EARLY, EARLY], ['av1 + aac: final', 'av1 + aac: final']],
    [
      'a session that has stood proves its codecs',
      'h265+pcma',
      [STOOD, EARLY, NO_AUDIO],
      ['h265 legacy12 + pcma: -', 'h265 legacy12 + pcma: -', 'h265 legacy12 + pcma: -'],
    ],
    [
      'nothing was sent',
      'h265+pcma',
      [{ videoMs: undefined, audioMs: undefined }],
      ['h265 legacy12 + pcma: -'],
    ],
    [
      'nothing but audio',
      'pcma',
      [
        { videoMs: undefined, audioMs: 50 },
        { videoMs: undefined, audioMs: 9_000 },
      ],
      ['pcma: final', 'pcma: -'],
    ],
  ] as const) {
    test(name, () => assert.deepEqual(story(codecs, ages), want));
  }

  test('it was not the audio: it is left in peace for ten more ends, then suspected again', () => {
    const ends = [EARLY, NO_AUDIO, ...Array.from({ length: 11 }, () => EARLY)];
    const outcomes = story('h264+pcma', ends).map((words) => words.replace(/.*: /, ''));
    assert.equal(outcomes.join(' '), `other way ${'- '.repeat(11)}other way`);
  });

  test('a form that is demanded is the only one', () => {
    const wish: CarriageWish = { ...AUTO, videoCodecMode: 'enhanced' };
    assert.deepEqual(story('h265', [NO_AUDIO, NO_AUDIO], wish), [
      'h265 enhanced: final',
      'h265 enhanced: final',
    ]);
  });

  test('a master that lists hvc1 gets enhanced RTMP first', () => {
    assert.deepEqual(story('h265', [NO_AUDIO, NO_AUDIO], AUTO, taking('hvc1')), [
      'h265 enhanced: other way',
      'h265 legacy12: final',
    ]);
  });

  test('silence is never suspected', () => {
    const wish: CarriageWish = { ...AUTO, audio: 'silence' };
    assert.deepEqual(story('h264+pcma', [EARLY], wish), ['h264 + silence: -']);
  });

  test('the words say what was tried and what to do', () => {
    const plan = planCarriage(tracks('h265+pcma'), AUTO, taking(), NOTHING_LEARNT);
    const words = (age: SessionAge, before: Learnt) =>
      learnFromEnd({ ...plan, hevcForm: 'enhanced' }, AUTO, taking(), before, age).verdict?.words;
    const before = { ...NOTHING_LEARNT, codecs: plan.codecs };
    assert.equal(
      words(EARLY, before),
      'it ended the session right after the first G.711 A-law audio; trying without audio',
    );
    assert.equal(
      words(NO_AUDIO, before),
      'it ended the session right after H.265 began (enhanced RTMP); trying codec id 12',
    );
    assert.equal(
      words(NO_AUDIO, { ...before, refusedHevcForms: ['legacy12'] }),
      `it ends the session right after H.265 begins (codec id 12, then enhanced RTMP). It may not take H.265, or not this stream. ${OTHER_CAMERA}.`,
    );
  });
});
