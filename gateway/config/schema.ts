/**
 * The configuration: this one schema is the types, the defaults, the bounds, the documentation and
 * the JSON Schema. Only keys that do something are here; any other is an error.
 */
import * as z from 'zod/mini';
import { AUDIO_MODES, VIDEO_CODEC_MODES } from '../proxypublish/carriage.ts';
import {
  checkedText,
  flag,
  loopbackListen,
  name,
  oneOf,
  parseAddressRange,
  parseHostPort,
  text,
  wholeNumber,
} from './fields.ts';
import {
  BROKER_EXPECTED,
  brokerProblem,
  SNAPSHOT_EXPECTED,
  SOURCE_EXPECTED,
  snapshotProblem,
  sourceProblem,
  TARGET_EXPECTED,
  targetProblem,
} from './urls.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const MINUTE_MS = 60_000;
const MEBIBYTE = 1024 * 1024;

/** A section left out is the section with all its defaults. */
function section<const Shape extends z.core.$ZodShape>(description: string, shape: Shape) {
  return z
    .prefault(z.strictObject(shape, { error: mapOnly }), {} as never)
    .check(z.describe(description));
}

function mapOnly(issue: { readonly code?: string }): string | undefined {
  return issue.code === 'invalid_type' ? 'a map of keys' : undefined;
}

const username = z.optional(text('a user name')).check(z.describe('User name'));
const password = z
  .optional(text('a password'))
  .check(z.describe('Password; better given as passwordFile or from the environment'));
const passwordFile = z
  .optional(text('the path of a file'))
  .check(z.describe('File that holds the password; a trailing newline is not part of it'));

const caFile = z
  .optional(text('the path of a PEM file'))
  .check(z.describe('Certificate authority to trust instead of the system’s'));

const FINGERPRINT_EXPECTED = 'a SHA-256 fingerprint of 64 hexadecimal digits';
const fingerprint = z
  .optional(
    checkedText(FINGERPRINT_EXPECTED, (value) =>
      /^[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){31}$/.test(value) ? undefined : FINGERPRINT_EXPECTED,
    ),
  )
  .check(z.describe('SHA-256 of the peer’s certificate: trust exactly that one'));

const insecure = z
  ._default(flag(), false)
  .check(z.describe('TLS without any check of the certificate; said loudly'));

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

const profile = z
  .union(
    [
      oneOf(['main', 'sub']),
      z.strictObject({
        maxHeight: z
          .optional(wholeNumber(1, 8640))
          .check(z.describe('Tallest picture wanted, in lines')),
        maxKbps: z
          .optional(wholeNumber(1, 1_000_000))
          .check(z.describe('Highest bit rate wanted, in kbit/s')),
        codec: z
          .optional(oneOf(['h264', 'h265']))
          .check(z.describe('Video codec wanted; left out: H.264 where the camera has it')),
      }),
    ],
    { error: 'main, sub, or a map of maxHeight, maxKbps and codec' },
  )
  .check(z.describe('Which of a camera’s profiles to pull: its best, its smallest, or by limits'));

const discovery = section('Finding cameras on the LAN', {
  onvif: z._default(flag(), true).check(z.describe('Look with ONVIF WS-Discovery')),
  mdns: z._default(flag(), true).check(z.describe('Look with mDNS (DNS-SD)')),
  mdnsBackend: z
    ._default(oneOf(['js', 'avahi', 'auto']), 'js')
    .check(z.describe('Who does mDNS: built in, the system’s Avahi, or Avahi where it is there')),
  intervalMs: z
    ._default(wholeNumber(5_000, 24 * 60 * MINUTE_MS), MINUTE_MS)
    .check(z.describe('How often to look again')),
  interfaces: z
    ._default(
      z
        .array(text('the name of a network interface'), { error: 'a list of interface names' })
        .check(z.maxLength(64, { error: 'at most 64 interface names' })),
      [],
    )
    .check(z.describe('Network interfaces to look on; empty: every one')),
  adopt: z
    ._default(oneOf(['auto', 'ask', 'off']), 'auto')
    .check(z.describe('auto: publish what is found; ask: list it and wait; off: only list it')),
  profile: z._default(profile, 'main'),
  name: z
    ._default(
      checkedText('a template such as {model}-{serial}', templateProblem),
      '{model}-{serial}',
    )
    .check(
      z.describe(
        'Local stream name of a found camera, from {manufacturer}, {model}, {serial}, {mac}, {address}',
      ),
    ),
  credentials: z
    ._default(
      z
        .array(z.strictObject({ username: text('a user name'), password, passwordFile }), {
          error: 'a list of { username, password }',
        })
        .check(z.maxLength(16, { error: 'at most 16 credentials' })),
      [],
    )
    .check(z.describe('Tried in order; never more than 3 refusals per camera')),
});

