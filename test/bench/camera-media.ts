/** All that a simulated RTSP camera has to send, made ready once. */
import {
  AUDIO_CONFIG_HEX,
  AUDIO_SAMPLE_RATE,
  AUDIO_STAMP_OFFSET,
  audioTemplates,
  PARAMETER_SETS,
  VIDEO_STAMP_OFFSET,
  videoTemplates,
} from './media.ts';
import type { MediaKind } from './pacing.ts';
import { RtpBurst } from './rtp-burst.ts';
import type { Scenario } from './scenario.ts';

const PAYLOAD_TYPES: Readonly<Record<MediaKind, number>> = { video: 96, audio: 97 };
export const VIDEO_CLOCK_RATE = 90_000;

export interface CameraMedia {
  /** The access units of one GOP, and of as much audio as does not repeat. */
  readonly bursts: Readonly<Record<MediaKind, readonly RtpBurst[]>>;
  /** As in the scenario; 1: as fast as they are. */
  readonly slowness: number;
  /** SDP, RFC 4566. */
  readonly description: string;
}

export function cameraMedia({ codec, videoBitsPerSecond, slowness = 1 }: Scenario): CameraMedia {
  const video = videoTemplates(codec, videoBitsPerSecond).map((slice, index) => {
    const nalUnits = index === 0 ? [...PARAMETER_SETS[codec], slice] : [slice];
    return RtpBurst.video(codec, nalUnits, PAYLOAD_TYPES.video, VIDEO_STAMP_OFFSET);
  });
  const audio = audioTemplates().map((frame) =>
    RtpBurst.audio(frame, PAYLOAD_TYPES.audio, AUDIO_STAMP_OFFSET),
  );
  return { bursts: { video, audio }, slowness, description: description(codec) };
}

function description(codec: Scenario['codec']): string {
  const { video, audio } = PAYLOAD_TYPES;
  const name = codec === 'h264' ? 'H264' : 'H265';
  const aac = 'streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3';
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=bench',
    't=0 0',
    `m=video 0 RTP/AVP ${video}`,
    'c=IN IP4 0.0.0.0',
    `a=rtpmap:${video} ${name}/${VIDEO_CLOCK_RATE}`,
    `a=fmtp:${video} ${videoParameters(codec)}`,
    'a=control:track=1',
    `m=audio 0 RTP/AVP ${audio}`,
    'c=IN IP4 0.0.0.0',
    `a=rtpmap:${audio} mpeg4-generic/${AUDIO_SAMPLE_RATE}/1`,
    `a=fmtp:${audio} ${aac};indexdeltalength=3;config=${AUDIO_CONFIG_HEX}`,
    'a=control:track=2',
    '',
  ].join('\r\n');
}

/** RFC 6184 §8.1, RFC 7798 §7.1. */
function videoParameters(codec: Scenario['codec']): string {
  const sets = PARAMETER_SETS[codec].map((set) => set.toString('base64'));
  if (codec === 'h265') return `sprop-vps=${sets[0]};sprop-sps=${sets[1]};sprop-pps=${sets[2]}`;
  const profile = PARAMETER_SETS.h264[0]?.toString('hex', 1, 4);
  return `packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets.join(',')}`;
}
