import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import type { StreamSink } from '../../../codecs/stream-sink.ts';
import {
  OnvifCamera,
  type OnvifCameraOptions,
  type RtspSource,
} from '../../../drivers/camera/onvif-camera.ts';
import {
  type Credentials,
  emptyStats,
  type SourceStats,
  type StreamDriver,
} from '../../../drivers/driver.ts';
import { CredentialChooser, HOLD_MS } from '../../../drivers/onvif/credential-chooser.ts';
import { VirtualOnvif, type VirtualOnvifOptions } from '../../support/virtual-onvif.ts';

const RIGHT = { username: 'admin', password: 'secret' };
const wrong = (password: string) => ({ username: 'admin', password });

const SINK: StreamSink = { start() {}, write() {}, stop() {} };

/** Stands for an RtspCamera: notes what it is asked to pull, and does what the test says. */
class ScriptedRtsp implements StreamDriver {
  readonly notes: readonly string[] = [];
  readonly opened: RtspSource[] = [];
  stats: SourceStats = { ...emptyStats(), receivedBytes: 1, transport: 'tcp' };
  behaviour: (sink: StreamSink) => void = (sink) => sink.start([]);

  run(sink: StreamSink): Promise<void> {
    return Promise.resolve().then(() => this.behaviour(sink));
  }
}

async function setUp(
  t: TestContext,
  credentials: Credentials[],
  device: Partial<VirtualOnvifOptions> = {},
  options: Partial<OnvifCameraOptions> = {},
) {
  const virtual = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.1:8554/main', ...device });
  t.after(() => virtual.close());
  const clock = { nowMs: Date.now() };
  const rtsp = new ScriptedRtsp();
  const endpoint = {
    host: '127.0.0.1',
    port: virtual.port,
    path: '/onvif/device_service',
    secure: false,
  };
  const chooser = new CredentialChooser(credentials, () => clock.nowMs);
  const camera = new OnvifCamera(
    {
      endpoints: () => [endpoint],
      credentials: chooser,
      profile: 'main',
      transport: 'auto',
      openRtsp: (source) => {
        rtsp.opened.push(source);
        return rtsp;
      },
      ...options,
    },
    { log: pino({ level: 'silent' }), now: Date.now },
  );
  const run = () => camera.run(SINK, new AbortController().signal);
  return { virtual, camera, rtsp, run, clock, chooser, endpoint };
}

test('resolves, logs in, pulls the chosen profile, and says what it learnt', async (t) => {
  const { camera, rtsp, run } = await setUp(t, [RIGHT], {
    advertisedHost: '192.168.1.64',
    mac: '4c:bd:8f:00:00:01',
  });
  await run();
  const [opened] = rtsp.opened;
  assert.equal(opened?.url, 'rtsp://127.0.0.1:8554/main');
  assert.deepEqual(opened?.logins.next('rtsp'), RIGHT, 'what ONVIF took');
  assert.deepEqual(camera.description, {
    manufacturer: 'Virtual',
    model: 'VC-1',
    firmware: '1.0',
    serial: 'VC0001',
    mac: '4cbd8f000001',
    profile: 'mainStream (Profile_1)',
  });
  assert.equal(camera.stats.receivedBytes, 1);
});

test('a URL that played is used again without asking; one that failed is not', async (t) => {
  const { virtual, rtsp, run } = await setUp(t, [RIGHT]);
  await run();
  const asked = virtual.requests.length;
  rtsp.behaviour = (sink) => {
    sink.start([]);
    throw new ProtocolError('RTSP_STATUS', 'closed while playing');
  };
  await assert.rejects(run());
  assert.equal(virtual.requests.length, asked, 'it played last time');
  rtsp.behaviour = () => {
    throw new ProtocolError('RTSP_STATUS', '404', 404);
  };
  await assert.rejects(run());
  assert.equal(virtual.requests.length, asked, 'it had played before it broke');
  rtsp.behaviour = (sink) => sink.start([]);
  await run();
  assert.equal(virtual.requests.length, 2 * asked, 'it failed without playing: asked anew');
});

test('credentials are tried in order within one attempt', async (t) => {
  const { virtual, rtsp, run } = await setUp(t, [wrong('a'), wrong('b'), RIGHT], {
    auth: 'digest',
  });
  await run();
  assert.equal(virtual.refusals, 2);
  assert.deepEqual(rtsp.opened[0]?.logins.next('rtsp'), RIGHT);
});

test('never more than three refusals, then not a single request until the hold is over', async (t) => {
  for (const passwords of [['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e']]) {
    for (const auth of ['token', 'digest', 'both'] as const) {
      const { virtual, run, clock, chooser } = await setUp(t, passwords.map(wrong), { auth });
      for (let attempt = 0; attempt < 6; attempt += 1) {
        await assert.rejects(run(), AuthenticationError);
      }
      assert.equal(virtual.refusals, 3, `${passwords} ${auth}`);
      const asked = virtual.requests.length;
      await assert.rejects(run(), AuthenticationError);
      assert.equal(virtual.requests.length, asked);
      clock.nowMs += HOLD_MS;
      await assert.rejects(run(), AuthenticationError);
      assert.equal(virtual.refusals, 4);
      chooser.replace([RIGHT]);
      await run();
    }
  }
});

