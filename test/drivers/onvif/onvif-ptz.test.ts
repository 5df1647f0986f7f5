import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { SIGNAL, startControlled, startHead } from '../../support/controlled-camera.ts';
import { until } from '../../support/until.ts';

const P = '<ProfileToken>Profile_1</ProfileToken>';
const NS = 'xmlns="http://www.onvif.org/ver20/ptz/wsdl"';
const T = 'xmlns="http://www.onvif.org/ver10/schema"';
const STILL = { pan: 0, tilt: 0, zoom: 0 };

test('the head is known after the first login, and only where the camera can be moved', async (t) => {
  const { controls } = await startControlled(t, { ptz: {} });
  assert.equal(controls.ptz, undefined);
  await controls.clock(SIGNAL);
  assert.notEqual(controls.ptz, undefined);
  const fixed = await startControlled(t);
  await fixed.controls.clock(SIGNAL);
  assert.equal(fixed.controls.ptz, undefined);
});

/** obs-ptz PR#312: integers, and a service without an address; monibuca PR#341: Hikvision wants no space. */
test('what is sent, byte for byte', async (t) => {
  const { virtual, head } = await startHead(t);
  await head.move({ pan: 0.25, tilt: -0.5, zoom: 0 }, 30_000, SIGNAL);
  assert.equal(
    virtual.lastBody('ContinuousMove'),
    `<ContinuousMove ${NS}>${P}<Velocity><PanTilt x="0.25" y="-0.5" ${T}/></Velocity><Timeout>PT31S</Timeout></ContinuousMove>`,
  );
  await head.move({ pan: 0, tilt: 0, zoom: 0.1 }, 1500, SIGNAL);
  assert.equal(
    virtual.lastBody('ContinuousMove'),
    `<ContinuousMove ${NS}>${P}<Velocity><PanTilt x="0" y="0" ${T}/><Zoom x="0.1" ${T}/></Velocity><Timeout>PT3S</Timeout></ContinuousMove>`,
    'what turned is told to stand',
  );
  await head.stop(SIGNAL);
  assert.equal(
    virtual.lastBody('Stop'),
    `<Stop ${NS}>${P}<PanTilt>true</PanTilt><Zoom>true</Zoom></Stop>`,
  );
  await head.move({ pan: 0, tilt: 0, zoom: -1 }, 60_000, SIGNAL);
  assert.equal(
    virtual.lastBody('ContinuousMove'),
    `<ContinuousMove ${NS}>${P}<Velocity><Zoom x="-1" ${T}/></Velocity><Timeout>PT61S</Timeout></ContinuousMove>`,
  );
  await head.moveTo({ pan: -1, tilt: 0.125, zoom: 0.5 }, SIGNAL);
  assert.equal(
    virtual.lastBody('AbsoluteMove'),
    `<AbsoluteMove ${NS}>${P}<Position><PanTilt x="-1" y="0.125" ${T}/><Zoom x="0.5" ${T}/></Position></AbsoluteMove>`,
  );
  await head.moveTo({ zoom: 1 }, SIGNAL);
  assert.equal(
    virtual.lastBody('AbsoluteMove'),
    `<AbsoluteMove ${NS}>${P}<Position><Zoom x="1" ${T}/></Position></AbsoluteMove>`,
  );
  await head.home(SIGNAL);
  assert.equal(
    virtual.lastBody('GotoHomePosition'),
    `<GotoHomePosition ${NS}>${P}</GotoHomePosition>`,
  );
  assert.equal(await head.setPreset({ name: 'Gate <1>' }, SIGNAL), 'preset-1');
  assert.equal(
    virtual.lastBody('SetPreset'),
    `<SetPreset ${NS}>${P}<PresetName>Gate &lt;1&gt;</PresetName></SetPreset>`,
  );
  assert.equal(await head.setPreset({ token: 'a&b' }, SIGNAL), 'a&b');
  assert.equal(
    virtual.lastBody('SetPreset'),
    `<SetPreset ${NS}>${P}<PresetToken>a&amp;b</PresetToken></SetPreset>`,
  );
  assert.deepEqual(await head.presets(SIGNAL), [
    { token: 'preset-1', name: 'Gate <1>' },
    { token: 'a&b', name: 'a&b' },
  ]);
  await head.goToPreset('a&b', SIGNAL);
  assert.equal(
    virtual.lastBody('GotoPreset'),
    `<GotoPreset ${NS}>${P}<PresetToken>a&amp;b</PresetToken></GotoPreset>`,
  );
  await head.removePreset('a&b', SIGNAL);
  assert.equal(
    virtual.lastBody('RemovePreset'),
    `<RemovePreset ${NS}>${P}<PresetToken>a&amp;b</PresetToken></RemovePreset>`,
  );
  assert.equal(virtual.requests.filter((name) => name === 'GetDeviceInformation').length, 4);
});

