/** The RTSP driver against GStreamer's server: what leaves the camera arrives, bit for bit and in time. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { AuthenticationError } from '../../codecs/errors.ts';
import { RtspCamera, type RtspCameraOptions } from '../../drivers/camera/rtsp-camera.ts';
import { assertSameUnits } from '../support/compare-units.ts';
import { type GstCamera, type GstCameraOptions, startGstCamera } from '../support/gst-camera.ts';
import { RecordingSink } from '../support/recording-sink.ts';

const CREDENTIALS = { username: 'admin', password: 'p@ss/w:rd' };
/** Four random access pictures and what lies between. */
const PICTURES = 100;
const FRAMES = 150;
/** Audio against video; a tenth of a frame of AAC would do, but the sender reports begin late. */
const LIP_SYNC_US = 25_000;

interface Pulled {
  readonly camera: GstCamera;
  readonly driver: RtspCamera;
  readonly sink: RecordingSink;
}

async function pull(
  context: TestContext,
  camera: GstCameraOptions,
  options: Omit<RtspCameraOptions, 'url'>,
): Promise<Pulled> {
  const started = await startGstCamera({ ...CREDENTIALS, ...camera });
  context.after(() => started[Symbol.asyncDispose]());
  const driver = new RtspCamera(
    { url: started.url, ...options },
    { log: pino({ level: 'silent' }), now: Date.now },
  );
  const sink = new RecordingSink();
  const abort = new AbortController();
  const ended = driver.run(sink, abort.signal);
  try {
    const frames = camera.audio === 'none' ? 0 : FRAMES;
    await Promise.race([sink.has(PICTURES, frames), ended]);
  } finally {
    abort.abort(new Error('enough'));
    await ended.catch(() => {});
  }
  return { camera: started, driver, sink };
}

const cases: readonly {
  readonly camera: GstCameraOptions;
  readonly transport: 'tcp' | 'udp' | 'auto';
  readonly arrivesOver: 'tcp' | 'udp';
}[] = [
  { camera: { auth: 'digest', bframes: 0 }, transport: 'tcp', arrivesOver: 'tcp' },
  { camera: { auth: 'digest', bframes: 2 }, transport: 'udp', arrivesOver: 'udp' },
  { camera: { auth: 'basic', bframes: 3 }, transport: 'tcp', arrivesOver: 'tcp' },
  {
    camera: {
      auth: 'none',
      transports: 'udp',
      audio: 'none',
      bitrate: 4000,
      width: 1280,
      height: 720,
    },
    transport: 'auto',
    arrivesOver: 'udp',
  },
  { camera: { auth: 'none', video: 'h265', bframes: 0 }, transport: 'tcp', arrivesOver: 'tcp' },
  { camera: { auth: 'none', video: 'h265', bframes: 4 }, transport: 'tcp', arrivesOver: 'tcp' },
  {
    camera: { auth: 'none', video: 'h265', bframes: 3, audio: 'none', bitrate: 3000 },
    transport: 'udp',
    arrivesOver: 'udp',
  },
];

for (const { camera, transport, arrivesOver } of cases) {
  const words = Object.entries(camera).map((entry) => entry.join(' '));
  test(`bit for bit over ${arrivesOver}, asked for ${transport}: ${words.join(', ')}`, async (context) => {
    const credentials = camera.auth === 'none' ? {} : { credentials: CREDENTIALS };
    const pulled = await pull(context, camera, { transport, ...credentials });
    const { driver, sink } = pulled;
    const seen = sink.units.map(({ data, ...unit }) => ({
      ...unit,
      sha256: createHash('sha256').update(data).digest('hex'),
    }));
    const fewest = PICTURES + (camera.audio === 'none' ? 0 : FRAMES);
    const compared = assertSameUnits(await pulled.camera.dump(), seen, { fewest });
    assert.ok(Math.abs(compared.audioDelayUs ?? 0) <= LIP_SYNC_US, `${compared.audioDelayUs} us`);
    assert.equal(driver.stats.transport, arrivesOver);
    assert.equal(driver.stats.lostPackets, 0);
    assert.equal(driver.stats.damagedUnits, 0);
    assert.equal(sink.video[0]?.randomAccess, true);
    assert.equal(sink.video[0]?.track.codec, camera.video ?? 'h264');
    const sent = (await pulled.camera.dump()).find(({ kind }) => kind === 'video');
    assert.ok(sent?.dtsUs !== undefined, 'the camera tells its decoding times');
    for (const kind of ['video', 'audio'] as const) {
      const times = sink[kind].map(({ dtsUs }) => dtsUs);
      assert.ok(times.every((dtsUs, n) => n === 0 || dtsUs > (times[n - 1] ?? 0)));
    }
  });
}

test('a wrong password, by Digest', async (context) => {
  const credentials = { ...CREDENTIALS, password: 'wrong' };
  await assert.rejects(
    pull(context, { auth: 'digest' }, { transport: 'tcp', credentials }),
    (error: unknown) => error instanceof AuthenticationError && error.credentialsSent,
  );
});
