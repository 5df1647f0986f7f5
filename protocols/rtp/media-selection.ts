/**
 * Which medias of a session description are pulled, and by which depacketizer: of those that can be carried the
 * first video, and the audio that is best for a master, or the first of equals. The rest is left out, with the reason.
 */
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import type { MediaDescription, MediaFormat, SessionDescription } from '../sdp/sdp.ts';
import { AUDIO_OPENERS, FIXED_CLOCK_RATES } from './audio-formats.ts';
import type { Depacketizer, Opener, UnitReceiver } from './depacketizer.ts';
import { VIDEO_OPENERS } from './video-formats.ts';

export interface SelectedFormat {
  readonly format: MediaFormat;
  readonly open: (receiver: UnitReceiver) => Depacketizer;
}

export interface SelectedMedia extends SelectedFormat {
  readonly media: MediaDescription;
  readonly kind: 'video' | 'audio';
  /** Further ones of its `m=` line: any of them may come (RFC 8866 §5.14). */
  readonly others: readonly SelectedFormat[];
}

export interface LeftOutMedia {
  readonly kind: string;
  readonly codec: string;
  readonly reason: string;
}

export interface Selection {
  readonly selected: readonly SelectedMedia[];
  readonly leftOut: readonly LeftOutMedia[];
}

/** People are told of so many medias that are left out, and of so many formats of each. */
const MAX_LEFT_OUT = 16;
const MAX_NAMED = 4;

/** The payload formats there are, by encoding. */
const OPENERS = { video: VIDEO_OPENERS, audio: AUDIO_OPENERS } as const;

/** What people call the audio that is not carried: it has no place in FLV. */
const UNCARRIED_AUDIO: readonly (readonly [RegExp, string])[] = [
  [/^l(8|16|20|24)$/, 'Uncompressed PCM'],
  [/^(aal2-)?g726/, 'G.726'],
  [/^g722/, 'G.722'],
  [/^g723/, 'G.723.1'],
  [/^g729/, 'G.729'],
  [/^gsm/, 'GSM'],
  [/^speex$/, 'Speex'],
  [/^(dvi4|dvi)$/, 'ADPCM'],
];

/** Throws UnsupportedError when nothing can be carried. */
export function selectMedias(sdp: SessionDescription): Selection {
  const usable: SelectedMedia[] = [];
  const leftOut: LeftOutMedia[] = [];
  // ONVIF Streaming §5.3 writes `sendonly` on the back channel, where the others are `recvonly`. A camera
  // that writes it on all of them means what RFC 8866 says: that it sends.
  const namesBackChannel = sdp.medias.some((media) => media.direction === 'recvonly');
  for (const media of sdp.medias) {
    const { kind, direction } = media;
    if (kind !== 'video' && kind !== 'audio') continue;
    if (namesBackChannel && direction === 'sendonly') {
      leftOut.push({ kind, codec: codecsOf(media), reason: 'it is the way back to the camera' });
      continue;
    }
    if (media.protocol.includes('savp')) {
      leftOut.push({ kind, codec: codecsOf(media), reason: 'it is encrypted (SRTP)' });
      continue;
    }
    const choice = chooseFormat(media, kind);
    if (choice !== undefined) usable.push(choice);
    else leftOut.push({ kind, codec: codecsOf(media), reason: whyNot(media) });
  }
  const best = [usable.find(({ kind }) => kind === 'video'), bestAudio(usable)];
  const selected = usable.filter((media) => best.includes(media));
  for (const { kind, media } of usable.filter((each) => !selected.includes(each))) {
    leftOut.push({ kind, codec: codecsOf(media), reason: 'another one is taken' });
  }
  const told = leftOut.slice(0, MAX_LEFT_OUT);
  if (selected.length === 0) {
    const offered = told.map((media) => `${media.kind} ${media.codec}`).join(', ');
    throw new UnsupportedError(
      offered === ''
        ? 'it offers neither video nor audio. Check the path of the source URL.'
        : `it offers only ${offered}; H.264 and H.265 video can be carried, and AAC, MP3, G.711, Opus and AC-3 audio. Set the camera's encoder to H.264.`,
    );
  }
  return { selected, leftOut: told };
}

function codecsOf(media: MediaDescription): string {
  const names = media.payloadTypes
    .slice(0, MAX_NAMED)
    .map((type) => media.formats.get(type)?.encoding ?? `payload type ${type}`);
  return names.join('/') || 'unknown';
}

function whyNot(media: MediaDescription): string {
  if (media.kind !== 'audio') return 'this codec is not carried';
  const encodings = [...media.formats.values()].map(({ encoding }) => encoding);
  const known = UNCARRIED_AUDIO.find(([pattern]) => encodings.some((name) => pattern.test(name)));
  return `${known?.[1] ?? 'this codec'} is not carried. Set the camera's audio encoder to AAC`;
}

/** AUDIO_OPENERS ranks them. */
function bestAudio(usable: readonly SelectedMedia[]): SelectedMedia | undefined {
  const ranking = [...AUDIO_OPENERS.keys()];
  const rank = ({ format }: SelectedMedia) => ranking.indexOf(format.encoding);
  const audios = usable.filter(({ kind }) => kind === 'audio');
  return audios.toSorted((one, other) => rank(one) - rank(other))[0];
}

function chooseFormat(media: MediaDescription, kind: 'video' | 'audio'): SelectedMedia | undefined {
  const usable: SelectedFormat[] = [];
  for (const payloadType of media.payloadTypes) {
    const described = media.formats.get(payloadType);
    const opener = OPENERS[kind].get(described?.encoding ?? '');
    if (described === undefined || opener === undefined) continue;
    const { encoding, clockRate } = described;
    const format = { ...described, clockRate: FIXED_CLOCK_RATES.get(encoding) ?? clockRate };
    if (opens(opener, format))
      usable.push({ format, open: (receiver) => opener(receiver, format) });
  }
  const [first, ...others] = usable;
  return first === undefined ? undefined : { media, kind, ...first, others };
}

function opens(opener: Opener, format: MediaFormat): boolean {
  try {
    opener({ unit: () => false }, format);
    return true;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
