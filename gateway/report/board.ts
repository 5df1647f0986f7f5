/**
 * The notice board: the last known state of every stream, publish session and found device.
 * Those who do write to it; those who tell (MQTT, HTTP, the log) read it and listen.
 */
import { EventEmitter } from 'node:events';
import type {
  FoundDevice,
  GatewayEvent,
  Motion,
  PositionStatus,
  PublishStatus,
  RecordingStatus,
  SerialStatus,
  StreamInfo,
  StreamStats,
  StreamStatus,
} from './status.ts';

/** A status tells when the last frame came; while nothing else changes, so often. */
const FRAME_NEWS_MS = 60_000;

export interface StreamEntry {
  readonly name: string;
  status: StreamStatus;
  info: StreamInfo | undefined;
  stats: StreamStats | undefined;
  /** undefined: the camera has not said anything about it yet. */
  motion: Motion | undefined;
  /** The last frame that listeners know of; 0: none. */
  toldFrameAtMs: number;
}

export type StreamPart = 'status' | 'info' | 'stats' | 'motion' | 'removed';

export interface PublishEntry {
  readonly stream: string;
  readonly target: string;
  status: PublishStatus;
}

export interface BoardEvents {
  /** Which part of the stream's entry changed; `removed` when it is gone. */
  stream: [entry: StreamEntry, part: StreamPart];
  publish: [entry: PublishEntry, part: 'status' | 'stats' | 'removed'];
  found: [device: FoundDevice, part: 'changed' | 'removed'];
  serial: [status: SerialStatus];
  position: [status: PositionStatus];
  event: [event: GatewayEvent];
}

/** What happened last, for whoever comes later. */
const MAX_EVENTS = 100;

export class Board extends EventEmitter<BoardEvents> {
  readonly streams = new Map<string, StreamEntry>();
  /** Keyed by `publishKey(stream, target)`. */
  readonly publishes = new Map<string, PublishEntry>();
  readonly found = new Map<string, FoundDevice>();
  /** By stream. */
  readonly recordings = new Map<string, RecordingStatus>();
  /** By line. */
  readonly serial = new Map<string, SerialStatus>();
  /** undefined: no receiver is configured. */
  position: PositionStatus | undefined;
  /** Where a stream can be played. */
  urlsOf: (stream: string) => StreamInfo['urls'] = () => ({});

  readonly #events: GatewayEvent[] = [];

  constructor() {
    super();
    this.on('event', (event) => {
      this.#events.push(event);
      if (this.#events.length > MAX_EVENTS) this.#events.shift();
    });
  }

  /** The last ones, the oldest first. */
  get events(): readonly GatewayEvent[] {
    return this.#events;
  }

  setStreamStatus(name: string, status: StreamStatus): void {
    const entry = this.streams.get(name) ?? this.#addStream(name, status);
    entry.status = status;
    if (status.lastFrameAt !== null) entry.toldFrameAtMs = Date.parse(status.lastFrameAt);
    this.emit('stream', entry, 'status');
  }

  /** Brings the time of the last frame up to date, which is news only now and then. */
  touchStream(name: string, lastFrameAt: string): void {
    const entry = this.streams.get(name);
    if (entry === undefined) return;
    const status = { ...entry.status, lastFrameAt };
    // A clock that was set back by hours is news, too.
    const isNews = Math.abs(Date.parse(lastFrameAt) - entry.toldFrameAtMs) >= FRAME_NEWS_MS;
    if (isNews) this.setStreamStatus(name, status);
    else entry.status = status;
  }

  setStreamInfo(name: string, info: Omit<StreamInfo, 'urls'>): void {
    const entry = this.streams.get(name);
    if (entry === undefined) return;
    entry.info = { ...info, urls: this.urlsOf(name) };
    this.emit('stream', entry, 'info');
  }

  /** They are others now. */
  tellUrls(): void {
    for (const { name, info } of this.streams.values()) {
      if (info !== undefined) this.setStreamInfo(name, info);
    }
  }

  setStreamStats(name: string, stats: StreamStats): void {
    const entry = this.streams.get(name);
    if (entry === undefined) return;
    entry.stats = stats;
    this.emit('stream', entry, 'stats');
  }

  setMotion(name: string, motion: Motion): void {
    const entry = this.streams.get(name);
    if (entry === undefined || entry.motion === motion) return;
    entry.motion = motion;
    this.emit('stream', entry, 'motion');
  }

  removeStream(name: string): void {
    const entry = this.streams.get(name);
    if (entry === undefined) return;
    this.streams.delete(name);
    this.emit('stream', entry, 'removed');
  }

  /** `part` is `stats` when only counters moved, so that listeners may publish those less often. */
  setPublish(
    stream: string,
    target: string,
    status: PublishStatus,
    part: 'status' | 'stats',
  ): void {
    const key = publishKey(stream, target);
    const entry = this.publishes.get(key) ?? { stream, target, status };
    entry.status = status;
    this.publishes.set(key, entry);
    this.emit('publish', entry, part);
  }

  removePublish(stream: string, target: string): void {
    const key = publishKey(stream, target);
    const entry = this.publishes.get(key);
    if (entry === undefined) return;
    this.publishes.delete(key);
    this.emit('publish', entry, 'removed');
  }

  setFound(device: FoundDevice): void {
    this.found.set(device.id, device);
    this.emit('found', device, 'changed');
  }

  removeFound(id: string): void {
    const device = this.found.get(id);
    if (device === undefined) return;
    this.found.delete(id);
    this.emit('found', device, 'removed');
  }

  setRecording(status: RecordingStatus): void {
    this.recordings.set(status.stream, status);
  }

  removeRecording(stream: string): void {
    this.recordings.delete(stream);
  }

  setPosition(status: PositionStatus): void {
    this.position = status;
    this.emit('position', status);
  }

  setSerial(status: SerialStatus): void {
    this.serial.set(status.name, status);
    this.emit('serial', status);
  }

  #addStream(name: string, status: StreamStatus): StreamEntry {
    const entry: StreamEntry = {
      name,
      status,
      info: undefined,
      stats: undefined,
      motion: undefined,
      toldFrameAtMs: 0,
    };
    this.streams.set(name, entry);
    return entry;
  }
}

export function publishKey(stream: string, target: string): string {
  return `${stream}/${target}`;
}
