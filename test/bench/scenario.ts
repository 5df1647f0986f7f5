/** What the simulated cameras send, and how it comes to the system under test. */
import type { VideoCodec } from './media.ts';

export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** How many, one run each, unless told otherwise. */
  readonly cameras: readonly number[];
  readonly codec: VideoCodec;
  readonly source: 'rtsp-tcp' | 'rtsp-udp';
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
];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
