import type { Subject } from '../subject.ts';
import { AUDIO_SUBJECTS } from './audio-subjects.ts';
import { CODEC_SUBJECTS } from './codec-subjects.ts';
import { CONFIG_SUBJECTS } from './config-subjects.ts';
import { DISCOVERY_SUBJECTS } from './discovery-subjects.ts';
import { FLV_SUBJECTS } from './flv-subjects.ts';
import { MPEGTS_SUBJECTS } from './mpegts-subjects.ts';
import { NMEA_SUBJECTS } from './nmea-subjects.ts';
import { ONVIF_SUBJECTS } from './onvif-subjects.ts';
import { PTZ_SUBJECTS } from './ptz-subjects.ts';
import { RTMP_HANDSHAKE_SUBJECTS } from './rtmp-handshake-subjects.ts';
import { RTMP_SUBJECTS } from './rtmp-subjects.ts';
import { RTMP_TUNNEL_SUBJECTS } from './rtmp-tunnel-subjects.ts';
import { RTP_SUBJECTS } from './rtp-subjects.ts';
import { RTSP_SERVER_SUBJECTS } from './rtsp-server-subjects.ts';
import { RTSP_SUBJECTS } from './rtsp-subjects.ts';
import { VOD_SUBJECTS } from './vod-subjects.ts';

export const ALL_SUBJECTS: readonly Subject[] = [
  ...CODEC_SUBJECTS,
  ...AUDIO_SUBJECTS,
  ...FLV_SUBJECTS,
  ...RTP_SUBJECTS,
  ...RTSP_SUBJECTS,
  ...RTSP_SERVER_SUBJECTS,
  ...MPEGTS_SUBJECTS,
  ...RTMP_SUBJECTS,
  ...RTMP_HANDSHAKE_SUBJECTS,
  ...VOD_SUBJECTS,
  ...RTMP_TUNNEL_SUBJECTS,
  ...DISCOVERY_SUBJECTS,
  ...NMEA_SUBJECTS,
  ...ONVIF_SUBJECTS,
  ...PTZ_SUBJECTS,
  ...CONFIG_SUBJECTS,
];
