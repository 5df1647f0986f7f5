/** From what was measured to what people should know: a closed list, the gravest first, each with what to do. */

import { codecName } from '../../codecs/codec-name.ts';
import type { AudioTrack, Track, VideoTrack } from '../../codecs/track.ts';
import type { SourceStats } from '../../drivers/driver.ts';
import type { Cause } from '../causes.ts';
import type { CauseCode } from '../report/status.ts';
import type { Measured } from './measuring-sink.ts';

/** Viewers wait up to one GOP for a picture, and a lost packet costs the rest of one. */
const LONG_GOP_MS = 5_000;
/** A tenth of a percent of the packets is a cable; more is a network that people see. */
const LOSS_SHARE = 0.001;
/** The worst quartz is far below; more is a camera that stamps a rate which it does not deliver. */
const CLOCK_PERCENT = 2;
/** Below this a picture is a slide show for most, or the encoder is overloaded. */
const STATED_FPS_SHARE = 0.85;

export type FindingCode =
  | CauseCode
  | 'parameter-sets'
  | 'enhanced-video'
  | 'enhanced-audio'
  | 'unusual-audio'
  | 'long-gop'
  | 'b-frames'
  | 'packet-loss'
  | 'clock'
  | 'low-fps'
  | 'changing-parameter-sets'
  | 'no-video'
  | 'no-audio'
  | 'note';

export interface Finding {
  readonly code: FindingCode;
  /** problem: no picture; warning: works, and people will complain; hint: good to know. */
  readonly weight: 'problem' | 'warning' | 'hint';
  readonly words: string;
}

export interface ProbeFacts {
  readonly measured: Measured;
  readonly stats: SourceStats;
  readonly notes: readonly string[];
  /** Why the attempt ended early. */
  readonly cause: Cause | undefined;
  /** As the parameter sets state it. */
  readonly statedFps: number | undefined;
}

export function findings(facts: ProbeFacts): Finding[] {
  const { measured, notes } = facts;
  const all = [
    ...failure(facts),
    ...carriage(measured.tracks),
    ...loss(facts),
    ...gop(facts),
    ...clock(facts),
    ...pictures(facts),
    ...missingTracks(facts),
    ...notes.map((words): Finding => ({ code: 'note', weight: 'hint', words })),
  ];
  const order = ['problem', 'warning', 'hint'];
  return all.sort((a, b) => order.indexOf(a.weight) - order.indexOf(b.weight));
}

function failure({ cause, measured, stats }: ProbeFacts): Finding[] {
  if (cause !== undefined) {
    // It worked, and then ended: what was measured counts.
    const weight = measured.video === undefined && measured.audio === undefined;
    return [{ code: cause.code, weight: weight ? 'problem' : 'warning', words: cause.reason }];
  }
  if (measured.firstUnitMs !== undefined || stats.receivedPackets === 0) return [];
  return [stats.awaits === 'parameter-sets' ? NO_PARAMETER_SETS : NO_KEYFRAME];
}

const NO_KEYFRAME: Finding = {
  code: 'no-keyframe',
  weight: 'problem',
  words:
    'Packets arrive, but no keyframe: nothing can be decoded. Set the I-frame interval (GOP) of the encoder to 2 to 4 s, and switch "smart codec", "H.264+" or "intra refresh" off.',
};
const NO_PARAMETER_SETS: Finding = {
  code: 'parameter-sets',
  weight: 'problem',
  words:
    'Packets arrive, but neither the description nor the stream has the parameter sets (SPS, PPS) that a decoder must know. Restart the encoder, update its firmware, or let it repeat them before each keyframe.',
};

/** What plain RTMP carries; the rest needs a master that knows enhanced RTMP. */
function carriage(tracks: readonly Track[]): Finding[] {
  return tracks.flatMap((track) =>
    track.kind === 'video' ? videoCarriage(track) : audioCarriage(track),
  );
}

function videoCarriage(track: VideoTrack): Finding[] {
  switch (track.codec) {
    case 'h264':
      return [];
    case 'h265':
      return [
        {
          code: 'enhanced-video',
          weight: 'warning',
          words:
            'H.265: only masters that know enhanced RTMP, or the older codec id 12, take it; many refuse it. If yours does, set the encoder to H.264, or pull a sub-stream that is.',
        },
      ];
    case 'av1':
    case 'vp9':
      return [
        {
          code: 'enhanced-video',
          weight: 'warning',
          words: `${codecName(track)}: only masters that know enhanced RTMP take it. If yours does not, set the encoder to H.264.`,
        },
      ];
  }
}

