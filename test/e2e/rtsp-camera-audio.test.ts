/** The RTSP driver against GStreamer's payloaders of audio: every frame arrives, bit for bit and in time. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import type { AudioTrack } from '../../codecs/track.ts';
import { RtspCamera } from '../../drivers/camera/rtsp-camera.ts';
import { assertSameUnits } from '../support/compare-units.ts';
import { type GstCameraOptions, startGstCamera } from '../support/gst-camera.ts';
import { RecordingSink } from '../support/recording-sink.ts';

/** A second or two. */
const PICTURES = 25;
const FRAMES = 60;
/** The dump has no first packet of a media, but a client may: three AC-3 frames or so, and a picture. */
const UNDUMPED = 5;
/** A packet of three AC-3 frames, whose times are those of the encoder's whole samples, and a tick. */
const LIP_SYNC_US = 25_000;

type Heard = Pick<AudioTrack, 'codec' | 'sampleRate' | 'channels'>;

const cases: readonly {
  readonly audio: NonNullable<GstCameraOptions['audio']>;
  readonly transport: 'tcp' | 'udp';
  readonly heard: Heard;
}[] = [
  { audio: 'pcma', transport: 'tcp', heard: { codec: 'pcma', sampleRate: 8000, channels: 1 } },
  { audio: 'pcmu', transport: 'tcp', heard: { codec: 'pcmu', sampleRate: 8000, channels: 1 } },
  { audio: 'opus', transport: 'udp', heard: { codec: 'opus', sampleRate: 48_000, channels: 2 } },
  { audio: 'opus', transport: 'tcp', heard: { codec: 'opus', sampleRate: 48_000, channels: 2 } },
  { audio: 'latm', transport: 'tcp', heard: { codec: 'aac', sampleRate: 44_100, channels: 2 } },
  { audio: 'mp3', transport: 'tcp', heard: { codec: 'mp3', sampleRate: 48_000, channels: 2 } },
  { audio: 'ac3', transport: 'tcp', heard: { codec: 'ac3', sampleRate: 48_000, channels: 2 } },
];

for (const { audio, transport, heard } of cases) {
  test(`${audio} over ${transport}, bit for bit`, async (context) => {
    const camera = await startGstCamera({ audio, transports: transport });
    context.after(() => camera[Symbol.asyncDispose]());
    const driver = new RtspCamera(
      { url: camera.url, transport },
      { log: pino({ level: 'silent' }), now: Date.now },
    );
    const sink = new RecordingSink();
    const abort = new AbortController();
    const ended = driver.run(sink, abort.signal);
    await Promise.race([sink.has(PICTURES, FRAMES), ended]).catch((cause: unknown) => {
      throw new Error(`it ended with ${cause} after ${sink.units.length} units`, { cause });
    });
    abort.abort(new Error('enough'));
    await ended.catch(() => {});
    const seen = sink.units.map(({ data, ...unit }) => ({
      ...unit,
      sha256: createHash('sha256').update(data).digest('hex'),
    }));
    const compared = assertSameUnits(await camera.dump(), seen, {
      fewest: PICTURES + FRAMES - UNDUMPED,
    });
    assert.ok(Math.abs(compared.audioDelayUs ?? 0) <= LIP_SYNC_US, `${compared.audioDelayUs} us`);
    assert.equal(driver.stats.damagedUnits, 0);
    assert.deepEqual(driver.notes, []);
    const track = sink.audio[0]?.track;
    assert.ok(track?.kind === 'audio');
    const { codec, sampleRate, channels } = track;
    assert.deepEqual({ codec, sampleRate, channels }, heard);
    assert.equal(sink.starts, 1);
    assert.equal(sink.tracks?.length, 2, 'both tracks were known at the start');
  });
}