test('a move stops by itself, although whoever asked for it gave up', async (t) => {
  const { virtual, head } = await startHead(t);
  const caller = new AbortController();
  await head.move({ pan: 1, tilt: 0, zoom: 0 }, 100, caller.signal);
  assert.ok(virtual.ptz.isMoving);
  caller.abort();
  await until(() => !virtual.ptz.isMoving);
  assert.equal(virtual.requests.filter((name) => name === 'Stop').length, 1);
});

test('a move whose answer never came is stopped all the same', async (t) => {
  const { virtual, head } = await startHead(
    t,
    {},
    // The camera moves, and says nothing.
    { answer: (operation) => operation === 'ContinuousMove' },
  );
  const caller = new AbortController();
  const moving = head.move({ pan: 1, tilt: 0, zoom: 0 }, 50, caller.signal);
  await until(() => virtual.requests.includes('ContinuousMove'));
  caller.abort(new Error('gave up'));
  await assert.rejects(moving, /gave up/);
  await until(() => virtual.requests.includes('Stop'));
});

test('another move renews the time; a stop that fails is tried again', async (t) => {
  let broken = 1;
  const { virtual, head } = await startHead(
    t,
    {},
    {
      answer: (operation, response) => {
        if (operation !== 'Stop' || broken === 0) return false;
        broken -= 1;
        response.writeHead(503).end();
        return true;
      },
    },
  );
  await head.move({ pan: 1, tilt: 0, zoom: 0 }, 50, SIGNAL);
  await head.move({ pan: -1, tilt: 0, zoom: 0 }, 300, SIGNAL);
  assert.ok(virtual.ptz.isMoving);
  await until(() => !virtual.ptz.isMoving, 5000);
  assert.equal(virtual.requests.filter((name) => name === 'Stop').length, 2);
});

test('a move that waits for its turn while the time of the one before ends has time of its own', async (t) => {
  let release = () => {};
  const { virtual, head } = await startHead(
    t,
    {},
    {
      answer: (operation, response) => {
        if (operation !== 'GetPresets') return false;
        release = () => response.writeHead(503).end();
        return true;
      },
    },
  );
  await head.move({ pan: 1, tilt: 0, zoom: 0 }, 100, SIGNAL);
  const presets = head.presets(SIGNAL).catch(() => undefined);
  const moving = head.move({ pan: -1, tilt: 0, zoom: 0 }, 60_000, SIGNAL);
  await new Promise((resolve) => setTimeout(resolve, 200));
  release();
  await Promise.all([presets, moving]);
  await head.presets(AbortSignal.timeout(200)).catch(() => undefined);
  release();
  assert.ok(virtual.ptz.isMoving);
  assert.ok(!virtual.requests.includes('Stop'));
  await head.stop(SIGNAL);
});

test('a stop never overtakes its move', async (t) => {
  const { virtual, head } = await startHead(t);
  const moving = head.move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, SIGNAL);
  await Promise.all([moving, head.stop(SIGNAL)]);
  assert.ok(!virtual.ptz.isMoving);
  await head.move(STILL, 1000, SIGNAL);
  assert.equal(virtual.requests.at(-1), 'Stop', 'no speed at all is a stop');
});

test('cameras that refuse moves with a Timeout are asked without', async (t) => {
  const { virtual, head } = await startHead(t, { refusesTimeout: true });
  for (let count = 0; count < 2; count += 1) {
    await head.move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, SIGNAL);
    assert.ok(virtual.ptz.isMoving);
  }
  assert.equal(virtual.requests.filter((name) => name === 'ContinuousMove').length, 3);
  await head.stop(SIGNAL);
});

test('ranges of a camera own, by the spaces of its configuration', async (t) => {
  const { virtual, head } = await startHead(t, {
    velocity: [-100, 100],
    position: [-180, 180],
    zoomPosition: [1, 31],
  });
  await head.move({ pan: 0.256, tilt: -1, zoom: 2 }, 60_000, SIGNAL);
  assert.deepEqual(virtual.ptz.velocity, { pan: 25.6, tilt: -100, zoom: 100 });
  await head.moveTo({ pan: 0.5, tilt: -1, zoom: 0.5 }, SIGNAL);
  assert.deepEqual(virtual.ptz.position, { pan: 90, tilt: -180, zoom: 16 });
  await head.moveTo({ tilt: 0 }, SIGNAL);
  assert.deepEqual(virtual.ptz.position, { pan: 90, tilt: 0, zoom: 16 }, 'pan stays where it is');
  await head.stop(SIGNAL);
});

