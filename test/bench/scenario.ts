/** What the simulated cameras send, and how it comes to the system under test. */
import type { VideoCodec } from './media.ts';

export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** How many, one run each, unless told otherwise. */
  readonly cameras: readonly number[];
  readonly codec: VideoCodec;
  readonly source: 'rtsp-tcp' | 'rtsp-udp' | 'udp-ts';
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'tcp',
    what: 'H.264 and AAC, RTSP over TCP',
    cameras: [16, 64],
    codec: 'h264',
    source: 'rtsp-tcp',
  },
  {
    name: 'udp',
    what: 'the same, RTP over UDP',
    cameras: [16],
    codec: 'h264',
    source: 'rtsp-udp',
  },
  {
    name: 'ts',
    what: 'the same, MPEG-TS over UDP; a picture ends where the next begins, so all are 40 ms late',
    cameras: [16],
    codec: 'h264',
    source: 'udp-ts',
  },
  {
    name: 'h265',
    what: 'H.265 and AAC, RTSP over TCP, to enhanced RTMP; ffmpeg 5.1 cannot, and sends MPEG-TS over TCP',
    cameras: [16],
    codec: 'h265',
    source: 'rtsp-tcp',
  },
];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