test('refusals count on although ONVIF lets us in and RTSP does not', async (t) => {
  const { rtsp, run } = await setUp(t, [RIGHT]);
  rtsp.behaviour = () => {
    rtsp.opened.at(-1)?.logins.refused(RIGHT, 'rtsp');
    throw new AuthenticationError('401', true);
  };
  for (let attempt = 0; attempt < 6; attempt += 1) await assert.rejects(run(), AuthenticationError);
  assert.equal(rtsp.opened.length, 3);
});

test('nobody at the first address: the next one is tried', async (t) => {
  const setup = await setUp(t, [RIGHT], {}, {});
  const dead = { ...setup.endpoint, port: 1 };
  const { rtsp, camera } = await setUp(t, [RIGHT], {}, { endpoints: () => [dead, setup.endpoint] });
  await camera.run(SINK, new AbortController().signal);
  assert.equal(rtsp.opened.length, 1);
});

test('no address known yet, or no camera at any', async (t) => {
  const none = await setUp(t, [RIGHT], {}, { endpoints: () => [] });
  await assert.rejects(none.run(), { code: 'ONVIF_NO_ADDRESS' });
  const dead = await setUp(
    t,
    [RIGHT],
    {},
    {
      endpoints: () => [{ host: '127.0.0.1', port: 1, path: '/', secure: false }],
    },
  );
  await assert.rejects(dead.run(), { code: 'ECONNREFUSED' });
});

test('another camera at the old address is refused when found by discovery', async (t) => {
  const other = await setUp(t, [RIGHT], { serial: 'OTHER' });
  const endpoints = [{ host: '', port: 0, path: '', secure: false }];
  const { camera, endpoint } = await setUp(
    t,
    [RIGHT],
    {},
    { endpoints: () => endpoints, keepsIdentity: true },
  );
  endpoints[0] = endpoint;
  const run = () => camera.run(SINK, new AbortController().signal);
  await run();
  endpoints[0] = { ...other.endpoint, host: 'localhost' };
  await assert.rejects(run(), { code: 'ONVIF_OTHER_DEVICE' });
  endpoints.push(endpoint);
  await run();
});

test('a camera without a fitting profile is unsupported', async (t) => {
  const { run } = await setUp(t, [RIGHT], {}, { profile: { codec: 'av1' } });
  await assert.rejects(run(), UnsupportedError);
});

test('told to stop: ends at once with the reason', async (t) => {
  const { camera } = await setUp(t, [RIGHT]);
  const stop = new AbortController();
  const running = camera.run(SINK, stop.signal);
  stop.abort(new Error('stopped'));
  await assert.rejects(running, /stopped/);
});

const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3);

test('a snapshot: its URL is asked for once, behind the login that plays', async (t) => {
  const { camera, virtual, run } = await setUp(t, [RIGHT], { snapshot: JPEG, auth: 'both' });
  await run();
  assert.deepEqual(virtual.requests.includes('GetSnapshotUri'), false, 'only when it is wanted');
  const { signal } = new AbortController();
  for (let count = 0; count < 2; count += 1) {
    assert.deepEqual(new Uint8Array(await camera.snapshot(signal)), JPEG);
  }
  assert.equal(virtual.requests.filter((name) => name === 'GetSnapshotUri').length, 1);
  assert.equal(virtual.snapshots, 2);
  assert.equal(virtual.refusals, 0);
});

test('a snapshot before anything has played', async (t) => {
  const { camera } = await setUp(t, [RIGHT], { snapshot: JPEG });
  assert.equal((await camera.snapshot(new AbortController().signal)).length, JPEG.length);
});

test('a camera without a snapshot says so; one whose URL leads nowhere is asked anew', async (t) => {
  const { signal } = new AbortController();
  const without = await setUp(t, [RIGHT], { snapshot: 'none' });
  await assert.rejects(without.camera.snapshot(signal), UnsupportedError);
  const nowhere = await setUp(t, [RIGHT], { auth: 'none' });
  for (let count = 0; count < 2; count += 1) {
    await assert.rejects(nowhere.camera.snapshot(signal), { status: 404 });
  }
  assert.equal(nowhere.virtual.requests.filter((name) => name === 'GetSnapshotUri').length, 2);
});

test('a password that is refused for a snapshot counts with the others: the account is not locked', async (t) => {
  const { camera, virtual, run } = await setUp(t, [RIGHT], { snapshot: JPEG, auth: 'both' });
  const { signal } = new AbortController();
  await run();
  await camera.snapshot(signal);
  virtual.password = 'changed';
  for (let count = 0; count < 6; count += 1) {
    await assert.rejects(camera.snapshot(signal), AuthenticationError);
  }
  assert.ok(virtual.refusals <= 3, `${virtual.refusals} refusals`);
});
