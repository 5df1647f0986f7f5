/**
 * What of a stream is sent to a master, how, and what is left out and why: the whole policy, without I/O.
 * It goes by the configuration, by what the master says in its answer to connect, and by what earlier
 * sessions have shown: masters that refuse a codec do not say so, they hang up (nginx-rtmp#1723, srs#4627).
 */

import { codecName } from '../../codecs/codec-name.ts';
import { audioTagForm } from '../../codecs/flv/audio-tag.ts';
import { AUDIO_FOUR_CCS, type FourCc, VIDEO_FOUR_CCS } from '../../codecs/flv/four-cc.ts';
import type { HevcForm } from '../../codecs/flv/video-tag.ts';
import type { AudioTrack, Track, VideoTrack } from '../../codecs/track.ts';

export const VIDEO_CODEC_MODES = ['auto', 'enhanced', 'legacy12', 'refuse'] as const;
export const AUDIO_MODES = ['passthrough', 'drop', 'silence'] as const;

/** A master that dislikes a codec hangs up when it meets the first tag; a slow uplink takes its time. */
const RIGHT_AFTER_MS = 5_000;

/** A stream key that is wrong ends sessions as early as a codec does: one that is not the audio's fault stays told. */
const AUDIO_TRUST = 10;

/** As configured. */
export interface CarriageWish {
  readonly videoCodecMode: (typeof VIDEO_CODEC_MODES)[number];
  readonly audio: (typeof AUDIO_MODES)[number];
}

/** The master's answer to connect. */
export interface Accepted {
  has(fourCc: FourCc): boolean;
}

/** What the sessions of a link have shown about the codecs that its stream has now. */
export interface Learnt {
  /** Of which codecs. */
  readonly codecs: string;
  readonly refusedHevcForms: readonly HevcForm[];
  readonly isAudioRefused: boolean;
  /** So many more ends are not laid to the audio: without it a session ended in the same way. */
  readonly audioTrust: number;
  /** A session has stood: whatever ends later ones, it is not the codecs. */
  readonly isProven: boolean;
}

export interface Carriage {
  /** Of the camera's tracks, as `Learnt` knows them. */
  readonly codecs: string;
  /** Those of the camera's tracks that are sent. */
  readonly tracks: readonly Track[];
  readonly hevcForm: HevcForm;
  /** Silence is made, in place of whatever audio there is. */
  readonly isSilent: boolean;
  /** "audio AC-3 (why)". */
  readonly leftOut: readonly string[];
  /** Why nothing is published at all. */
  readonly refusal: string | undefined;
}

/** How long ago the first tag of each kind was sent; undefined: never. */
export interface SessionAge {
  readonly videoMs: number | undefined;
  readonly audioMs: number | undefined;
}

export interface Lesson {
  readonly learnt: Learnt;
  /** The session ended for a codec. Final: there is no other way to send it. */
  readonly verdict?: { readonly isFinal: boolean; readonly words: string };
}

export const NOTHING_LEARNT: Learnt = {
  codecs: '',
  refusedHevcForms: [],
  isAudioRefused: false,
  audioTrust: 0,
  isProven: false,
};

/** `accepted`: undefined before connect is answered; the plan is the best that can be hoped for, then. */
export function planCarriage(
  tracks: readonly Track[],
  wish: CarriageWish,
  accepted: Accepted | undefined,
  learnt: Learnt,
): Carriage {
  const codecs = codecsOf(tracks);
  const { refusedHevcForms, isAudioRefused } = learntAbout(codecs, learnt);
  const video = tracks.find((track) => track.kind === 'video');
  const audio = tracks.find((track) => track.kind === 'audio');
  const whyNoAudio = audio && audioProblem(audio, wish, accepted, isAudioRefused);
  const leftOut =
    audio === undefined || whyNoAudio === undefined
      ? []
      : [`audio ${codecName(audio)} (${whyNoAudio})`];
  const carried = tracks.filter(
    (track) => track === video || (track === audio && whyNoAudio === undefined),
  );
  const isSilent = wish.audio === 'silence';
  const hasNothing = carried.length === 0 && !isSilent && leftOut.length > 0;
  const [hevcForm = 'enhanced'] = hevcForms(wish, accepted, refusedHevcForms);
  const refusal =
    (video && videoProblem(video, wish)) ??
    (hasNothing ? `nothing of the stream is left: ${leftOut.join(', ')}.` : undefined);
  return { codecs, tracks: carried, hevcForm, isSilent, leftOut, refusal };
}

