/** The publisher with masters that take some codecs and hang up on others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { isAmf0Object } from '../../../codecs/flv/amf0.ts';
import { parseAudioTagBody } from '../../../codecs/flv/audio-tag.ts';
import { parseVideoTagBody } from '../../../codecs/flv/video-tag.ts';
import type { AudioTrack, Track, VideoTrack } from '../../../codecs/track.ts';
import { MessageType, type RtmpMessage } from '../../../protocols/rtmp/message.ts';
import { Publishing } from '../../support/publishing.ts';
import { RtmpSink, type RtmpSinkOptions } from '../../support/rtmp-sink.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  G711_TRACK,
  HEVC_TRACK,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../support/units.ts';
import { until } from '../../support/until.ts';

const AC3_TRACK: AudioTrack = { kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 2 };

/** `h265 enhanced config`, `pcma frame @20`. */
function wordsOf({ typeId, timestampMs, payload }: RtmpMessage): string | undefined {
  if (typeId === MessageType.dataAmf0) return undefined;
  const isVideo = typeId === MessageType.video;
  const tag = isVideo ? parseVideoTagBody(payload) : parseAudioTagBody(payload);
  if (tag === undefined) return undefined;
  const isEnhanced = isVideo && (payload[0] ?? 0) >= 0x80;
  const codec = isEnhanced ? `${tag.codec} enhanced` : tag.codec;
  return tag.content === 'frame' ? `${codec} @${timestampMs}` : `${codec} ${tag.content}`;
}

/** Remembers what came, session by session; hangs up on what it is told to. */
async function listen(
  hangsUpOn: RegExp,
  options: RtmpSinkOptions = {},
): Promise<{ sink: RtmpSink; seen: string[][] }> {
  const seen: string[][] = [];
  const sink = await RtmpSink.listen({
    ...options,
    onPublish: () => seen.push([]),
    onMessage: (session, message) => {
      const words = wordsOf(message);
      if (words === undefined) return;
      seen.at(-1)?.push(words);
      if (hangsUpOn.test(words)) session.destroy();
    },
  });
  return { sink, seen };
}

/** A publisher as its link runs it: attempt after attempt, fed as soon as it subscribes. */
class Attempts {
  readonly publisher: Publishing['publisher'];
  readonly #publishing: Publishing;
  readonly #units: () => AccessUnit[];
  #current: Promise<unknown> | undefined;

  constructor(sink: RtmpSink, tracks: readonly Track[], units: () => AccessUnit[], options = {}) {
    this.#units = units;
    this.#publishing = new Publishing({ targetUri: sink.url(), ...options }, tracks);
    this.publisher = this.#publishing.publisher;
  }