function templateProblem(value: string): string | undefined {
  const fields = [...value.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
  const unknown = fields.find((field) => !NAME_FIELDS.includes(field));
  return unknown === undefined
    ? undefined
    : `a template of ${NAME_FIELDS.map((field) => `{${field}}`).join(', ')}`;
}

const NAME_FIELDS = ['manufacturer', 'model', 'serial', 'mac', 'address'];

const stream = z
  .strictObject(
    {
      source: checkedText(SOURCE_EXPECTED, sourceProblem).check(
        z.describe(
          'Where the stream comes from: rtsp://, rtsps://, rtmp://, rtmps:// (rtmpe, rtmpt, rtmpts, rtmpte), http://, https:// (FLV, MPEG-TS), udp://, rtp://, tcp:// (MPEG-TS), sdp:///file (RTP) or onvif://host',
        ),
      ),
      username,
      password,
      passwordFile,
      transport: z
        ._default(oneOf(['auto', 'tcp', 'udp', 'multicast', 'http']), 'auto')
        .check(
          z.describe(
            'How RTP comes: auto tries TCP, then UDP, then multicast; http: RTSP through HTTP',
          ),
        ),
      interface: z
        .optional(text('the name of a network interface'))
        .check(z.describe('Network interface (or address of ours) to take multicast on')),
      snapshot: z
        .optional(checkedText(SNAPSHOT_EXPECTED, snapshotProblem))
        .check(
          z.describe(
            'Where the camera gives a JPEG of what it sees: http:// or https://; ONVIF cameras are asked',
          ),
        ),
      program: z
        .optional(wholeNumber(1, 65_535))
        .check(
          z.describe('Number of the programme in MPEG-TS; left out: the first that can be carried'),
        ),
      caFile,
      fingerprint,
      insecure,
    },
    { error: mapOnly },
  )
  .check(z.describe('A source known beforehand'));

const streams = z
  ._default(z.record(name(), stream, { error: recordWords }), {})
  .check(z.describe('Sources known beforehand, by local stream name'));

function recordWords(issue: { readonly code?: string }): string {
  return issue.code === 'invalid_key'
    ? 'a stream name of 1 to 48 lower-case letters, digits or hyphens'
    : 'a map of stream names';
}

const target = z
  .strictObject(
    {
      targetUri: checkedText(TARGET_EXPECTED, targetProblem).check(
        z.describe(
          'The master: rtmp://, rtmps://, rtmpe://, rtmpt://, rtmpts:// or rtmpte://; user:password@ for Adobe authentication',
        ),
      ),
      localStreamName: z
        ._default(text('a stream name or a pattern with *'), '*')
        .check(z.describe('Which streams: an exact name or a glob')),
      targetStreamName: z
        ._default(
          checkedText('a template such as {gateway}-{stream}', streamNameProblem),
          '{stream}',
        )
        .check(z.describe('Name at the master, from {gateway} and {stream}')),
      targetStreamType: z
        ._default(oneOf(['live', 'record', 'append']), 'live')
        .check(z.describe('Publish type asked of the master')),
      videoCodecMode: z
        ._default(oneOf(VIDEO_CODEC_MODES), 'auto')
        .check(
          z.describe(
            'H.265 to this master. auto: as enhanced RTMP where it lists hvc1, else with codec id 12, and the other one where that fails; enhanced; legacy12; refuse: only H.264 is published',
          ),
        ),
      audio: z
        ._default(oneOf(AUDIO_MODES), 'passthrough')
        .check(
          z.describe(
            'passthrough: as the camera sends it; drop: none; silence: a silent AAC track, whatever the camera has',
          ),
        ),
      keepAlive: z
        ._default(flag(), true)
        .check(z.describe('Connect again whenever the session ends')),
      emulateUserAgent: z
        .optional(text('a user agent'))
        .check(z.describe('What to call ourselves at the master (flashVer)')),
      tcUrl: z.optional(text('a URL')).check(z.describe('tcUrl sent, when it is not targetUri')),
      swfUrl: z.optional(text('a URL')).check(z.describe('swfUrl sent')),
      pageUrl: z.optional(text('a URL')).check(z.describe('pageUrl sent')),
      caFile,
      fingerprint,
      insecure,
    },
    { error: mapOnly },
  )
  .check(z.describe('One master'));

function streamNameProblem(value: string): string | undefined {
  const known = value.replaceAll('{gateway}', '').replaceAll('{stream}', '');
  return /[{}]/.test(known) ? 'a template of {gateway} and {stream}' : undefined;
}

const proxypublish = section('Every stream goes to these RTMP masters', {
  abortOnConnectError: z
    ._default(flag(), false)
    .check(z.describe('true: the service exits with 1 when a target refuses at start')),
  targets: z
    ._default(
      z
        .array(target, { error: 'a list of targets' })
        .check(z.maxLength(32, { error: 'at most 32 targets' })),
      [],
    )
    .check(z.describe('The masters')),
});

const RANGE_EXPECTED = 'an address such as 10.0.0.5, or a range such as 10.0.0.0/24';

const loginShape = {
  username,
  password,
  passwordFile,
  token: z
    .optional(text('a token'))
    .check(z.describe('Instead of user name and password: what ?token= must say')),
  tokenFile: z.optional(text('the path of a file')).check(z.describe('File that holds the token')),
};

const publishers = z
  .strictObject(
    {
      ...loginShape,
      addresses: z
        .optional(
          z
            .array(
              checkedText(RANGE_EXPECTED, (value) =>
                parseAddressRange(value) === undefined ? RANGE_EXPECTED : undefined,
              ),
              { error: 'a list of addresses' },
            )
            .check(
              z.minLength(1, { error: 'at least one address' }),
              z.maxLength(64, { error: 'at most 64 addresses' }),
            ),
        )
        .check(
          z.describe(
            'liveflv, mpegts-tcp and mpegts-udp: from where; the last takes a single address',
          ),
        ),
    },
    { error: mapOnly },
  )
  .check(z.describe('Who may push in: a user name and a password, or a token, or both'));

const players = z
  .strictObject(loginShape, { error: mapOnly })
  .check(z.describe('Who may play: a user name and a password, or a token, or both'));

export const ACCEPTOR_PROTOCOLS = [
  'rtmp',
  'rtmps',
  'rtmpt',
  'liveflv',
  'mpegts-tcp',
  'mpegts-udp',
  'rtsp',
] as const;
export type AcceptorProtocol = (typeof ACCEPTOR_PROTOCOLS)[number];

const LISTEN_EXPECTED = 'an address and a port such as 0.0.0.0:1935 or [::]:1935';

const acceptor = z
  .strictObject(
    {
      protocol: oneOf(ACCEPTOR_PROTOCOLS).check(
        z.describe(
          'rtmp (RTMPE and RTMPT on the same port), rtmps, rtmpt, liveflv, mpegts-tcp, mpegts-udp, rtsp',
        ),
      ),
      listen: checkedText(LISTEN_EXPECTED, (value) =>
        parseHostPort(value) === undefined ? LISTEN_EXPECTED : undefined,
      ).check(z.describe('Address and port')),
      certFile: z
        .optional(text('the path of a PEM file'))
        .check(
          z.describe(
            'Certificate for TLS; left out: one of our own, kept in dataDir; its fingerprint is in the log',
          ),
        ),
      keyFile: z.optional(text('the path of a PEM file')).check(z.describe('Its private key')),
      apps: z
        ._default(
          z
            .array(text('the name of an application'), { error: 'a list of application names' })
            .check(
              z.minLength(1, { error: 'at least one name' }),
              z.maxLength(64, { error: 'at most 64 names' }),
            ),
          ['live'],
        )
        .check(z.describe('RTMP applications that are answered; "*": every one')),
      localStreamName: z
        .optional(name())
        .check(z.describe('Stream name here, where the protocol has none of its own')),
      interface: z
        .optional(text('the name of a network interface'))
        .check(z.describe('mpegts-udp: network interface (or address of ours) to join a group on')),
      publish: z.optional(publishers).check(z.describe('Who may push in; left out: everybody')),
      play: z.optional(players).check(z.describe('Who may play; left out: everybody')),
      duplicatePublisher: z
        ._default(oneOf(['reject', 'replace']), 'reject')
        .check(
          z.describe(
            'When a name is being published already: refuse the new one, or end the old one',
          ),
        ),
      limits: section('What clients of this acceptor can take', {
        connections: z
          ._default(wholeNumber(1, 100_000), 1_000)
          .check(z.describe('Connections in all')),
        connectionsPerAddress: z
          ._default(wholeNumber(1, 100_000), 100)
          .check(z.describe('Connections of one address')),
        handshakeMs: z
          ._default(wholeNumber(500, 10 * MINUTE_MS), 10_000)
          .check(z.describe('From connecting to publishing or playing')),
        bytesBeforeLogin: z
          ._default(wholeNumber(4 * 1024, MEBIBYTE), 64 * 1024)
          .check(z.describe('Bytes taken from a client that may not yet publish or play')),
        streamsPerConnection: z
          ._default(wholeNumber(1, 64), 8)
          .check(z.describe('Streams that one connection may have at a time')),
      }),
    },
    { error: mapOnly },
  )
  .check(z.describe('One port that others connect to'));

const extension = z
  .strictObject(
    {
      module: text('the path of a module').check(
        z.describe('JavaScript module that exports an extension'),
      ),
      options: z
        ._default(z.record(z.string(), z.unknown(), { error: 'a map of options' }), {})
        .check(z.describe('Handed to the module as they are')),
    },
    { error: mapOnly },
  )
  .check(z.describe('A protocol or stream handler of your own'));

const extensions = z
  ._default(
    z
      .array(extension, { error: 'a list of extensions' })
      .check(z.maxLength(16, { error: 'at most 16 extensions' })),
    [],
  )
  .check(z.describe('Protocols and stream handlers of your own; they run inside this service'));

const acceptors = z
  ._default(
    z
      .array(acceptor, { error: 'a list of acceptors' })
      .check(z.maxLength(32, { error: 'at most 32 acceptors' })),
    [],
  )
  .check(z.describe('What others push in and viewers pull out'));

const recording = section('Streams that are published as record or append become files', {
  dir: z
    ._default(text('the path of a folder'), 'recordings')
    .check(z.describe('Folder, below gateway.dataDir where it is no absolute path')),
  format: z
    ._default(oneOf(['flv', 'fmp4']), 'flv')
    .check(z.describe('flv, or fmp4: fragmented MP4, which browsers play, too')),
  maxBytes: z
    ._default(wholeNumber(0, Number.MAX_SAFE_INTEGER), 20_000_000_000)
    .check(z.describe('All recordings together: the oldest are deleted beyond; 0: no limit')),
  maxAgeMs: z
    ._default(wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .check(z.describe('Recordings older than this are deleted; 0: no limit')),
});

const vod = section(
  'Files that players get as flv:NAME, mp4:NAME and mp3:NAME, beside recordings',
  {
    dir: z
      .optional(text('the path of a folder'))
      .check(z.describe('Folder of further files; it is only read')),
  },
);

const mqtt = section('Where the state is told: a broker, or without url one inside this service', {
  url: z
    .optional(checkedText(BROKER_EXPECTED, brokerProblem))
    .check(z.describe('The broker: mqtt:// or mqtts://')),
  caFile,
  username,
  password,
  passwordFile,
  baseTopic: z
    ._default(
      checkedText('a topic without + # and $', (value) =>
        /^[^+#$/\s][^+#\s]{0,99}$/.test(value) && !/\/$|\/\//.test(value)
          ? undefined
          : 'a topic without + # and $',
      ),
      'sluice',
    )
    .check(z.describe('First part of every topic')),
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

const HTTP_LISTEN_EXPECTED = 'an address and a port such as 127.0.0.1:8080 or 0.0.0.0:8080';
const ORIGIN_EXPECTED = 'an origin such as https://www.example.com, or *';

const http = section('Streams for players, health and state over HTTP', {
  listen: z
    ._default(
      checkedText(HTTP_LISTEN_EXPECTED, (value) =>
        parseHostPort(value) === undefined ? HTTP_LISTEN_EXPECTED : undefined,
      ),
      '127.0.0.1:8080',
    )
    .check(z.describe('Address and port; another than this machine’s own asks for a login')),
  certFile: z.optional(text('the path of a PEM file')).check(z.describe('Certificate for TLS')),
  keyFile: z.optional(text('the path of a PEM file')).check(z.describe('Its private key')),
  admin: z
    .optional(
      z.strictObject(
        { username: text('a user name').check(z.describe('User name')), password, passwordFile },
        { error: mapOnly },
      ),
    )
    .check(
      z.describe(
        'Who may do everything; left out: this machine without a login, others with a password that is made at the first start and shown once',
      ),
    ),
  play: z
    .optional(
      z.union([z.literal('open'), players], {
        error: 'open, or a user name and a password, or a token',
      }),
    )
    .check(
      z.describe('Who may watch besides; open: everybody. Left out: only who may do everything'),
    ),
  cors: z
    ._default(
      z
        .array(checkedText(ORIGIN_EXPECTED, originProblem), { error: 'a list of origins' })
        .check(z.maxLength(64, { error: 'at most 64 origins' })),
      [],
    )
    .check(z.describe('Web pages of these origins may play streams and read the API; *: any')),
  limits: section('Bounds on viewers; the API has bounds of its own', {
    viewers: z._default(wholeNumber(0, 100_000), 1_000).check(z.describe('Viewers served at once')),
    viewersPerAddress: z
      ._default(wholeNumber(1, 100_000), 100)
      .check(z.describe('The same, of one address; this machine itself is not counted')),
  }),
});

/** As browsers write it: no path, no slash at the end. */
function originProblem(value: string): string | undefined {
  if (value === '*') return undefined;
  return URL.canParse(value) && new URL(value).origin === value ? undefined : ORIGIN_EXPECTED;
}

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
export type AcceptorConfig = Config['acceptors'][number];
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
