/**
 * Which medias of a session description are pulled, and by which depacketizer: the first video and
 * the first audio that can be carried. The rest is left out, with the reason.
 */
import {
  AudioObjectType,
  serializeAudioSpecificConfig,
} from '../../codecs/aac/audio-specific-config.ts';
import { isAnnexB } from '../../codecs/annex-b.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import type { MediaDescription, MediaFormat, SessionDescription } from '../sdp/sdp.ts';
import type { Depacketizer, UnitReceiver } from './depacketizer.ts';
import { AacDepacketizer } from './payload/aac.ts';
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

/** Opens a depacketizer for a format, or throws ParseError when its parameters are unusable. */
type Opener = (receiver: UnitReceiver, format: MediaFormat) => Depacketizer;

/** The payload formats there are: one row and one file each. */
const OPENERS: ReadonlyMap<string, Opener> = new Map([
  ['video/h264', openH264],
  ['audio/mpeg4-generic', openAac],
]);

/** Throws UnsupportedError when nothing can be carried. */
export function selectMedias(sdp: SessionDescription): Selection {
  const selected: SelectedMedia[] = [];
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
    const isTaken = selected.some((each) => each.kind === kind);
    const choice = isTaken ? undefined : chooseFormat(media, kind);
    if (choice !== undefined) selected.push(choice);
    else
      leftOut.push({
        kind,
        codec: codecsOf(media),
        reason: isTaken ? 'another one is taken' : 'this codec is not carried',
      });
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

function chooseFormat(media: MediaDescription, kind: 'video' | 'audio'): SelectedMedia | undefined {
  for (const payloadType of media.payloadTypes) {
    const format = media.formats.get(payloadType);
    const opener = OPENERS.get(`${kind}/${format?.encoding}`);
    if (format === undefined || opener === undefined || !opens(opener, format)) continue;
    return { media, format, kind, open: (receiver) => opener(receiver, format) };
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

/** RFC 3640 §4.1. */
function openAac(receiver: UnitReceiver, format: MediaFormat): Depacketizer {
  const { parameters, clockRate, channels = 1 } = format;
  const auxiliary = UNREAD_AAC_FIELDS.find((name) => Number(parameters.get(name) ?? 0) !== 0);
  if (auxiliary !== undefined) throw new ParseError(`its AU headers carry ${auxiliary}`);
  const config = fromHex(parameters.get('config') ?? '');
  const bits = (name: string, fallback: number) => {
    const value = Number(parameters.get(name) ?? fallback);
    return Number.isInteger(value) && value >= 0 && value <= 16 ? value : fallback;
  };
  const isLowBitRate = parameters.get('mode')?.toLowerCase() === 'aac-lbr';
  return new AacDepacketizer(receiver, {
    // A camera that names no config (some Dahua) sends AAC-LC, with what rtpmap says.
    config: config.length > 0 ? config : plainConfig(clockRate, channels),
    clockRate,
    sizeLength: bits('sizelength', isLowBitRate ? 6 : 13),
    indexLength: bits('indexlength', isLowBitRate ? 2 : 3),
    indexDeltaLength: bits('indexdeltalength', isLowBitRate ? 2 : 3),
  });
}

/** Fields of AU headers that no camera is known to send, RFC 3640 §4.1. */
const UNREAD_AAC_FIELDS = [
  'ctsdeltalength',
  'dtsdeltalength',
  'randomaccessindication',
  'streamstateindication',
  'auxiliarydatasizelength',
];

function plainConfig(sampleRate: number, channels: number): Uint8Array {
  // More than 5.1 needs a config: 7 stands for eight channels (ISO/IEC 14496-3 table 1.19).
  if (channels > 6) throw new ParseError(`${channels} channels without a config`);
  return serializeAudioSpecificConfig({
    objectType: AudioObjectType.lc,
    sampleRate,
    channelConfiguration: channels,
  });
}

function withoutStartCode(set: Uint8Array): Uint8Array {
  return isAnnexB(set) ? set.subarray(set.indexOf(1) + 1) : set;
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.trim(), 'base64'));
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.trim().replace(/^0x/i, ''), 'hex'));
}
