/** What every payload format's depacketizer looks like. */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import type { Track } from '../../codecs/track.ts';
import type { MediaFormat } from '../sdp/sdp.ts';
import type { RtpPacket } from './rtp-packet.ts';

/** What a decoder cannot begin without. */
export type Awaited = 'parameter-sets' | 'keyframe';

export interface Depacketizer {
  /** The track, once its parameter sets are known. */
  readonly track: Track | undefined;
  /** Of formats that multiplex tracks: those besides it. */
  readonly furtherTracks?: readonly Track[];
  /** What was left out or repaired, in whole sentences. */
  readonly notes?: readonly string[];
  /** Access units thrown away because a part was missing or nothing before them could be decoded. */
  readonly damagedUnits: number;
  /** Video: why no picture is handed on although packets arrive. */
  readonly awaits?: Awaited | undefined;
  /** Why this media cannot be carried after all, in plain words: some formats tell only in their packets. */
  readonly refusal?: string | undefined;
  /** Takes packets in order; `isGap`: packets are missing before this one. */
  push(packet: RtpPacket, isGap: boolean): void;
}

export interface UnitReceiver {
  /** A whole access unit, lent. Returns true when somebody still reads the bytes after the call. */
  unit(data: Uint8Array, rtpTimestamp: number, randomAccess: boolean, track: Track): boolean;
  /** Of formats that multiplex tracks: a unit that has times already. Those alone call it. */
  timedUnit?(unit: AccessUnit): void;
  /** When the packet that is being taken came, for the same. */
  readonly arrivalMs?: number;
}

/** Opens a depacketizer for a format, or throws ParseError when its parameters are unusable. */
export type Opener = (receiver: UnitReceiver, format: MediaFormat) => Depacketizer;
