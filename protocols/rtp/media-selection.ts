/**
 * Which medias of a session description are pulled, and by which depacketizer: of the videos and of the audios
 * that can be carried the best one each, or the first of equals. The rest is left out, with the reason.
 */
import { isAnnexB } from '../../codecs/annex-b.ts';

import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import type { MediaDescription, MediaFormat, SessionDescription } from '../sdp/sdp.ts';
import { AUDIO_OPENERS, FIXED_CLOCK_RATES, type Opener } from './audio-formats.ts';
import type { Depacketizer, UnitReceiver } from './depacketizer.ts';
import { H264Depacketizer } from './payload/h264.ts';

export interface SelectedMedia {
  readonly media: MediaDescription;
  readonly format: MediaFormat;
  readonly kind: 'video' | 'audio';
  readonly open: (receiver: UnitReceiver) => Depacketizer;
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

/** The payload formats there are: one row and one file each, the best of a kind first. */
const OPENERS = {
  video: new Map<string, Opener>([['h264', openH264]]),
  audio: AUDIO_OPENERS,
} as const;

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
    const choice = chooseFormat(media, kind);
    if (choice !== undefined) usable.push(choice);
    else leftOut.push({ kind, codec: codecsOf(media), reason: whyNot(media) });
  }
  const best = [bestOf(usable, 'video'), bestOf(usable, 'audio')];
  const selected = usable.filter((media) => best.includes(media));
  for (const { kind, media } of usable.filter((each) => !selected.includes(each))) {
    leftOut.push({ kind, codec: codecsOf(media), reason: 'another one is taken' });
  }
  if (selected.length === 0) {
    const offered = leftOut.map((media) => `${media.kind} ${media.codec}`).join(', ');
    throw new UnsupportedError(
      offered === ''
        ? 'it offers neither video nor audio. Check the path of the source URL.'
        : `it offers only ${offered}; H.264 video and AAC audio can be carried. Set the camera's encoder to H.264.`,
    );
  }
  return { selected, leftOut };
}

function codecsOf(media: MediaDescription): string {
  const names = media.payloadTypes.map(
    (type) => media.formats.get(type)?.encoding ?? `payload type ${type}`,
  );
  return names.join('/') || 'unknown';
}

function whyNot(media: MediaDescription): string {
  if (media.kind !== 'audio') return 'this codec is not carried';
  const encodings = [...media.formats.values()].map(({ encoding }) => encoding);
  const known = UNCARRIED_AUDIO.find(([pattern]) => encodings.some((name) => pattern.test(name)));
  return `${known?.[1] ?? 'this codec'} is not carried. Set the camera's audio encoder to AAC`;
}

function bestOf(usable: readonly SelectedMedia[], kind: 'video' | 'audio') {
  const ranking = [...OPENERS[kind].keys()];
  const rank = ({ format }: SelectedMedia) => ranking.indexOf(format.encoding);
  const ofKind = usable.filter((media) => media.kind === kind);
  return ofKind.toSorted((one, other) => rank(one) - rank(other))[0];
}

function chooseFormat(media: MediaDescription, kind: 'video' | 'audio'): SelectedMedia | undefined {
  for (const payloadType of media.payloadTypes) {
    const described = media.formats.get(payloadType);
    const opener = OPENERS[kind].get(described?.encoding ?? '');
    if (described === undefined || opener === undefined) continue;
    const { encoding, clockRate } = described;
    const format = { ...described, clockRate: FIXED_CLOCK_RATES.get(encoding) ?? clockRate };
    if (opens(opener, format)) {
      return { media, format, kind, open: (receiver) => opener(receiver, format) };
    }
  }
  return undefined;
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

/** RFC 6184 §8.1: `sprop-parameter-sets` holds any number of sets, or is missing: then they come in band. */
function openH264(receiver: UnitReceiver, format: MediaFormat): Depacketizer {
  return new H264Depacketizer(receiver, setsOf(format, 'sprop-parameter-sets'));
}

function setsOf(format: MediaFormat, name: string): Uint8Array[] {
  const text = format.parameters.get(name) ?? '';
  return text.split(',').map((each) => withoutStartCode(fromBase64(each)));
}

function withoutStartCode(set: Uint8Array): Uint8Array {
  return isAnnexB(set) ? set.subarray(set.indexOf(1) + 1) : set;
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.trim(), 'base64'));
}
