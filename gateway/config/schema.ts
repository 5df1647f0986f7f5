/**
 * The configuration: this one schema is the types, the defaults, the bounds, the documentation and
 * the JSON Schema. Only keys that do something are here; any other is an error.
 */
import * as z from 'zod/mini';
import { checkedText, flag, loopbackListen, name, oneOf, text, wholeNumber } from './fields.ts';
import {
  caFile,
  fingerprint,
  MEBIBYTE,
  MINUTE_MS,
  mapOnly,
  password,
  passwordFile,
  section,
  username,
} from './schema-parts.ts';
import { serial } from './serial-schema.ts';
import { acceptors, extensions, http, recording, vod } from './serving-schema.ts';
import { discovery, streams } from './source-schema.ts';
import { proxypublish } from './target-schema.ts';
import { BROKER_EXPECTED, brokerProblem } from './urls.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const gateway = section('This box', {
  id: z
    .optional(name())
    .check(z.describe('Name of this gateway in topics; derived from the machine when left out')),
  dataDir: z
    ._default(text('the path of a folder'), './data')
    .check(z.describe('Folder for what must survive a restart')),
});

const log = section('The log: JSON lines on stdout, pretty on a terminal', {
  level: z._default(oneOf(LOG_LEVELS), 'info').check(z.describe('The least severe level written')),
});

const TOPIC_EXPECTED = 'a topic without + # and $';

function topicProblem(topic: string): string | undefined {
  const isGood = /^[^+#$/\s][^+#\s]{0,99}$/.test(topic) && !/\/$|\/\//.test(topic);
  return isGood ? undefined : TOPIC_EXPECTED;
}
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A camera makes one picture at a time, and has others to serve. */
const MIN_SNAPSHOT_INTERVAL_MS = 1_000;
const SNAPSHOT_INTERVAL_EXPECTED = `0, or at least ${MIN_SNAPSHOT_INTERVAL_MS}`;

const mqtt = section('Where the state is told: a broker, or without url one inside this service', {
  url: z
    .optional(checkedText(BROKER_EXPECTED, brokerProblem))
    .check(z.describe('The broker: mqtt://, mqtts://, or over WebSocket ws:// or wss://')),
  caFile,
  fingerprint,
  certFile: z
    .optional(text('the path of a PEM file'))
    .check(z.describe('Certificate of this gateway, for a broker that asks for one')),
  keyFile: z.optional(text('the path of a PEM file')).check(z.describe('Its key')),
  username,
  password,
  passwordFile,
  baseTopic: z
    ._default(checkedText(TOPIC_EXPECTED, topicProblem), 'sluice')
    .check(z.describe('First part of every topic')),
  homeAssistant: z
    ._default(flag(), false)
    .check(z.describe('Whether Home Assistant is told of the gateway and its streams')),
  homeAssistantPrefix: z
    ._default(checkedText(TOPIC_EXPECTED, topicProblem), 'homeassistant')
    .check(z.describe('First part of the topics that Home Assistant looks for devices under')),
  snapshotIntervalMs: z
    ._default(
      wholeNumber(0, DAY_MS).check(
        z.refine((value) => value === 0 || value >= MIN_SNAPSHOT_INTERVAL_MS, {
          error: SNAPSHOT_INTERVAL_EXPECTED,
        }),
      ),
      0,
    )
    .check(z.describe('The camera’s own JPEG of each stream, so often; 0: when asked')),
  embedded: section('The broker inside this service, used when there is no url', {
    listen: z
      ._default(
        loopbackListen(
          '127.0.0.1:1883',
          'the embedded broker has no login; for others, set mqtt.url to a broker of your own',
        ),
        '127.0.0.1:1883',
      )
      .check(z.describe('Address and port')),
  }),
});

const limits = section('Bounds on memory and patience', {
  gopCacheMaxBytes: z
    ._default(wholeNumber(0, 4096 * MEBIBYTE), 16 * MEBIBYTE)
    .check(z.describe('All GOP caches together; 0: none')),
  queueMaxBytes: z
    ._default(wholeNumber(64 * 1024, 1024 * MEBIBYTE), 8 * MEBIBYTE)
    .check(z.describe('Queue of one stream to one target; when full, whole GOPs are dropped')),
  queueMaxMs: z
    ._default(wholeNumber(100, 10 * MINUTE_MS), 5_000)
    .check(z.describe('The same queue in milliseconds of media')),
  hlsMaxBytes: z
    ._default(wholeNumber(MEBIBYTE, 4096 * MEBIBYTE), 96 * MEBIBYTE)
    .check(z.describe('Segments of all streams that are watched as HLS; the oldest go first')),
  stallMs: z
    ._default(wholeNumber(1_000, 10 * MINUTE_MS), 8_000)
    .check(z.describe('A camera that sends nothing for so long is connected again')),
});

export const configSchema = z
  .strictObject(
    {
      gateway,
      log,
      discovery,
      streams,
      serial,
      acceptors,
      extensions,
      proxypublish,
      recording,
      vod,
      mqtt,
      http,
      limits,
    },
    { error: mapOnly },
  )
  .check(z.describe('Configuration of Sluice'));

export type Config = Readonly<z.output<typeof configSchema>>;
export type DiscoveryConfig = Config['discovery'];
export type ProfileWanted = DiscoveryConfig['profile'];
export type StreamConfig = Config['streams'][string];
export type SerialConfig = Config['serial'][number];
export type AcceptorConfig = Config['acceptors'][number];
export type AcceptorProtocol = AcceptorConfig['protocol'];
export type LoginConfig = NonNullable<AcceptorConfig['publish']>;
export type ExtensionConfig = Config['extensions'][number];
export type TargetConfig = Config['proxypublish']['targets'][number];
export type MqttConfig = Config['mqtt'];
export type HttpConfig = Config['http'];
export type LimitsConfig = Config['limits'];

/** The JSON Schema of the file, for editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