/** The codecs of the stream that only enhanced RTMP knows; all that may come while it has no source. */
export function offeredFourCcs(tracks: readonly Track[], wish: CarriageWish): FourCc[] {
  const { videoCodecMode, audio } = wish;
  const isEnhanced = videoCodecMode === 'auto' || videoCodecMode === 'enhanced';
  const video = isEnhanced ? ENHANCED_VIDEO : [];
  const possible: readonly FourCc[] =
    audio === 'passthrough' ? [...video, ...ENHANCED_AUDIO] : video;
  const present = tracks.map(fourCcOf);
  return possible.filter((fourCc) => tracks.length === 0 || present.includes(fourCc));
}

/**
 * What the end of a session shows. Audio is suspected first, for it comes last; when the session without
 * it ends in the same way, it was not the audio, and the next form of H.265 is tried, with audio again.
 * When no way is left, everything is forgotten: the master may be another one by then.
 */
export function learnFromEnd(
  carriage: Carriage,
  wish: CarriageWish,
  accepted: Accepted | undefined,
  before: Learnt,
  age: SessionAge,
): Lesson {
  const learnt = learntAbout(carriage.codecs, before);
  if (learnt.isProven) return { learnt };
  const video = carriage.tracks.find((track) => track.kind === 'video');
  const audio = carriage.tracks.find((track) => track.kind === 'audio');
  if (audio !== undefined && audio.codec !== 'aac' && isRightAfter(age.audioMs)) {
    const audioTrust = learnt.audioTrust - 1;
    if (audioTrust >= 0) return { learnt: { ...learnt, audioTrust } };
    return audioLesson(learnt, codecName(audio), video !== undefined);
  }
  if (hasStood(carriage, age)) return { learnt: { ...learnt, isProven: true } };
  if (video === undefined || !isRightAfter(age.videoMs)) return { learnt };
  if (video.codec === 'h264') {
    const audioTrust = learnt.isAudioRefused ? AUDIO_TRUST : learnt.audioTrust;
    return { learnt: { ...learnt, isAudioRefused: false, audioTrust } };
  }
  const refusedHevcForms = [...learnt.refusedHevcForms, carriage.hevcForm];
  const [next] = video.codec === 'h265' ? hevcForms(wish, accepted, refusedHevcForms) : [];
  if (next === undefined) return finalVideoLesson(learnt, video, refusedHevcForms);
  return {
    learnt: { ...learnt, refusedHevcForms, isAudioRefused: false },
    verdict: {
      isFinal: false,
      words: `it ended the session right after H.265 began (${HEVC_FORM_NAMES[carriage.hevcForm]}); trying ${HEVC_FORM_NAMES[next]}`,
    },
  };
}

/** Long enough for a master to have hung up on anything that it was sent. */
export function hasStood(carriage: Carriage, { videoMs, audioMs }: SessionAge): boolean {
  const hasVideo = carriage.tracks.some((track) => track.kind === 'video');
  const sinceMs = hasVideo ? videoMs : audioMs;
  return sinceMs !== undefined && !isRightAfter(sinceMs) && !isRightAfter(audioMs);
}

/** The same of another set of codecs is nothing. */
function learntAbout(codecs: string, learnt: Learnt): Learnt {
  return learnt.codecs === codecs ? learnt : { ...NOTHING_LEARNT, codecs };
}

function codecsOf(tracks: readonly Track[]): string {
  return tracks.map(({ codec }) => codec).join('+');
}

