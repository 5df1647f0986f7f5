/**
 * Which medias of a session description are pulled, and by which depacketizer: the first video and
 * the first audio that can be carried. The rest is left out, with the reason.
 */
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
  // A back channel is what we would send (ONVIF Streaming §5.3): only taken when there is nothing else.
  const forward = sdp.medias.filter((media) => media.direction !== 'sendonly');
  for (const media of [...forward, ...sdp.medias.filter((each) => !forward.includes(each))]) {
    const { kind } = media;
    if (kind !== 'video' && kind !== 'audio') continue;
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
  const sets = (format.parameters.get('sprop-parameter-sets') ?? '').split(',').map(fromBase64);
  const find = (type: number) =>
    sets.find((set) => ((set[0] ?? 0) & 0x1f) === type && set.length >= 4);
  return new H264Depacketizer(receiver, find(7), find(8));
}

/** RFC 3640 §4.1. */
function openAac(receiver: UnitReceiver, format: MediaFormat): Depacketizer {
  const { parameters, clockRate } = format;
  const bits = (name: string, fallback: number) => {
    const value = Number(parameters.get(name) ?? fallback);
    return Number.isInteger(value) && value >= 0 && value <= 16 ? value : fallback;
  };
  const isLowBitRate = parameters.get('mode')?.toLowerCase() === 'aac-lbr';
  return new AacDepacketizer(receiver, {
    config: fromHex(parameters.get('config') ?? ''),
    clockRate,
    sizeLength: bits('sizelength', isLowBitRate ? 6 : 13),
    indexLength: bits('indexlength', isLowBitRate ? 2 : 3),
    indexDeltaLength: bits('indexdeltalength', isLowBitRate ? 2 : 3),
  });
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.trim(), 'base64'));
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.trim().replace(/^0x/i, ''), 'hex'));
}
