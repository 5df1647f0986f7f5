/** How a track goes out over RTP, and how a session description says so: one row a codec. */
import { OPUS_SAMPLE_RATE } from '../../../codecs/opus/identification-header.ts';
import type {
  AacTrack,
  Ac3Track,
  G711Track,
  H264Track,
  H265Track,
  OpusTrack,
  Track,
} from '../../../codecs/track.ts';
import { AacPacketizer } from './aac.ts';
import { G711Packetizer, OpusPacketizer } from './bare-audio.ts';
import { ac3Packetizer, mp3Packetizer } from './framed-audio.ts';
import { H264Packetizer } from './h264.ts';
import { H265Packetizer } from './h265.ts';
import type { Packetizer } from './packetizer.ts';

/** Dynamic payload types, RFC 3551 §6. */
const VIDEO = 96;
const AUDIO = 97;
/** Static ones, tables 4 and 5. */
const PCMU = 0;
const PCMA = 8;
const MPA = 14;

const VIDEO_CLOCK_RATE = 90_000;

export interface PayloadFormat {
  readonly payloadType: number;
  readonly clockRate: number;
  /** What `rtpmap` says: encoding, clock rate, channels. */
  readonly rtpmap: string;
  /** What `fmtp` says. */
  readonly fmtp: string | undefined;
  readonly newPacketizer: () => Packetizer;
}

/** Undefined: it is not carried over RTP (AV1, VP9, Opus of more than two channels). */
export function payloadFormatOf(track: Track): PayloadFormat | undefined {
  switch (track.codec) {
    case 'h264':
      return h264(track);
    case 'h265':
      return h265(track);
    case 'aac':
      return aac(track);
    case 'pcma':
    case 'pcmu':
      return g711(track);
    case 'mp3':
      return {
        payloadType: MPA,
        clockRate: VIDEO_CLOCK_RATE,
        rtpmap: 'MPA/90000',
        fmtp: undefined,
        newPacketizer: mp3Packetizer,
      };
    case 'opus':
      return opus(track);
    case 'ac3':
    case 'eac3':
      return ac3(track);
    case 'av1':
    case 'vp9':
      return undefined;
  }
}

/** Whether who was told of the one can go on with the other: new parameter sets of video come in band. */
export function isSameFormat(told: Track, now: Track): boolean {
  const [one, other] = [payloadFormatOf(told), payloadFormatOf(now)];
  if (one === undefined || other === undefined || one.rtpmap !== other.rtpmap) return false;
  return told.kind === 'video' || one.fmtp === other.fmtp;
}

/** RFC 6184 §8.1. */
function h264({ sps, pps }: H264Track): PayloadFormat {
  const profileLevelId = toHex(sps.subarray(1, 4));
  const sets = [sps, pps].map(toBase64).join(',');
  return {
    payloadType: VIDEO,
    clockRate: VIDEO_CLOCK_RATE,
    rtpmap: 'H264/90000',
    fmtp: `packetization-mode=1;profile-level-id=${profileLevelId};sprop-parameter-sets=${sets}`,
    newPacketizer: () => new H264Packetizer(),
  };
}

/** RFC 7798 §7.1. */
function h265({ vps, sps, pps }: H265Track): PayloadFormat {
  const [v, s, p] = [vps, sps, pps].map(toBase64);
  return {
    payloadType: VIDEO,
    clockRate: VIDEO_CLOCK_RATE,
    rtpmap: 'H265/90000',
    fmtp: `sprop-vps=${v};sprop-sps=${s};sprop-pps=${p}`,
    newPacketizer: () => new H265Packetizer(),
  };
}

/** RFC 3640 §4.1. */
function aac({ config, sampleRate, channels }: AacTrack): PayloadFormat {
  return {
    payloadType: AUDIO,
    clockRate: sampleRate,
    rtpmap: `MPEG4-GENERIC/${sampleRate}/${channels}`,
    fmtp: `streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=${toHex(config)}`,
    newPacketizer: () => new AacPacketizer(),
  };
}

/** RFC 3551 §4.5.14. */
function g711({ codec, sampleRate, channels }: G711Track): PayloadFormat {
  const isTelephony = sampleRate === 8000 && channels === 1;
  const telephony = codec === 'pcma' ? PCMA : PCMU;
  const suffix = channels === 1 ? '' : `/${channels}`;
  return {
    payloadType: isTelephony ? telephony : AUDIO,
    clockRate: sampleRate,
    rtpmap: `${codec.toUpperCase()}/${sampleRate}${suffix}`,
    fmtp: undefined,
    newPacketizer: () => new G711Packetizer(channels),
  };
}

/** RFC 7587 §7: always two channels, and `sprop-stereo` tells how many there are. */
function opus({ channels }: OpusTrack): PayloadFormat | undefined {
  if (channels > 2) return undefined;
  return {
    payloadType: AUDIO,
    clockRate: OPUS_SAMPLE_RATE,
    rtpmap: `opus/${OPUS_SAMPLE_RATE}/2`,
    fmtp: `sprop-stereo=${channels === 2 ? 1 : 0}`,
    newPacketizer: () => new OpusPacketizer(),
  };
}

/** RFC 4184 §5.1, RFC 4598 §6.1. */
function ac3({ codec, sampleRate, channels }: Ac3Track): PayloadFormat {
  return {
    payloadType: AUDIO,
    clockRate: sampleRate,
    rtpmap: `${codec}/${sampleRate}/${channels}`,
    fmtp: undefined,
    newPacketizer: () => ac3Packetizer(codec),
  };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
