/** The part of the configuration about what others connect to: acceptors, HTTP, recordings, files, extensions. */
import * as z from 'zod/mini';
import {
  checkedText,
  name,
  oneOf,
  parseAddressRange,
  parseHostPort,
  text,
  wholeNumber,
} from './fields.ts';
import {
  MEBIBYTE,
  MINUTE_MS,
  mapOnly,
  password,
  passwordFile,
  section,
  username,
} from './schema-parts.ts';

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

const ACCEPTOR_PROTOCOLS = [
  'rtmp',
  'rtmps',
  'rtmpt',
  'liveflv',
  'mpegts-tcp',
  'mpegts-udp',
  'rtsp',
] as const;

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

export const extensions = z
  ._default(
    z
      .array(extension, { error: 'a list of extensions' })
      .check(z.maxLength(16, { error: 'at most 16 extensions' })),
    [],
  )
  .check(z.describe('Protocols and stream handlers of your own; they run inside this service'));

export const acceptors = z
  ._default(
    z
      .array(acceptor, { error: 'a list of acceptors' })
      .check(z.maxLength(32, { error: 'at most 32 acceptors' })),
    [],
  )
  .check(z.describe('What others push in and viewers pull out'));

export const recording = section('Streams that are published as record or append become files', {
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

export const vod = section(
  'Files that players get as flv:NAME, mp4:NAME and mp3:NAME, beside recordings',
  {
    dir: z
      .optional(text('the path of a folder'))
      .check(z.describe('Folder of further files; it is only read')),
  },
);

const machineToken = z
  .strictObject(
    {
      name: name().check(z.describe('Whose it is; for people only')),
      token: z
        .optional(text('a token'))
        .check(z.describe('The token; better given as tokenFile or from the environment')),
      tokenFile: z
        .optional(text('the path of a file'))
        .check(z.describe('File that holds the token')),
      access: z
        ._default(oneOf(['read', 'admin']), 'read')
        .check(z.describe('read: how everything is, and playing streams; admin: everything')),
    },
    { error: mapOnly },
  )
  .check(z.describe('A program that asks with Authorization: Bearer TOKEN'));

const HTTP_LISTEN_EXPECTED = 'an address and a port such as 127.0.0.1:8080 or 0.0.0.0:8080';
const ORIGIN_EXPECTED = 'an origin such as https://www.example.com, or *';

export const http = section('Streams for players, health and state over HTTP', {
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
  tokens: z
    ._default(
      z
        .array(machineToken, { error: 'a list of tokens' })
        .check(z.maxLength(64, { error: 'at most 64 tokens' })),
      [],
    )
    .check(z.describe('Programs with a login of their own, such as what collects metrics')),
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
