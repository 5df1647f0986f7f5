/** The part of the configuration about the masters that streams are published to. */
import * as z from 'zod/mini';
import { AUDIO_MODES, VIDEO_CODEC_MODES } from '../proxypublish/carriage.ts';
import { checkedText, flag, oneOf, text } from './fields.ts';
import { caFile, fingerprint, insecure, mapOnly, section } from './schema-parts.ts';
import { TARGET_EXPECTED, targetProblem } from './urls.ts';

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
        .check(z.describe('Name at the master, from {gateway} and {stream}; people see it')),
      streamKey: z
        .optional(text('a stream key'))
        .check(
          z.describe(
            'Name at the master where it is a secret, as at YouTube; in place of targetStreamName',
          ),
        ),
      streamKeyFile: z
        .optional(text('the path of a file'))
        .check(z.describe('File that holds the stream key')),
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

export const proxypublish = section('Every stream goes to these RTMP masters', {
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