/** In the order in which they are tried. */
function hevcForms(
  { videoCodecMode }: CarriageWish,
  accepted: Accepted | undefined,
  refused: readonly HevcForm[],
): HevcForm[] {
  const isListed = accepted?.has(VIDEO_FOUR_CCS.h265) === true;
  const forms: Record<CarriageWish['videoCodecMode'], HevcForm[]> = {
    auto: isListed ? ['enhanced', 'legacy12'] : ['legacy12', 'enhanced'],
    enhanced: ['enhanced'],
    legacy12: ['legacy12'],
    refuse: [],
  };
  return forms[videoCodecMode].filter((form) => !refused.includes(form));
}

const HEVC_FORM_NAMES: Record<HevcForm, string> = {
  enhanced: 'enhanced RTMP',
  legacy12: 'codec id 12',
};
const OTHER_CODEC = 'Choose H.264 in the settings of the camera, or another of its profiles';

function videoProblem(video: VideoTrack, { videoCodecMode }: CarriageWish): string | undefined {
  if (video.codec === 'h264') return undefined;
  const name = codecName(video);
  if (videoCodecMode === 'refuse') {
    return `${name} is not sent to it (videoCodecMode: refuse). ${OTHER_CODEC}, or set videoCodecMode to auto.`;
  }
  if (video.codec === 'h265' || videoCodecMode !== 'legacy12') return undefined;
  return `${name} has no form but enhanced RTMP, and videoCodecMode is legacy12. ${OTHER_CODEC}, or set videoCodecMode to enhanced.`;
}

function audioProblem(
  audio: AudioTrack,
  wish: CarriageWish,
  accepted: Accepted | undefined,
  isRefused: boolean,
): string | undefined {
  if (wish.audio === 'drop') return 'as configured';
  if (wish.audio === 'silence') return 'silence in its place, as configured';
  if (audioTagForm(audio) === undefined) {
    const { sampleRate, channels } = audio;
    return `RTMP has no form for it with ${sampleRate} Hz and ${channels} channels`;
  }
  const fourCc = fourCcOf(audio);
  if (fourCc !== undefined && accepted !== undefined && !accepted.has(fourCc)) {
    return 'the master does not say that it takes it';
  }
  return isRefused ? 'the master ended the session when it came' : undefined;
}

function audioLesson(learnt: Learnt, name: string, hasVideo: boolean): Lesson {
  const words = `it ended the session right after the first ${name} audio`;
  if (!hasVideo) {
    return {
      learnt: { ...NOTHING_LEARNT, codecs: learnt.codecs },
      verdict: { isFinal: true, words: `${words}, and the stream has nothing else.` },
    };
  }
  return {
    learnt: { ...learnt, isAudioRefused: true },
    verdict: { isFinal: false, words: `${words}; trying without audio` },
  };
}

function finalVideoLesson(learnt: Learnt, video: VideoTrack, tried: readonly HevcForm[]): Lesson {
  const forms =
    video.codec === 'h265'
      ? tried.map((form) => HEVC_FORM_NAMES[form]).join(', then ')
      : 'enhanced RTMP';
  return {
    learnt: { ...NOTHING_LEARNT, codecs: learnt.codecs },
    verdict: {
      isFinal: true,
      words: `it ends the session right after ${codecName(video)} begins (${forms}). It may not take ${codecName(video)}, or not this stream. ${OTHER_CODEC}.`,
    },
  };
}

/** undefined for what RTMP had before. */
function fourCcOf(track: Track): FourCc | undefined {
  switch (track.codec) {
    case 'h265':
    case 'av1':
    case 'vp9':
      return VIDEO_FOUR_CCS[track.codec];
    case 'opus':
    case 'ac3':
    case 'eac3':
      return AUDIO_FOUR_CCS[track.codec];
    case 'h264':
    case 'aac':
    case 'mp3':
    case 'pcma':
    case 'pcmu':
      return undefined;
  }
}

const ENHANCED_VIDEO: readonly FourCc[] = ['hvc1', 'av01', 'vp09'];
const ENHANCED_AUDIO: readonly FourCc[] = ['Opus', 'ac-3', 'ec-3'];

function isRightAfter(ms: number | undefined): boolean {
  return ms !== undefined && ms < RIGHT_AFTER_MS;
}