test('what a camera lacks is unsupported; what it has works', async (t) => {
  const bare = await startHead(t, { lacks: ['absolute', 'zoom', 'home', 'presets'] });
  assert.deepEqual(await bare.head.abilities(SIGNAL), {
    protocol: 'onvif',
    absolute: false,
    home: false,
    listsPresets: false,
  });
  const { head } = bare;
  const lacking = [
    () => head.move({ pan: 0, tilt: 0, zoom: 1 }, 1000, SIGNAL),
    () => head.moveTo({ pan: 1, tilt: 1 }, SIGNAL),
    () => head.home(SIGNAL),
    () => head.presets(SIGNAL),
    () => head.goToPreset('1', SIGNAL),
    () => head.setPreset({ name: 'x' }, SIGNAL),
    () => head.removePreset('1', SIGNAL),
  ];
  for (const ask of lacking) await assert.rejects(ask(), UnsupportedError, String(ask));
  await head.move({ pan: 1, tilt: 0, zoom: 1 }, 60_000, SIGNAL);
  assert.deepEqual(bare.virtual.ptz.velocity, { pan: 1, tilt: 0, zoom: 0 });
  await head.stop(SIGNAL);
  const zoomOnly = await startHead(t, { lacks: ['pan-tilt'] });
  await zoomOnly.head.move({ pan: 1, tilt: 0, zoom: 1 }, 60_000, SIGNAL);
  assert.deepEqual(zoomOnly.virtual.ptz.velocity, { pan: 0, tilt: 0, zoom: 1 });
  await zoomOnly.head.stop(SIGNAL);
});

test('a camera that will not describe its node has the generic one', async (t) => {
  const { virtual, head } = await startHead(t, { lacks: ['nodes', 'status'] });
  assert.equal((await head.abilities(SIGNAL)).absolute, true);
  await head.moveTo({ pan: 0.5, tilt: 0.5 }, SIGNAL);
  assert.deepEqual(virtual.ptz.position, { pan: 0.5, tilt: 0.5, zoom: 0 });
  await assert.rejects(head.moveTo({ pan: 1 }, SIGNAL), UnsupportedError);
});

test('a preset that is not there is an error of the camera, and no reason to log in again', async (t) => {
  const { virtual, head } = await startHead(t);
  await assert.rejects(head.goToPreset('9', SIGNAL), { code: 'ONVIF_FAULT' });
  await head.home(SIGNAL);
  assert.equal(virtual.requests.filter((name) => name === 'GetDeviceInformation').length, 4);
});

test('services without an address, on another port behind a NAT, by Media 2, by GetCapabilities', async (t) => {
  for (const device of [
    { hasEmptyXaddrs: true },
    { advertisedHost: '192.168.1.108', advertisedPort: 80 },
    { media2: true },
    { hasNoGetServices: true },
    { auth: 'digest', digestAlgorithm: 'SHA-256' },
  ] as const) {
    const { virtual, head } = await startHead(t, {}, device);
    await head.moveTo({ pan: 1, tilt: 1 }, SIGNAL);
    assert.equal(virtual.ptz.position.pan, 1, JSON.stringify(device));
  }
});

test('the user may look and not move: said so, and no refusal is counted', async (t) => {
  const { virtual, head, chooser } = await startHead(t, {}, { forbidden: ['ContinuousMove'] });
  const move = () => head.move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, SIGNAL);
  for (let count = 0; count < 4; count += 1) {
    await assert.rejects(move(), { code: 'ONVIF_NOT_AUTHORIZED' });
  }
  assert.equal(virtual.refusals, 0);
  assert.equal(chooser.refusalsLeft, 3);
  await head.stop(SIGNAL);
});

test('a clock that is set between two requests of a session is measured again', async (t) => {
  const { virtual, head, chooser } = await startHead(t);
  virtual.clockOffsetMs = 3 * 3_600_000;
  await head.home(SIGNAL);
  assert.equal(virtual.refusals, 1);
  assert.equal(chooser.refusalsLeft, 2);
});

test('a password that changes costs two refusals, then a new login one more, then nothing is sent', async (t) => {
  for (const auth of ['token', 'digest'] as const) {
    const { virtual, head } = await startHead(t, {}, { auth });
    virtual.password = 'changed';
    for (let count = 0; count < 5; count += 1) {
      await assert.rejects(head.home(SIGNAL), AuthenticationError);
    }
    assert.ok(virtual.refusals <= 3, `${auth}: ${virtual.refusals} refusals`);
  }
});

test('a camera that restarts is logged in to again', async (t) => {
  const { virtual, head } = await startHead(t, {}, { auth: 'digest' });
  virtual.login.renewNonce();
  await head.home(SIGNAL);
  assert.equal(virtual.refusals, 1, 'the old nonce, which HTTP takes for stale');
});

test('junk for an answer is an error of the camera', async (t) => {
  const { head } = await startHead(
    t,
    {},
    { mangle: (xml, operation) => (operation === 'GetPresets' ? '<html>' : xml) },
  );
  await assert.rejects(head.presets(SIGNAL));
  const odd = await startHead(
    t,
    {},
    { mangle: (xml, name) => (name === 'SetPreset' ? xml.replace(/PresetToken/g, 'x') : xml) },
  );
  await assert.rejects(odd.head.setPreset({ name: 'x' }, SIGNAL), ProtocolError);
});
