/**
 * Whether a payload is what its topic promises, as far as the screens rely on it. Gateways of other versions are on the same
 * broker: fields that are not named here may be there or not, and states that are not known here are words like others.
 */
import type { GatewayInfo, Health } from '../../report/box-status.ts';
import type {
  FoundDevice,
  GatewayEvent,
  PositionStatus,
  PublishStatus,
  SerialStatus,
  StreamInfo,
  StreamStats,
  StreamStatus,
} from '../../report/status.ts';

type Check = (value: unknown) => boolean;

/** No text of ours is longer; more than that is not drawn. */
const MAX_TEXT_LENGTH = 8192;
/** Tracks, notes, addresses, URLs: a camera has a handful of each. */
const MAX_ITEMS = 512;

const text: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
/** What is larger counts nothing that there is, and has no place in a chart. */
const number: Check = (value) =>
  typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
const flag: Check = (value) => typeof value === 'boolean';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= MAX_ITEMS && value.every(check);
const record =
  (check: Check): Check =>
  (value) =>
    isObject(value) && listOf(check)(Object.values(value));
const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names are those of the type; which of them are checked is said here. */
function shape<T>(fields: { readonly [Name in keyof T]?: Check }): (value: unknown) => value is T {
  const check = object(fields as Readonly<Record<string, Check>>);
  return (value): value is T => check(value);
}

export const isStreamStatus = shape<StreamStatus>({
  state: text,
  code: text,
  reason: text,
  since: text,
  lastFrameAt: orNull(text),
  attempts: number,
  nextRetryAt: orNull(text),
});

export const isStreamInfo = shape<StreamInfo>({
  source: text,
  manufacturer: optional(text),
  model: optional(text),
  firmware: optional(text),
  serial: optional(text),
  profile: optional(text),
  transport: optional(text),
  notes: optional(listOf(text)),
  ptz: optional(object({ protocol: text, absolute: flag, home: flag, presets: text })),
  tracks: listOf(
    object({
      kind: text,
      codec: text,
      width: optional(number),
      height: optional(number),
      fps: optional(number),
      profile: optional(text),
      sampleRate: optional(number),
      channels: optional(number),
    }),
  ),
  urls: optional(record(text)),
});

export const isStreamStats = shape<StreamStats>({
  videoKbps: number,
  audioKbps: number,
  fps: number,
  gopMs: orNull(number),
  lostPackets: number,
  damagedUnits: number,
  jitterMs: number,
  reconnects: number,
  units: number,
  bytes: number,
  viewers: number,
});

export const isPublishStatus = shape<PublishStatus>({
  state: text,
  code: text,
  reason: text,
  target: text,
  queueMs: number,
  droppedGops: number,
  droppedUnits: number,
  bytes: number,
  since: text,
  attempts: number,
  nextRetryAt: orNull(text),
});

export const isFoundDevice = shape<FoundDevice>({
  id: text,
  via: listOf(text),
  addresses: listOf(text),
  manufacturer: optional(text),
  model: optional(text),
  serial: optional(text),
  needsPassword: optional(flag),
  adoptedAs: optional(text),
  code: text,
  reason: text,
  lastSeenAt: text,
});

export const isSerialStatus = shape<SerialStatus>({
  name: text,
  path: text,
  state: text,
  code: text,
  reason: text,
  since: text,
});

export const isPositionStatus = shape<PositionStatus>({
  receiver: text,
  state: text,
  code: text,
  reason: text,
  since: text,
  at: text,
  fix: text,
  latitude: orNull(number),
  longitude: orNull(number),
  altitudeM: orNull(number),
  satellites: orNull(number),
  hdop: orNull(number),
  speedKmh: orNull(number),
  time: object({ source: orNull(text), offsetMs: orNull(number), synchronised: orNull(flag) }),
});

export const isGatewayEvent = shape<GatewayEvent>({
  at: text,
  type: text,
  stream: optional(text),
  target: optional(text),
  message: text,
});

export const isGatewayInfo = shape<GatewayInfo>({
  id: text,
  session: number,
  startedAt: text,
  version: text,
  host: text,
  board: orNull(text),
  arch: text,
  node: text,
  addresses: listOf(text),
  urls: record(text),
  configHash: text,
  canRestart: optional(flag),
});

export const isHealth = shape<Health>({
  at: text,
  uptimeS: number,
  cpuPercent: number,
  rssMb: number,
  anonMb: orNull(number),
  load1: number,
  memoryTotalMb: number,
  memoryAvailableMb: orNull(number),
  temperatureC: orNull(number),
  throttled: orNull(text),
  diskTotalMb: orNull(number),
  diskFreeMb: orNull(number),
  uplinkKbps: number,
  clockSynchronised: orNull(flag),
  streamsUp: number,
  streamsTotal: number,
  publishesUp: number,
  publishesTotal: number,
});
