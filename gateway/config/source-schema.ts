/** The part of the configuration about what streams come from: discovery, and sources known beforehand. */
import * as z from 'zod/mini';
import { checkedText, flag, name, oneOf, text, wholeNumber } from './fields.ts';
import { profile } from './profile-schema.ts';
import {
  caFile,
  fingerprint,
  insecure,
  MINUTE_MS,
  mapOnly,
  password,
  passwordFile,
  section,
  username,
} from './schema-parts.ts';
import {
  PTZ_EXPECTED,
  ptzProblem,
  SNAPSHOT_EXPECTED,
  SOURCE_EXPECTED,
  snapshotProblem,
  sourceProblem,
} from './urls.ts';

export const discovery = section('Finding cameras on the LAN', {
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
  hosts: z
    ._default(
      z
        .array(text('a host name or address'), { error: 'a list of host names or addresses' })
        .check(z.maxLength(256, { error: 'at most 256 hosts' })),
      [],
    )
    .check(
      z.describe(
        'Asked one by one, beside all that were found before: cameras behind a router, where multicast does not get',
      ),
    ),
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
  motion: z
    ._default(flag(), true)
    .check(z.describe('Ask ONVIF cameras for their events, and tell motion over MQTT')),
  setClock: z
    ._default(flag(), false)
    .check(
      z.describe('Set the clock of ONVIF cameras that are more than 5 s wrong to that of this box'),
    ),
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
      ptz: z
        .optional(checkedText(PTZ_EXPECTED, ptzProblem))
        .check(
          z.describe(
            'What moves the camera, where it is not ONVIF: LINE/HEAD of serial, or visca://host:port (VISCA over IP)',
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

export const streams = z
  ._default(z.record(name(), stream, { error: recordWords }), {})
  .check(z.describe('Sources known beforehand, by local stream name'));

function recordWords(issue: { readonly code?: string }): string {
  return issue.code === 'invalid_key'
    ? 'a stream name of 1 to 48 lower-case letters, digits or hyphens'
    : 'a map of stream names';
}
