/** What the simulated cameras send, and how it comes to the system under test. */
import type { VideoCodec } from './media.ts';

export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** How many, one run each, unless told otherwise. */
  readonly cameras: readonly number[];
  readonly codec: VideoCodec;
  readonly videoBitsPerSecond: number;
  readonly source: 'rtsp-tcp' | 'rtsp-udp' | 'udp-ts' | 'rtmp';
  /** Over RTSP: pictures and sounds come so many times less often. */
  readonly slowness?: number;
  /** What MQTT, HTTP and the web page cost, and nothing else. */
  readonly isReporting?: boolean;
  /** How many watch each camera, unless told otherwise; left out: all goes on to a RTMP server. */
  readonly players?: number;
}

/** A camera's main stream. */
const MAIN_BITS_PER_SECOND = 4_000_000;
/** With the sound 1 Mbit/s: what is watched by many. */
const SUB_BITS_PER_SECOND = 870_000;
/** So little, and at 5 pictures a second, that what else is done is seen beside it. */
const SMALL_BITS_PER_SECOND = 200_000;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'tcp',
    what: 'H.264 and AAC, RTSP over TCP',
    cameras: [16, 64],
    codec: 'h264',
    videoBitsPerSecond: MAIN_BITS_PER_SECOND,
    source: 'rtsp-tcp',
  },
  {
    name: 'udp',
    what: 'the same, RTP over UDP',
    cameras: [16],
    codec: 'h264',
    videoBitsPerSecond: MAIN_BITS_PER_SECOND,
    source: 'rtsp-udp',
  },
  {
    name: 'ts',
    what: 'the same, MPEG-TS over UDP; a picture ends where the next begins, so all are 40 ms late',
    cameras: [16],
    codec: 'h264',
    videoBitsPerSecond: MAIN_BITS_PER_SECOND,
    source: 'udp-ts',
  },
  {
    name: 'h265',
    what: 'H.265 and AAC, RTSP over TCP, to enhanced RTMP; ffmpeg 5.1 cannot, and sends MPEG-TS over TCP',
    cameras: [16],
    codec: 'h265',
    videoBitsPerSecond: MAIN_BITS_PER_SECOND,
    source: 'rtsp-tcp',
  },
  {
    name: 'relay',
    what: 'H.264 and AAC, published over RTMP and passed on; beside nginx’s RTMP module too',
    cameras: [16],
    codec: 'h264',
    videoBitsPerSecond: MAIN_BITS_PER_SECOND,
    source: 'rtmp',
  },
  {
    name: 'fanout',
    what: 'one RTMP publisher of 1 Mbit/s and many RTMP players, beside nginx’s RTMP module',
    cameras: [1],
    codec: 'h264',
    videoBitsPerSecond: SUB_BITS_PER_SECOND,
    source: 'rtmp',
    players: 500,
  },
  {
    name: 'reporting',
    what: 'what MQTT, HTTP and an open web page cost: with all of it and without any, in turns, five times',
    cameras: [16],
    codec: 'h264',
    videoBitsPerSecond: SMALL_BITS_PER_SECOND,
    source: 'rtsp-tcp',
    slowness: 5,
    isReporting: true,
  },
];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