function audioCarriage(track: AudioTrack): Finding[] {
  switch (track.codec) {
    case 'aac':
      return [];
    case 'pcma':
    case 'pcmu':
      return [
        {
          code: 'unusual-audio',
          weight: 'warning',
          words:
            'G.711 audio: some masters end the session at it. Set the encoder to AAC, or audio: drop or silence for such a target.',
        },
      ];
    case 'mp3':
      return [
        {
          code: 'unusual-audio',
          weight: 'hint',
          words: 'MP3 audio: RTMP carries it, but few players in browsers play it. AAC is safer.',
        },
      ];
    case 'opus':
    case 'ac3':
    case 'eac3':
      return [
        {
          code: 'enhanced-audio',
          weight: 'warning',
          words: `${codecName(track)} audio: left out for every master that does not know enhanced RTMP. Set the encoder to AAC.`,
        },
      ];
  }
}

function loss({ stats }: ProbeFacts): Finding[] {
  const { lostPackets, receivedPackets, damagedUnits, transport } = stats;
  const total = lostPackets + receivedPackets;
  if (total === 0 || lostPackets / total < LOSS_SHARE) return [];
  const percent = ((lostPackets / total) * 100).toFixed(1);
  const advice =
    transport === 'udp' || transport === 'multicast'
      ? 'Use TCP (transport: tcp) where the source offers it, or look at the cable, the Wi-Fi and the switch between.'
      : 'The source or the network drops packets: is it overloaded?';
  return [
    {
      code: 'packet-loss',
      weight: 'warning',
      words: `${percent} % of the packets were lost (${lostPackets}), which cost ${damagedUnits} pictures or sounds. ${advice}`,
    },
  ];
}

function gop({ measured }: ProbeFacts): Finding[] {
  const { video, mediaMs } = measured;
  if (video === undefined) return [];
  const gopMs = video.longestGopMs ?? mediaMs;
  if (gopMs < LONG_GOP_MS) return [];
  const seconds = (gopMs / 1000).toFixed(1);
  const distance = video.longestGopMs === undefined ? `more than ${seconds}` : seconds;
  return [
    {
      code: 'long-gop',
      weight: 'warning',
      words: `A keyframe only every ${distance} s: whoever joins waits so long for a picture, and a lost packet costs as much. Set the I-frame interval (GOP) of the encoder to 2 to 4 s.`,
    },
  ];
}

function clock({ measured, stats }: ProbeFacts): Finding[] {
  const percent = stats.clockPercent ?? measured.clockPercent;
  if (percent === undefined || Math.abs(percent) < CLOCK_PERCENT) return [];
  const size = Math.abs(percent).toFixed(1);
  return [
    {
      code: 'clock',
      weight: 'warning',
      words:
        percent < 0
          ? `Its clock runs ${size} % slow: it stamps less time than passes, so recordings come out short. Sluice corrects the times from arrival; look for a firmware update, or set a frame rate that the encoder keeps up with.`
          : `Its clock runs ${size} % fast: it stamps more time than passes, so players run dry. Sluice corrects the times from arrival; look for a firmware update, or set a frame rate that the encoder keeps up with.`,
    },
  ];
}

function pictures({ measured, stats, statedFps }: ProbeFacts): Finding[] {
  const { video } = measured;
  if (video === undefined) return [];
  const found: Finding[] = [];
  if (video.bFrames > 0) {
    found.push({
      code: 'b-frames',
      weight: 'hint',
      words: `B-frames: pictures are sent up to ${video.reorderMs} ms before they are shown. RTMP carries them; they add that delay, and WebRTC players do not take them. For low latency set the encoder to the Baseline profile or to 0 B-frames.`,
    });
  }
  if (video.trackChanges > 0) {
    found.push({
      code: 'changing-parameter-sets',
      weight: 'warning',
      words: `The parameter sets changed ${video.trackChanges} times while it was looked at: some players freeze at that. Is something changing the encoder's settings?`,
    });
  }
  if (
    stats.damagedUnits === 0 && // else the loss is the reason
    statedFps !== undefined &&
    video.fps !== undefined &&
    video.fps < statedFps * STATED_FPS_SHARE
  ) {
    found.push({
      code: 'low-fps',
      weight: 'hint',
      words: `${video.fps} pictures a second come, ${statedFps} are stated: the encoder is overloaded, or lowers its rate in the dark.`,
    });
  }
  return found;
}

function missingTracks({ measured }: ProbeFacts): Finding[] {
  const { tracks, video, audio } = measured;
  if (measured.firstUnitMs === undefined) return [];
  if (video === undefined) {
    return [{ code: 'no-video', weight: 'warning', words: 'There is no video, only audio.' }];
  }
  if (tracks.some((track) => track.kind === 'audio') && audio === undefined) {
    const words = 'Audio is announced, but none comes: is the microphone switched on?';
    return [{ code: 'no-audio', weight: 'hint', words }];
  }
  if (audio !== undefined) return [];
  return [
    {
      code: 'no-audio',
      weight: 'hint',
      words: 'There is no audio. For a master that insists on some set audio: silence.',
    },
  ];
}
