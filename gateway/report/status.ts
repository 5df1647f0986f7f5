/** The states and causes that people see, in MQTT, the API and the log (one vocabulary everywhere). */
import type { TrackDescription } from '../../codecs/describe-track.ts';
import type { GnssReading } from '../../drivers/gnss/gnss-reading.ts';
import type { SerialLineCode } from '../../drivers/serial/line-state.ts';

export type StreamState =
  | 'online'
  | 'connecting'
  | 'stalled'
  | 'unauthorized'
  | 'unreachable'
  | 'unsupported'
  | 'disabled';

export type PublishState =
  | 'idle'
  | 'connecting'
  | 'publishing'
  | 'refused'
  | 'waiting'
  | 'spooling';

/** The closed list of causes: one at a time, for streams, publishing and found devices alike. What each means: README.md. */
export const CAUSE_CODES = [
  'ok',
  'starting',
  'dns',
  /** Nothing listens at that port. */
  'refused',
  /** The far side answered, and said no. */
  'rejected',
  /** No session is free at the far side. */
  'busy',
  'timeout',
  'network',
  /** Its address is on none of our networks. */
  'other-network',
  /** Discovery does not know where it is. */
  'no-address',
  /** Another device answers where it was. */
  'other-device',
  'tls',
  /** One of the clocks, as far as it stands in the way. */
  'clock',
  'auth',
  'no-credentials',
  /** The login is right, and may not do this. */
  'not-authorized',
  'not-found',
  'codec',
  'no-data',
  'no-keyframe',
  'protocol',
  'name-taken',
  /** The stream came from there. */
  'loop',
  'ended',
  'no-source',
  /** Found, and waiting for somebody to say whether it is to be adopted. */
  'undecided',
  /** Found, and not to be adopted. */
  'ignored',
] as const;

export type CauseCode = (typeof CAUSE_CODES)[number];

export interface StreamStatus {
  readonly state: StreamState;
  readonly code: CauseCode;
  /** Plain words, with what to do. Never a secret. */
  readonly reason: string;
  /**
   * ISO UTC time at which this state began.
   * @format date-time
   */
  readonly since: string;
  /** @format date-time */
  readonly lastFrameAt: string | null;
  /**
   * Failed attempts since the last success.
   * @asType integer
   */
  readonly attempts: number;
  /** @format date-time */
  readonly nextRetryAt: string | null;
}

/** `ON` while the camera sees something move. */
export type Motion = 'ON' | 'OFF';

/** What moves the camera, and what it can do. */
export interface PtzInfo {
  /** `onvif`, `pelco-d`, `pelco-p`, `visca`, `visca-ip`. */
  readonly protocol: string;
  readonly absolute: boolean;
  readonly home: boolean;
  /** `list`: it can tell which it has. `numbers`: whoever asks has to know. */
  readonly presets: 'list' | 'numbers';
}

export interface StreamInfo {
  /** The source's URL without secrets. */
  readonly source: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly serial?: string;
  /** Of an ONVIF camera: the name and token of the one that is pulled. */
  readonly profile?: string;
  readonly transport?: string;
  /** What was left out, repaired or switched, in whole sentences. */
  readonly notes?: readonly string[];
  /** Left out where nothing moves the camera, or that is not known yet. */
  readonly ptz?: PtzInfo;
  /**
   * Where it can be played at this box, of the ways that are configured: `page`, `hls`, `flv`, `wsFlv`, `ts`, `snapshot` over HTTP; `rtsp`,
   * `rtmp`, `rtmps`, `rtmpt`. Never with a login.
   */
  readonly urls: Readonly<Record<string, string>>;
  readonly tracks: readonly TrackDescription[];
}

export interface StreamStats {
  readonly videoKbps: number;
  readonly audioKbps: number;
  readonly fps: number;
  readonly gopMs: number | null;
  /** @asType integer */
  readonly lostPackets: number;
  /** @asType integer */
  readonly damagedUnits: number;
  readonly jitterMs: number;
  /** @asType integer */
  readonly reconnects: number;
  /** @asType integer */
  readonly units: number;
  /** @asType integer */
  readonly bytes: number;
  /** @asType integer */
  readonly viewers: number;
}