  /** What the next attempt ends with. */
  async next(): Promise<unknown> {
    const ended = this.#current === undefined ? this.#publishing.ended : this.#publishing.again();
    this.#current = ended;
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    await until(() => isOver || this.#publishing.sink !== undefined);
    for (const unit of this.#units()) this.#publishing.write(unit);
    return ended;
  }

  /** The source stops: audio that waits goes out. */
  stopSource(): void {
    this.#publishing.sink?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#publishing.abort.abort(new Error('the test is over'));
    await this.#current;
  }
}

const hevcAndG711 = () => [
  videoUnit({ track: HEVC_TRACK }),
  audioUnit({ track: G711_TRACK, dtsUs: 20_000 }),
  videoUnit({ track: HEVC_TRACK, dtsUs: 40_000, randomAccess: false }),
];

test('SRS ends the session at G.711 (srs#4627): the next one is without audio, and says so', async () => {
  const { sink, seen } = await listen(/pcma/);
  await using _ = sink;
  const units = () => [
    videoUnit(),
    audioUnit({ track: G711_TRACK, dtsUs: 20_000 }),
    videoUnit({ dtsUs: 40_000, randomAccess: false }),
  ];
  await using attempts = new Attempts(sink, [VIDEO_TRACK, G711_TRACK], units);
  const error = await attempts.next();
  assert.ok(error instanceof ProtocolError && error.code === 'RTMP_OTHER_WAY', String(error));
  assert.match(error.message, /right after the first G\.711 A-law audio; trying without audio/);
  void attempts.next();
  await until(() => seen[1]?.length === 3);
  assert.deepEqual(seen[1], ['h264 config', 'h264 @0', 'h264 @40']);
  assert.deepEqual(attempts.publisher.leftOut, [
    'audio G.711 A-law (the master ended the session when it came)',
  ]);
});

test('a master that knows H.265 as enhanced RTMP only and does not say so: found at the second attempt', async () => {
  const { sink, seen } = await listen(/^h265 (config|@)/);
  await using _ = sink;
  await using attempts = new Attempts(sink, [HEVC_TRACK, G711_TRACK], hevcAndG711);
  const error = await attempts.next();
  assert.ok(error instanceof ProtocolError && error.code === 'RTMP_OTHER_WAY', String(error));
  // Audio may have gone out, too, before the master's end was seen; then it was suspected first.
  if (/without audio/.test(error.message)) await attempts.next();
  void attempts.next();
  await until(() => seen.at(-1)?.[0] === 'h265 enhanced config' && seen.at(-1)?.length === 4);
  assert.deepEqual(seen.at(-1), [
    'h265 enhanced config',
    'h265 enhanced @0',
    'pcma @20',
    'h265 enhanced @40',
  ]);
});

test('a master that takes no H.265 at all: the cause is the codec, with what to do', async () => {
  const { sink } = await listen(/^h265/);
  await using _ = sink;
  const units = () => [videoUnit({ track: HEVC_TRACK })];
  await using attempts = new Attempts(sink, [HEVC_TRACK], units);
  assert.match(String(await attempts.next()), /\(codec id 12\); trying enhanced RTMP/);
  const error = await attempts.next();
  assert.ok(error instanceof UnsupportedError, String(error));
  assert.match(error.message, /codec id 12, then enhanced RTMP.*Choose H\.264/);
});

test('a master that lists hvc1 gets enhanced RTMP at once; it was offered what the camera has', async () => {
  const { sink, seen } = await listen(/^$/, { connectAnswer: { fourCcList: ['hvc1', 'av01'] } });
  await using _ = sink;
  await using attempts = new Attempts(sink, [HEVC_TRACK, G711_TRACK], hevcAndG711);
  void attempts.next();
  await until(() => seen[0]?.length === 4);
  assert.equal(seen[0]?.[0], 'h265 enhanced config');
  const asked = sink.history[0]?.commands[0]?.values[0];
  assert.ok(isAmf0Object(asked!));
  assert.deepEqual(asked['fourCcList'], ['hvc1']);
});

test('H.265 where it is refused: the master is not even called', async () => {
  const { sink } = await listen(/^$/);
  await using _ = sink;
  const options = { videoCodecMode: 'refuse' };
  const error = await new Attempts(sink, [HEVC_TRACK], () => [], options).next();
  assert.ok(error instanceof UnsupportedError, String(error));
  assert.match(error.message, /videoCodecMode: refuse/);
  assert.equal(sink.history.length, 0);
});

test('a camera with nothing but AC-3, which the master does not list: unpublished before it is published', async () => {
  const { sink } = await listen(/^$/);
  await using _ = sink;
  const error = await new Attempts(sink, [AC3_TRACK], () => []).next();
  assert.ok(error instanceof UnsupportedError, String(error));
  assert.match(error.message, /nothing of the stream is left: audio AC-3/);
  assert.ok(!sink.history[0]?.commandNames.includes('publish'));
});

test('AC-3 that the master does not list is left out; the video goes on', async () => {
  const { sink, seen } = await listen(/^$/);
  await using _ = sink;
  const units = () => [
    videoUnit(),
    audioUnit({ track: AC3_TRACK, dtsUs: 20_000 }),
    videoUnit({ dtsUs: 40_000 }),
  ];
  await using attempts = new Attempts(sink, [VIDEO_TRACK, AC3_TRACK], units);
  void attempts.next();
  await until(() => seen[0]?.length === 3);
  assert.deepEqual(seen[0], ['h264 config', 'h264 @0', 'h264 @40']);
  assert.match(attempts.publisher.leftOut.join(), /^audio AC-3/);
});

test('silence in place of whatever the camera has, paced by its pictures', async () => {
  const { sink, seen } = await listen(/^$/);
  await using _ = sink;
  const units = () =>
    [0, 40, 80].flatMap((ms) => [
      videoUnit({ dtsUs: ms * 1000 }),
      audioUnit({ track: G711_TRACK, dtsUs: ms * 1000 }),
    ]);
  await using attempts = new Attempts(sink, [VIDEO_TRACK, G711_TRACK], units, { audio: 'silence' });
  void attempts.next();
  await until(() => attempts.publisher.stats.unitsSent === 7);
  attempts.stopSource();
  await until(() => seen[0]?.length === 9);
  const silent = seen[0]?.filter((words) => words.startsWith('aac'));
  assert.deepEqual(silent, ['aac config', 'aac @0', 'aac @23', 'aac @46', 'aac @70']);
});

/** The same session held, while the camera goes and returns with other tracks: its end, if it ends. */
async function returning(
  before: readonly Track[],
  after: readonly Track[],
): Promise<{ error: unknown; commands: readonly string[] | undefined }> {
  const { sink } = await listen(/^$/);
  await using _ = sink;
  await using publishing = new Publishing({ targetUri: sink.url() }, before);
  await publishing.accepted;
  const picture = (tracks: readonly Track[], dtsUs: number) =>
    videoUnit({ track: tracks[0] as VideoTrack, dtsUs });
  publishing.write(picture(before, 0));
  publishing.sink?.stop();
  publishing.sink?.start(after);
  publishing.write(picture(after, 1_000_000));
  let error: unknown;
  void publishing.ended.then((thrown) => {
    error = thrown;
  });
  await until(() => error !== undefined || publishing.publisher.stats.unitsSent === 2);
  if (error !== undefined) await until(() => sink.sessions.size === 0);
  return { error, commands: sink.history[0]?.commandNames };
}

for (const [name, before, after] of [
  ['another resolution', [VIDEO_TRACK, AUDIO_TRACK], [OTHER_VIDEO_TRACK, AUDIO_TRACK]],
  ['no audio any more', [VIDEO_TRACK, AUDIO_TRACK], [VIDEO_TRACK]],
  ['audio that is left out', [VIDEO_TRACK], [VIDEO_TRACK, AC3_TRACK]],
] as const) {
  test(`${name}: the session goes on`, async () => {
    assert.equal((await returning(before, after)).error, undefined);
  });
}

for (const [name, before, after, words] of [
  ['H.265 after H.264', [VIDEO_TRACK], [HEVC_TRACK], /H\.265/],
  ['audio that comes late', [VIDEO_TRACK], [VIDEO_TRACK, AUDIO_TRACK], /AAC/],
  ['G.711 after AAC', [VIDEO_TRACK, AUDIO_TRACK], [VIDEO_TRACK, G711_TRACK], /G\.711/],
] as const) {
  test(`${name}: the session is ended cleanly, to be begun anew`, async () => {
    const { error, commands } = await returning(before, after);
    assert.ok(
      error instanceof ProtocolError && error.code === 'RTMP_TRACKS_CHANGED',
      String(error),
    );
    assert.match(error.message, words);
    assert.deepEqual(commands?.slice(-2), ['FCUnpublish', 'deleteStream']);
  });
}

test('another codec without a new start, as MPEG-TS may bring it', async () => {
  const { sink } = await listen(/^$/);
  await using _ = sink;
  await using publishing = new Publishing({ targetUri: sink.url() }, [VIDEO_TRACK]);
  await publishing.accepted;
  publishing.write(videoUnit());
  publishing.write(audioUnit({ dtsUs: 10_000 }));
  const error = await publishing.ended;
  assert.ok(error instanceof ProtocolError && error.code === 'RTMP_TRACKS_CHANGED', String(error));
});
