/**
 * Which elementary streams of a programme are taken: the first video and the first audio that can be
 * carried. What a stream is, its type tells (ISO/IEC 13818-1 table 2-34), and for private data its
 * descriptors (registration: SMPTE RA; DVB: EN 300 468 annex D; ATSC A/52 annex A).
 */
import type { AudioFormat } from './audio-framing.ts';
import type { Descriptor, ElementaryStreamEntry, ProgramMap } from './program-tables.ts';

export interface SelectedVideo {
  readonly pid: number;
  readonly codec: 'h264' | 'h265';
}

export interface SelectedAudio {
  readonly pid: number;
  readonly format: AudioFormat;
  /** Of Opus, whose packets do not tell. */
  readonly channels: 1 | 2;
}

export interface StreamSelection {
  readonly video: SelectedVideo | undefined;
  readonly audio: SelectedAudio | undefined;
  /** In words: "video MPEG-2". */
  readonly leftOut: readonly string[];
}

type StreamKind =
  | { readonly kind: 'video'; readonly codec: 'h264' | 'h265'; readonly name: string }
  | { readonly kind: 'audio'; readonly format: AudioFormat; readonly name: string }
  | { readonly kind: 'other'; readonly name: string };

const H264: StreamKind = { kind: 'video', codec: 'h264', name: 'video H.264' };
const H265: StreamKind = { kind: 'video', codec: 'h265', name: 'video H.265' };
const AC3: StreamKind = { kind: 'audio', format: 'ac3', name: 'audio AC-3' };
const E_AC3: StreamKind = { kind: 'audio', format: 'ac3', name: 'audio E-AC-3' };
const AAC: StreamKind = { kind: 'audio', format: 'adts', name: 'audio AAC' };
const MPEG_AUDIO: StreamKind = { kind: 'audio', format: 'mpeg-audio', name: 'audio MPEG' };
const OPUS: StreamKind = { kind: 'audio', format: 'opus', name: 'audio Opus' };

const STREAM_TYPES: ReadonlyMap<number, StreamKind> = new Map([
  [0x01, other('video MPEG-1')],
  [0x02, other('video MPEG-2')],
  [0x03, MPEG_AUDIO],
  [0x04, MPEG_AUDIO],
  [0x0f, AAC],
  [0x10, other('video MPEG-4 part 2')],
  [0x11, { kind: 'audio', format: 'loas', name: 'audio AAC (LATM)' }],
  [0x1b, H264],
  [0x1c, other('audio AAC without framing')],
  [0x21, other('video JPEG 2000')],
  [0x24, H265],
  [0x33, other('video H.266')],
  [0x42, other('video AVS')],
  [0x81, AC3],
  [0x82, other('audio DTS')],
  [0x83, other('audio TrueHD')],
  [0x84, E_AC3],
  [0x87, E_AC3],
  [0xd2, other('video AVS2')],
  [0xea, other('video VC-1')],
]);

const PRIVATE_PES = 0x06;
const DescriptorTag = {
  registration: 0x05,
  teletext: 0x56,
  subtitling: 0x59,
  ac3: 0x6a,
  eac3: 0x7a,
  dts: 0x7b,
  extension: 0x7f,
} as const;

/** format_identifier of registration descriptors. */
const REGISTRATIONS: ReadonlyMap<string, StreamKind> = new Map([
  ['AC-3', AC3],
  ['EAC3', E_AC3],
  ['HEVC', H265],
  ['Opus', OPUS],
  ['AV01', other('video AV1')],
  ['BSSD', other('audio SMPTE 302M')],
  ['DTS1', other('audio DTS')],
  ['DTS2', other('audio DTS')],
  ['DTS3', other('audio DTS')],
  ['KLVA', other('data KLV')],
]);

/** Of an extension descriptor, ETSI TS 102 377 (draft of 2014), as ffmpeg and GStreamer write it. */
const OPUS_EXTENSION = 0x80;
const STEREO = 2;

/** `refused`: PIDs that turned out not to be what they were announced as. */
export function selectStreams(
  { streams }: ProgramMap,
  refused: ReadonlySet<number>,
): StreamSelection {
  let video: SelectedVideo | undefined;
  let audio: SelectedAudio | undefined;
  const leftOut: string[] = [];
  for (const stream of streams) {
    const found = withoutMappedOpus(kindOf(stream), stream);
    const { pid } = stream;
    if (refused.has(pid)) continue;
    if (found.kind === 'video' && video === undefined) {
      video = { pid, codec: found.codec };
    } else if (found.kind === 'audio' && audio === undefined) {
      audio = { pid, format: found.format, channels: opusChannels(stream) };
    } else {
      leftOut.push(
        found.kind === 'other' ? found.name : `${found.name}, because another one is taken`,
      );
    }
  }
  return { video, audio, leftOut };
}

function other(name: string): StreamKind {
  return { kind: 'other', name };
}

function kindOf({ streamType, descriptors }: ElementaryStreamEntry): StreamKind {
  const byType = STREAM_TYPES.get(streamType);
  if (byType !== undefined) return byType;
  const registered = REGISTRATIONS.get(registrationOf(descriptors));
  if (registered !== undefined) return registered;
  const has = (tag: number) => descriptors.some((descriptor) => descriptor.tag === tag);
  if (streamType === PRIVATE_PES) {
    if (has(DescriptorTag.ac3)) return AC3;
    if (has(DescriptorTag.eac3)) return E_AC3;
    if (has(DescriptorTag.dts)) return other('audio DTS');
    if (has(DescriptorTag.teletext)) return other('teletext');
    if (has(DescriptorTag.subtitling)) return other('subtitles');
  }
  return other(`data of type 0x${streamType.toString(16).padStart(2, '0')}`);
}

function registrationOf(descriptors: readonly Descriptor[]): string {
  const found = descriptors.find(({ tag }) => tag === DescriptorTag.registration);
  return String.fromCharCode(...(found?.body.subarray(0, 4) ?? []));
}

/** channel_config_code: 1 and 2 are mono and stereo; without a descriptor it is stereo. */
function opusChannelCode({ descriptors }: ElementaryStreamEntry): number {
  const found = descriptors.find(
    ({ tag, body }) => tag === DescriptorTag.extension && body[0] === OPUS_EXTENSION,
  );
  return found?.body[1] ?? STEREO;
}

/** Several Opus streams in one need a mapping table. */
function withoutMappedOpus(kind: StreamKind, stream: ElementaryStreamEntry): StreamKind {
  const code = opusChannelCode(stream);
  return kind !== OPUS || code === 1 || code === STEREO
    ? kind
    : other('audio Opus of many channels');
}

function opusChannels(stream: ElementaryStreamEntry): 1 | 2 {
  return opusChannelCode(stream) === 1 ? 1 : STEREO;
}