export interface PublishStatus {
  readonly state: PublishState;
  readonly code: CauseCode;
  readonly reason: string;
  /** The target's URL without secrets. */
  readonly target: string;
  readonly queueMs: number;
  /** @asType integer */
  readonly droppedGops: number;
  /** @asType integer */
  readonly droppedUnits: number;
  /** @asType integer */
  readonly bytes: number;
  /** @format date-time */
  readonly since: string;
  /** @asType integer */
  readonly attempts: number;
  /** @format date-time */
  readonly nextRetryAt: string | null;
}

export interface FoundDevice {
  readonly id: string;
  /** How it was seen: ws-discovery, mdns, host (asked at its address), scan. */
  readonly via: readonly string[];
  readonly addresses: readonly string[];
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly needsPassword?: boolean;
  /** The stream that it is; how that is, its own status says. */
  readonly adoptedAs?: string;
  /** `ok`: it is a stream. */
  readonly code: CauseCode;
  /** Plain words, with what to do. */
  readonly reason: string;
  /** @format date-time */
  readonly lastSeenAt: string;
}

/** A line of `serial` in the configuration. */
export interface SerialStatus {
  readonly name: string;
  /** The device, such as /dev/ttyUSB0. */
  readonly path: string;
  readonly state: 'open' | 'waiting' | 'stopped';
  readonly code: SerialLineCode;
  /** Plain words, with what to do. */
  readonly reason: string;
  /** @format date-time */
  readonly since: string;
}

/** By a GNSS receiver. */
export interface PositionStatus {
  /** The line of `serial` that it is on. */
  readonly receiver: string;
  readonly state: GnssReading['state'];
  readonly code: GnssReading['code'];
  /** Plain words, with what to do. */
  readonly reason: string;
  /**
   * When the state began.
   * @format date-time
   */
  readonly since: string;
  /**
   * When this was so.
   * @format date-time
   */
  readonly at: string;
  /** All that follows is null without one. */
  readonly fix: 'none' | '2d' | '3d';
  /** Degrees; north and east are positive. */
  readonly latitude: number | null;
  readonly longitude: number | null;
  /** Above mean sea level. */
  readonly altitudeM: number | null;
  readonly satellites: number | null;
  readonly hdop: number | null;
  readonly speedKmh: number | null;
  readonly time: {
    /** null: the receiver does not know the time. */
    readonly source: 'gnss' | null;
    /**
     * How far the box's clock is ahead of the receiver's. Sentences come late, by up to a second and much the same each time, so that
     * as much more is nothing to worry about.
     */
    readonly offsetMs: number | null;
    /** Whether the box's clock is set by a time service; null: this machine does not tell. */
    readonly synchronised: boolean | null;
  };
}

export interface GatewayEvent {
  /** @format date-time */
  readonly at: string;
  readonly type: string;
  readonly stream?: string;
  readonly target?: string;
  readonly message: string;
  /**
   * So many before this one were too many at a time.
   * @asType integer
   */
  readonly suppressed?: number;
  /**
   * So many before this one were too many while the broker was away.
   * @asType integer
   */
  readonly dropped?: number;
}

/** Of a stream that is to be recorded, for as long as its publisher is there. */
export interface RecordingStatus {
  readonly stream: string;
  /** `waiting`: for the first picture that decoding may start at. `stopped`: the disk does not take it. */
  readonly state: 'waiting' | 'recording' | 'stopped';
  readonly code: 'ok' | 'starting' | 'disk-full' | 'disk' | 'codec';
  readonly reason: string;
  /** Below the folder of the recordings. */
  readonly file: string | null;
  /** @asType integer */
  readonly bytes: number;
  /**
   * Lost because the disk was slower than the stream.
   * @asType integer
   */
  readonly droppedGops: number;
  /** @format date-time */
  readonly since: string;
  /** @format date-time */
  readonly nextRetryAt: string | null;
}
